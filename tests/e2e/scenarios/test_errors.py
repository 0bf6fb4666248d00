"""What cannot be delivered is told to its author, on the right message, either way."""
import pytest

from conftest import person
from sip_peer import SipPeer, answer, message

pytestmark = pytest.mark.gate(60)
STANZAS = "{urn:ietf:params:xml:ns:xmpp-stanzas}"


@pytest.mark.parametrize("status, condition, kind", [(404, "item-not-found", "cancel"), (486, "recipient-unavailable", "wait"),
                                                     (415, "not-acceptable", "modify"), (503, "internal-server-error", "cancel"),
                                                     (603, "recipient-unavailable", "wait")])
def test_IM_14_a_sip_failure_becomes_a_stanza_error(server, romeo, status, condition, kind):
    with SipPeer(policy=lambda request: answer(request, status, "Not tonight")) as phone:
        romeo.send("juliet@capulet.test", "hello", ident=f"error-{status}")
        stanza = romeo.wait_error(f"error-{status}")
        assert len(phone.requests) == 1
    error = stanza.xml.find("{jabber:client}error")
    assert stanza["from"].bare == "juliet@capulet.test"
    assert error.get("type") == kind and error.find(STANZAS + condition) is not None
    assert error.find(STANZAS + "text").text == "Not tonight"
    assert error.find("{urn:stox:sip:0}sip-code").text == str(status)


def test_IM_35_an_unknown_xmpp_user_is_temporarily_unavailable(server):
    with SipPeer(port=5071) as phone:
        response = phone.ask(message("nobody-at-all@montague.test", port=5071))
    assert response.status == 480, response.text


def test_IM_35_what_the_server_stores_is_accepted_and_comes_with_the_next_login(server):
    with SipPeer(port=5071) as phone:
        assert phone.ask(message("benvolio@montague.test", body="read it later", port=5071)).status == 202
    benvolio = person(server, "benvolio")
    try:
        stanza, _ = benvolio.wait_body("read it later")
        assert stanza["from"].bare == "juliet@capulet.test"
    finally:
        benvolio.stop()


def test_CORE_08_a_host_that_is_not_ours_is_not_routed(server):
    with SipPeer(port=5071) as phone:
        assert phone.ask(message("romeo@elsewhere.test", port=5071)).status == 404


def test_IM_31_content_that_xmpp_cannot_carry(server):
    with SipPeer(port=5071) as phone:
        picture = phone.ask(message(body=b"\x89PNG", content_type="image/png", port=5071))
        assert picture.status == 415 and "text/plain" in picture.headers["accept"]
        assert phone.ask(message(body="x" * 10_001, port=5071)).status == 413


def test_nobody_there_is_told_in_the_end(server, romeo):
    """No peer listens: the transport says so, or the transaction times out after 32 s; its author hears either way."""
    romeo.send("juliet@capulet.test", "anybody?", ident="silent")
    error = romeo.wait_error("silent").xml.find("{jabber:client}error")
    assert any(error.find(STANZAS + condition) is not None for condition in ("remote-server-timeout", "internal-server-error"))
