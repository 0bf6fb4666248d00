"""A worker that ended ten times stays down, which costs nobody a chat, until a reload of the configuration gives it another chance."""
import os
import pathlib
import shutil
import signal

import pytest

import conftest
from conftest import COMPONENT, DOMAIN, PASSWORD, make_server, stop_server
from lane import GATEWAY, PEER
from processes import wait_for
from sip_peer import SipPeer, message
from xmpp_client import XmppClient

pytestmark = pytest.mark.gate(90)
PORT = 5093
QUICK = pathlib.Path(os.environ["STOX_BUILD"]) / "tests" / "stox_quick_restart.so"  # as stox.so, but ten ends take no minute


def hurried(kind: type) -> type:
    class Hurried(kind):
        def stage(self) -> None:
            super().stage()
            for library in [*self.folder.rglob("stox.so"), *self.folder.rglob("stox_nif.so")]:
                shutil.copy(QUICK, library)
            self.own()
    return Hurried


@pytest.fixture
def server(workspace, monkeypatch):
    kind = os.environ["STOX_SERVER"]
    monkeypatch.setitem(conftest.SERVERS, kind, hurried(conftest.SERVERS[kind]))
    running = make_server(workspace / "revived", port=5324, api_port=15283, engine={"bind": [f"udp:{GATEWAY}:{PORT}"], "log_level": "debug"},
                          components={COMPONENT: {"peers": {"phones": {"match": {"source": [PEER]}, "next_hop": f"sip:{PEER}:{PORT}", "probe": False}}}})
    yield running
    stop_server(running)


@pytest.fixture
def people(server):
    clients = [XmppClient(f"{name}@{DOMAIN}/revived", PASSWORD, server.setup.address, server.setup.port) for name in ("romeo", "mercutio")]
    yield clients
    for client in clients:
        client.stop()


def kill_next(server, killed: set[int]) -> None:
    pid = wait_for("another worker", lambda: next((pid for pid in [server.worker()] if pid and pid not in killed), 0))
    os.kill(pid, signal.SIGKILL)
    killed.add(pid)


def test_the_next_reload_brings_it_back(server, people):
    romeo, mercutio = people
    since, killed = server.log_size(), set()
    for _ in range(10):
        kill_next(server, killed)
    server.wait_log("stays down until the next reload", since)
    wait_for("the end of the last one", lambda: server.worker() == 0)
    romeo.send(f"juliet@{COMPONENT}", "is anybody there?", ident="nobody")
    assert romeo.wait_error("nobody")["from"].bare == f"juliet@{COMPONENT}"
    mercutio.send(f"romeo@{DOMAIN}", "chat goes on")
    romeo.wait_body("chat goes on")

    since = server.log_size()
    server.reload()
    server.wait_attached(COMPONENT, since)
    assert server.worker() not in killed | {0}
    with SipPeer(port=PORT) as phone:
        romeo.send(f"juliet@{COMPONENT}", "after the reload")
        assert phone.wait_request().body == "after the reload"
        assert phone.ask(message(body="and back", port=PORT), gateway_port=PORT).status == 202
    romeo.wait_body("and back")
    # It counts anew: one more end is no reason to stay down.
    since = server.log_size()
    kill_next(server, killed)
    server.wait_attached(COMPONENT, since)
