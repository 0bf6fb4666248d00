"""Who is no peer gets 403, nothing reaches XMPP, and the log has a line that fail2ban can match."""
import pytest

from lane import STRANGER
from sip_peer import SipPeer, message

pytestmark = pytest.mark.gate(30)


def test_a_stranger_is_refused(server, romeo):
    since = server.log_size()
    with SipPeer(address=STRANGER) as stranger:
        assert stranger.ask(message(body="let me in", source=STRANGER)).status == 403
        assert stranger.ask(message("romeo@montague.test", body="", method="OPTIONS", source=STRANGER)).status == 403
    server.wait_log(r"security event=refused.*src=10\.77\.0\.3", since)
    with SipPeer(port=5071) as phone:  # what a peer sends afterwards arrives, so what did not arrive never will
        assert phone.ask(message(body="after the stranger", port=5071)).status == 202
    romeo.wait_body("after the stranger")
    assert not [stanza for stanza, _ in romeo.messages if stanza["body"] == "let me in"]


def test_CORE_65_a_peer_speaks_only_for_its_own_users(server, romeo):
    with SipPeer(port=5071) as phone:
        assert phone.ask(message(sender="mercutio@montague.test", body="forged", port=5071)).status == 403
        assert phone.ask(message(sender="ceo@bank.test", body="forged", port=5071)).status == 403
    assert not [stanza for stanza, _ in romeo.messages if stanza["body"] == "forged"]


def test_CORE_34_options_tells_a_peer_what_is_served(server):
    with SipPeer(port=5071) as phone:
        response = phone.ask(message("capulet.test", body="", method="OPTIONS", port=5071))
        assert response.status == 200 and "MESSAGE" in response.headers["allow"]
