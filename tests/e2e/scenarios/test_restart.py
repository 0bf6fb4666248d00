"""The server ends and starts again: its worker ends with it, and the next one attaches."""
import pytest

from conftest import COMPONENT, DOMAIN, PASSWORD, make_server, stop_server
from lane import GATEWAY, PEER
from processes import wait_for
from sip_peer import SipPeer, message
from xmpp_client import XmppClient

pytestmark = pytest.mark.gate(120)
PORT = 5092


@pytest.fixture
def server(workspace):
    running = make_server(workspace / "restart", port=5323, api_port=15282, engine={"bind": [f"udp:{GATEWAY}:{PORT}"], "log_level": "debug"},
                          components={COMPONENT: {"peers": {"phones": {"match": {"source": [PEER]}, "next_hop": f"sip:{PEER}:{PORT}", "probe": False}}}})
    yield running
    stop_server(running)


def test_the_gateway_comes_back_with_its_server(server):
    old = server.worker()
    assert old
    server.stop()
    wait_for("the worker's end", lambda: not old_lives(old))
    since = server.log_size()
    server.start()
    server.wait_attached(COMPONENT, since)
    assert server.worker() not in (0, old)
    client = XmppClient(f"romeo@{DOMAIN}/restart", PASSWORD, server.setup.address, server.setup.port)
    try:
        with SipPeer(port=PORT) as phone:
            client.send(f"juliet@{COMPONENT}", "after the restart")
            assert phone.wait_request().body == "after the restart"
            assert phone.ask(message(body="and back", port=PORT), gateway_port=PORT).status == 202
        client.wait_body("and back")
    finally:
        client.stop()


def old_lives(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/comm", encoding="ascii") as name:
            return name.read().strip() == "stoxd"
    except OSError:
        return False
