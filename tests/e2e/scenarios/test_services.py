"""Discovery, ping, version: answered by the gateway itself."""
import pytest

pytestmark = pytest.mark.gate(30)
DISCO = "{http://jabber.org/protocol/disco#info}"


def test_CORE_12_the_gateway_answers_for_itself(server, romeo):
    info = romeo.iq("capulet.test", "get", "<query xmlns='http://jabber.org/protocol/disco#info'/>").xml
    identity = info.find(f"{DISCO}query/{DISCO}identity")
    assert identity.get("category") == "gateway"
    assert romeo.iq("capulet.test", "get", "<ping xmlns='urn:xmpp:ping'/>")["type"] == "result"
    version = romeo.iq("capulet.test", "get", "<query xmlns='jabber:iq:version'/>").xml
    assert version.find("{jabber:iq:version}query/{jabber:iq:version}name").text == "stox"
    assert romeo.iq("capulet.test", "get", "<query xmlns='urn:unheard-of'/>")["error"]["condition"] == "service-unavailable"


def test_CORE_13_a_contact_answers_every_iq(server, romeo):
    info = romeo.iq("juliet@capulet.test", "get", "<query xmlns='http://jabber.org/protocol/disco#info'/>")
    assert info["type"] == "result"
    assert romeo.iq("juliet@capulet.test", "set", "<x xmlns='urn:unheard-of'/>")["error"]["condition"] == "service-unavailable"
