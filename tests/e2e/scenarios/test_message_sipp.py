"""A message each way with sipp, over UDP and over TCP."""
import pytest

from conftest import PEERS, COMPONENT
from lane import PEER
from sipp import Sipp

pytestmark = pytest.mark.gate(60)


@pytest.mark.parametrize("transport", ["u1", "t1"], ids=["udp", "tcp"])
def test_IM_23_from_sip(server, romeo, workspace, transport):
    text = f"But soft, what light {transport}"
    Sipp("send_message", workspace / f"sipp-send-{transport}", transport, port=5070, keys={"text": text}).wait()
    stanza, _ = romeo.wait_body(f"{text} 1")
    assert stanza["from"].bare == "juliet@capulet.test" and not stanza["from"].resource
    assert stanza["to"].bare == "romeo@montague.test"
    assert stanza["type"] == "chat"


def test_IM_01_to_sip_over_udp(server, romeo, workspace):
    phone = Sipp("receive_message", workspace / "sipp-receive-udp", "u1")
    romeo.send("juliet@capulet.test", "Call me but love")
    seen = phone.wait()
    assert "MESSAGE sip:juliet@capulet.test SIP/2.0" in seen and "Call me but love" in seen
    assert "From: <sip:romeo@montague.test>" in seen and "Contact:" not in seen


def test_CORE_06_to_sip_over_tcp(server, romeo, workspace):
    since = server.log_size()
    server.set_component(COMPONENT, {"peers": {"phones": {**PEERS["phones"], "next_hop": f"sip:{PEER}:5060;transport=tcp"}}})
    try:
        server.wait_log("configur", since)
        phone = Sipp("receive_message", workspace / "sipp-receive-tcp", "t1")
        romeo.send("juliet@capulet.test", "By any other name")
        seen = phone.wait()
        assert "SIP/2.0/TCP" in seen and "By any other name" in seen
    finally:
        server.set_component(COMPONENT, {"peers": PEERS})
