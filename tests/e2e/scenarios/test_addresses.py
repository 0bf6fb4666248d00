"""Addresses with real servers: numbers of a trunk, spellings that a JID cannot keep, devices."""
import pytest

from conftest import PASSWORD
from conftest import DOMAIN as XMPP
from lane import PEER
from sip_peer import SipPeer, message
from sipp import Sipp
from xmpp_client import XmppClient

pytestmark = pytest.mark.gate(60)
TRUNK = "verona.test"
STANZAS = "{urn:ietf:params:xml:ns:xmpp-stanzas}"


@pytest.fixture
def trunk(server):
    """A domain of scheme phone whose only peer is a carrier at PEER."""
    since = server.log_size()
    server.set_component(TRUNK, {"scheme": "phone", "sip_domain": "trunk.test", "phone": {"dial_plan": ["*xx#"]}, "peers": {
        "carrier": {"kind": "trunk", "match": {"source": ["10.77.0.0/31"]}, "next_hop": f"sip:{PEER}:5060", "probe": False}}})
    server.wait_attached(TRUNK, since)
    yield TRUNK
    since = server.log_size()
    server.set_component(TRUNK, None)
    server.wait_log(r"verona\.test:? removed", since)


def last(client, text: str):
    return client.wait_body(text)[0]


@pytest.mark.parametrize("author", ["tel:+1-555-123-0000;ext=5", "sip:+1(555)1230000;ext=5@trunk.test;user=phone"], ids=["tel", "user-phone"])
def test_CORE_35_CORE_09_a_number_writes_and_is_written_to(server, romeo, workspace, trunk, author):
    # Many domains may serve the host montague.test: by the component's own name it is this one.
    folder = workspace / f"trunk-{author[:3]}"
    Sipp("trunk_send", folder / "send", port=5070, keys={"author": author, "target": f"romeo%40{XMPP}@{trunk}", "text": f"from {author}"}).wait()
    stanza = last(romeo, f"from {author} 1")
    assert stanza["from"].bare == f"+15551230000;ext=5@{trunk}"
    phone = Sipp("receive_message", folder / "receive")
    romeo.send(stanza["from"].full, "and back")
    seen = phone.wait()
    assert "MESSAGE sip:+15551230000;ext=5@trunk.test;user=phone SIP/2.0" in seen and "and back" in seen


def test_CORE_36_codes_go_by_the_dial_plan_and_emergencies_nowhere(server, romeo, trunk):
    with SipPeer() as carrier:
        romeo.send(f"*21#@{trunk}", "forward me")
        assert carrier.wait_request().first == "MESSAGE sip:*21%23@trunk.test SIP/2.0"
        romeo.send(f"112@{trunk}", "help", ident="help-112")
        error = romeo.wait_error("help-112").xml.find("{jabber:client}error")
        assert error.find(f"{STANZAS}not-allowed") is not None
        assert "Use a telephone" in error.find(f"{STANZAS}text").text
        assert len(carrier.requests) == 1


def test_CORE_27_CORE_28_a_contact_is_spelled_as_it_was_seen(server, romeo):
    with SipPeer() as phone:
        for user, local in (("Nurse%3BAngelica", "nurse;angelica"), ("Nurse;Angelica", "nurse;angelica"), ("LadyCapulet", "ladycapulet")):
            assert phone.ask(message(f"romeo@{XMPP}", f"{user}@capulet.test", f"I am {user}")).status == 202
            stanza = last(romeo, f"I am {user}")
            assert stanza["from"].bare == f"{local}@capulet.test"
            romeo.send(stanza["from"].bare, f"hello {user}")
            request = phone.wait_request(lambda one, user=user: one.body == f"hello {user}")
            assert request.first == f"MESSAGE sip:{user}@capulet.test SIP/2.0"


def test_CORE_40_CORE_44_a_gruu_is_a_resource_both_ways(server, romeo):
    other = XmppClient(f"romeo@{XMPP}/garden", PASSWORD, server.setup.address, server.setup.port)
    try:
        with SipPeer() as phone:
            asked = message(f"romeo@{XMPP};gr=garden", "juliet@capulet.test;gr=b%20cony", "to the garden")
            assert phone.ask(asked).status == 202
            stanza = last(other, "to the garden")
            assert stanza["to"].full == f"romeo@{XMPP}/garden" and stanza["from"].full == "juliet@capulet.test/b cony"
            other.send(stanza["from"].full, "to the balcony")
            request = phone.wait_request(lambda one: one.body == "to the balcony")
            assert request.first == "MESSAGE sip:juliet@capulet.test;gr=b%20cony SIP/2.0"
            other.send("juliet@capulet.test/elsewhere", "to anywhere")
            assert phone.wait_request(lambda one: one.body == "to anywhere").first == "MESSAGE sip:juliet@capulet.test SIP/2.0"
        assert not [stanza for stanza, _ in romeo.messages if stanza["body"] == "to the garden"], "to that resource alone"
    finally:
        other.stop()


def test_CORE_44_a_temporary_gruu_that_is_none_of_ours_is_404(server):
    with SipPeer() as phone:
        assert phone.ask(message(f"tgruu.7hs==@{XMPP};gr", "juliet@capulet.test", "nobody")).status == 404


def test_CORE_33_im_and_pres_addresses_are_read(server, romeo):
    with SipPeer() as phone:
        for scheme in (b"im", b"pres"):
            text = f"by {scheme.decode()}"
            octets = message(f"romeo@{XMPP}", "juliet@capulet.test", text).replace(b"sip:romeo@", scheme + b":romeo@")
            assert phone.ask(octets).status == 202
            assert last(romeo, text)["to"].bare == f"romeo@{XMPP}"
