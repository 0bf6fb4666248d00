"""Administration by command lines: stoxctl, prosodyctl and ejabberdctl give the same views, and say by their status what came of it."""
import json
import os
import re

import pytest

from adhoc import execute, listed
from conftest import COMPONENT, DOMAIN, PEERS, make_server, person, stop_server
from lane import GATEWAY, STRANGER
from processes import wait_for

pytestmark = pytest.mark.gate(120)
PORT = 5094
VIEWS = {"overview": "worker", "domains": "domains", "peers": "peers", "errors": "errors", "limits": "limits", "counters": "traffic", "bans": "bans", "traces": "traces",
         "subscriptions": "subscriptions"}
# Orders that leave the worker as it was, in this order.
ORDERS = [("user-limit", "romeo@montague.test", "5"), ("user-limit", "romeo@montague.test", "default"), ("drain", "on"), ("drain", "off"),
          ("trace", "nobody@nowhere.test", "1"), ("ban", STRANGER, "5"), ("unban", STRANGER), ("log-level", "debug")]
ELSEWHERE = {"cancel-subscription", "reload", "stop"}  # below, and of a subscription that there is: test_contacts
ARGUMENTS = {"user-limit": ("user", "per_second"), "drain": ("state",), "trace": ("match", "minutes"), "ban": ("source", "minutes"), "unban": ("source",),
             "log-level": ("level",), "cancel-subscription": ("user", "contact")}
IS_EJABBERD = os.environ.get("STOX_SERVER") == "ejabberd"


@pytest.fixture(scope="module")
def server(workspace):
    running = make_server(workspace / "cli", port=5331, api_port=15291, ctl=True, domain_admins=[f"mercutio@{DOMAIN}"], components={COMPONENT: {"peers": PEERS}},
                          engine={"bind": [f"udp:{GATEWAY}:{PORT}"], "log_level": "debug"})
    wait_for("the administration socket", lambda: list(running.folder.glob("*/stox/state/admin.sock")))
    yield running
    stop_server(running)


def twin(server, word: str, *arguments: str, as_json: bool = False) -> str:
    """What the server shows for the same command: prosodyctl, and of ejabberd the same commands by its API, for ejabberdctl takes seconds."""
    if not IS_EJABBERD:
        done = server.ctl(word, *arguments, *(["--json"] if as_json else []))
        assert done.returncode == 0, (word, done.stdout, done.stderr)
        return done.stdout
    if as_json:
        return json.loads(server.api("stox", line=" ".join((word, *arguments, "--json"))))
    return json.loads(server.api("stox_" + word.replace("-", "_"), **dict(zip(ARGUMENTS.get(word, ()), arguments))))


def without_time(view: str) -> list:
    """A view without what changes from one look to the next."""
    found = json.loads(view.splitlines()[-1])  # Prosody may complain about what it lacks first
    for rows in found.values():
        for row in rows if isinstance(rows, list) else [rows]:
            for name in [name for name in row if name.endswith("_seconds")]:
                del row[name]
    return found


def test_every_view_in_every_rendering(server):
    for word, table in VIEWS.items():
        shown = server.stoxctl(word, "--json")
        assert shown.returncode == 0, shown.stderr
        assert table in json.loads(shown.stdout)
        assert without_time(twin(server, word, as_json=True)) == without_time(shown.stdout), word
        text = server.stoxctl(word)
        assert text.returncode == 0, text.stderr
        assert text.stdout.splitlines()[0] in twin(server, word).splitlines(), word
    worker = json.loads(server.stoxctl("status", "--json").stdout)["worker"]
    assert worker["pid"] == server.worker()
    (peer,) = json.loads(server.stoxctl("peers", "--json", "--domain", COMPONENT).stdout)["peers"]
    assert (peer["domain"], peer["peer"], peer["probed"]) == (COMPONENT, "phones", False)


