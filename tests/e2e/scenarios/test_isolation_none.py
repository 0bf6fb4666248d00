"""The engine inside the server's own process, a smoke test: a message each way. The release build, for servers cannot load sanitizers."""
import os
import pathlib

import pytest

from conftest import DOMAIN, PASSWORD, make_server
from sip_peer import SipPeer, message
from xmpp_client import XmppClient

pytestmark = pytest.mark.gate(60)
RELEASE = pathlib.Path(os.environ["STOX_RELEASE"])


@pytest.fixture
def server(workspace):
    running = make_server(workspace / "none", build=RELEASE, isolation="none", port=5322, api_port=15281,
                          components={"capulet.test": {"peers": {"phones": {"match": {"source": ["10.77.0.1"]}, "next_hop": "sip:10.77.0.1:5090", "probe": False}}}},
                          engine={"bind": ["udp:10.77.0.2:5090"], "log_level": "debug"})
    yield running
    running.stop()


def test_message_each_way(server):
    assert server.worker() == 0, "a worker process runs"
    client = XmppClient(f"mercutio@{DOMAIN}/none", PASSWORD, server.setup.address, server.setup.port)
    try:
        with SipPeer(port=5090) as phone:
            client.send("juliet@capulet.test", "from inside")
            assert phone.wait_request().body == "from inside"
            assert phone.ask(message("mercutio@montague.test", body="to the inside", port=5090), gateway_port=5090).status == 202
        client.wait_body("to the inside")
    finally:
        client.stop()
