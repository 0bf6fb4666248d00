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


def doctor(server, as_json: bool) -> tuple[int, str]:
    words = ("stox", "doctor --json") if IS_EJABBERD and as_json else ("stox_doctor",) if IS_EJABBERD else ("doctor", *(["--json"] if as_json else []))
    done = server.ctl(*words)
    return done.returncode, done.stdout


def test_what_is_well_and_what_is_not(server):
    status, text = doctor(server, as_json=False)
    assert f"udp:{GATEWAY}:{PORT} is held by the worker that runs, stoxd (pid {server.worker()})" in text, text
    assert "1 domain, no mistakes found" in text, text
    assert "is ours" in text, text  # the state directory
    status_of_json, shown = doctor(server, as_json=True)
    found = json.loads(shown[shown.index("{"):shown.rindex("}") + 1])
    levels = [finding["level"] for finding in found["findings"]]
    assert levels.count("error") == found["errors"] and levels.count("warning") == found["warnings"]
    expected = 2 if found["errors"] else 1 if found["warnings"] else 0
    assert (status, status_of_json) == (expected, expected)
    assert {"configuration", "listeners", "state", "descriptors", "clock"} <= {finding["check"] for finding in found["findings"]}