def test_no_command_is_without_its_twin_and_its_test(server):
    shown = server.stoxctl("help").stdout
    words = {line.split()[0] for line in shown.splitlines()[1:] if line.startswith("  ")}
    tried = {*VIEWS, *(order[0] for order in ORDERS), *ELSEWHERE}
    assert words == tried, words ^ tried
    if IS_EJABBERD:
        listed = server.ctl("help", "--tags", "stox").stdout
        assert {word for word in words if not re.search(rf"\bstox_{word.replace('-', '_')}\b", listed)} == set(), listed


def test_every_order_and_its_audit_line(server):
    def stoxctl(*words):
        done = server.stoxctl(*words)
        assert done.returncode == 0, (words, done.stderr)
    for by, run in (("stoxctl", stoxctl), ("ejabberdctl" if IS_EJABBERD else "prosodyctl", lambda *words: twin(server, *words))):
        for word, *arguments in ORDERS:
            since = server.log_size()
            run(word, *arguments)
            who = "server" if by == "ejabberdctl" else r"uid:\d+"
            server.wait_log(rf"audit command={word} who={who} via={by} result=done", since)


def test_the_status_says_what_came_of_it(server):
    def own(word, *words):
        return server.ctl("stox_" + word.replace("-", "_") if IS_EJABBERD else word, *words)
    assert "phones" in own("peers").stdout
    for run in (server.stoxctl, own):
        assert run("unban", STRANGER).returncode == 1, "it is not banned"
        assert run("log-level", "loud").returncode == 2
    assert server.stoxctl("dance").returncode == 2
    for run in (server.stoxctl, own):
        done = run("cancel-subscription", f"romeo@{DOMAIN}", f"juliet@{COMPONENT}")
        assert done.returncode == 1, (done.stdout, done.stderr)
    assert server.stoxctl().returncode == 2
    assert server.stoxctl("peers", "--domain", "nowhere.test").returncode == 1
    assert server.command([server.folder / "dist" / "stoxctl", "--socket", "/nowhere", "peers"]).returncode == 1


@pytest.mark.skipif(IS_EJABBERD, reason="a shell of Prosody's")
def test_the_shell_of_prosody(server):
    shown = server.prosodyctl("shell", "stox:peers()")
    assert "phones" in shown.stdout, (shown.stdout, shown.stderr)
    assert '"peers":[' in server.prosodyctl("shell", 'stox:peers("--json")').stdout
    assert "level is one of" in (lambda done: done.stdout + done.stderr)(server.prosodyctl("shell", 'stox:log_level("loud")'))


def test_a_domains_administrator_has_the_domain_alone(server):
    mercutio = person(server, "mercutio")
    try:
        seen = set(listed(mercutio, COMPONENT))
        assert {"overview", "peers", "drain"} <= seen and not {"stop", "ban", "domains"} & seen
        assert execute(mercutio, COMPONENT, "peers").status == "completed"
        assert execute(mercutio, COMPONENT, "stop").error == "forbidden"
    finally:
        mercutio.stop()


def test_reload_and_stop(server):
    """By command line and by XMPP."""
    since = server.log_size()
    assert server.stoxctl("reload").returncode == 0
    server.wait_log(r"[Rr]eloading configuration|Configuration reloaded", since)
    wait_for("the socket", lambda: server.stoxctl("overview").returncode == 0)
    old = server.worker()
    assert server.stoxctl("stop").returncode == 0
    wait_for("the end of the worker", lambda: server.worker() == 0)
    since = server.log_size()
    server.reload()
    server.wait_attached(COMPONENT, since)
    assert server.worker() not in (0, old)
    romeo = person(server, "romeo")
    try:
        assert execute(romeo, COMPONENT, "stop").status == "completed", "told before it stops"
    finally:
        romeo.stop()
    wait_for("the end of the worker", lambda: server.worker() == 0)
    since = server.log_size()
    server.reload()
    server.wait_attached(COMPONENT, since)
