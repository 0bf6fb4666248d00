"""Messages each way between Profanity and a SIP phone."""
import pytest

from conftest import COMPONENT, DOMAIN, PASSWORD
from profanity import Profanity
from sip_peer import SipPeer, message

pytestmark = pytest.mark.gate(60)


@pytest.fixture
def client(server, workspace):
    running = Profanity(workspace / "profanity", f"benvolio@{DOMAIN}", PASSWORD, server.setup.address, server.setup.port)
    yield running
    running.stop()


def test_each_way_with_profanity(client):
    with SipPeer() as phone:
        for text in ("Part, fools!", "tschüß — 你好 🌹"):
            client.send(f"juliet@{COMPONENT}", text)
            request = phone.wait_request(lambda request: request.body == text)
            assert request.first == f"MESSAGE sip:juliet@{COMPONENT} SIP/2.0"
        assert phone.ask(message(f"benvolio@{DOMAIN}", body="I do but keep the peace ✌")).status == 202
    stanza = client.wait_came("<message", "I do but keep the peace ✌")
    assert f"juliet@{COMPONENT}" in stanza
    client.wait_shown("I do but keep the peace")
