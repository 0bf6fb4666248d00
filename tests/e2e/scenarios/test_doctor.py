"""The doctor, by the server's own command line, about a worker that runs."""
import json
import os

import pytest

from conftest import COMPONENT, PEERS, make_server, stop_server
from lane import GATEWAY

pytestmark = pytest.mark.gate(60)
PORT = 5098
IS_EJABBERD = os.environ.get("STOX_SERVER") == "ejabberd"


@pytest.fixture(scope="module")
def server(workspace):
    running = make_server(workspace / "doctor", port=5335, api_port=15295, ctl=True, components={COMPONENT: {"peers": PEERS}},
                          engine={"bind": [f"udp:{GATEWAY}:{PORT}"]})
    yield running
    stop_server(running)


def doctor(server, option: str = "") -> tuple[int, str]:
    words = ("doctor", *option.split()) if not IS_EJABBERD else ("stox", f"doctor {option}") if option else ("stox_doctor",)
    done = server.ctl(*words)
    return done.returncode, done.stdout


def findings(shown: str) -> dict:
    """A command line of the server may have something of its own to say."""
    return json.loads(shown[shown.index("{"):shown.rindex("}") + 1])


def test_what_is_well_and_what_is_not(server):
    status, text = doctor(server)
    assert f"udp:{GATEWAY}:{PORT} is held by the worker that runs, stoxd (pid {server.worker()})" in text, text
    assert "1 domain, no mistakes found" in text, text
    assert "is ours" in text, text  # the state directory
    status_of_json, shown = doctor(server, "--json")
    found = findings(shown)
    levels = [finding["level"] for finding in found["findings"]]
    assert levels.count("error") == found["errors"] and levels.count("warning") == found["warnings"]
    expected = 2 if found["errors"] else 1 if found["warnings"] else 0
    assert (status, status_of_json) == (expected, expected)
    assert {"configuration", "listeners", "state", "descriptors", "clock"} <= {finding["check"] for finding in found["findings"]}


def test_the_lines_for_another_user(server):
    """By which a service is judged: by its own user."""
    _, lines = doctor(server, "--lines")
    told = [json.loads(line) for line in lines.splitlines() if line.startswith("{")]
    assert [line["t"] for line in told] == ["engine-set", "domain-set"], lines
    assert told[0]["config"]["bind"] == [f"udp:{GATEWAY}:{PORT}"]
    assert (told[1]["domain"], list(told[1]["config"]["peers"])) == (COMPONENT, list(PEERS))


@pytest.mark.skipif(not IS_EJABBERD, reason="Prosody has one file, and judges it itself")
def test_a_file_that_cannot_be_read(server):
    (server.folder / "stox.yml").write_text("bind: [")
    try:
        status, text = doctor(server)
        assert status == 2 and "stox.yml" in text and "1 error" in text, text
        assert findings(doctor(server, "--json")[1])["errors"] == 1
    finally:
        server.configure()


@pytest.mark.skipif(not IS_EJABBERD, reason="prosodyctl needs no server")
def test_a_gateway_that_never_started(server):
    """Nothing of it runs, and the server does; a file that is mended is taken up without a restart of it."""
    server.stop()
    server.configure = lambda: (server.folder / "stox.yml").write_text("bind: [")
    since = server.log_size()
    server.start()
    server.wait_log(r"stox\.yml: .*trying again", since)
    assert server.worker() == 0
    status, text = doctor(server)
    assert status == 2 and "stox.yml" in text, text
    del server.configure
    server.configure()
    server.wait_attached(COMPONENT, since)
