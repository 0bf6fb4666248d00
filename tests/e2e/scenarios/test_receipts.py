"""Receipts and markers against delivery notifications, with clients that send them and one that never does."""
import re

import pytest
from baresip import Baresip
from conftest import COMPONENT, DOMAIN, PASSWORD
from lane import GATEWAY, PEER
from processes import wait_for
from sip_peer import SipPeer, message
from xmpp_client import XmppClient

pytestmark = pytest.mark.gate(60)
RECEIPTS, MARKERS, CARBONS = "urn:xmpp:receipts", "urn:xmpp:chat-markers:0", "urn:xmpp:carbons:2"
# Contacts of their own: what a contact's phone takes and refuses is remembered, and other scenarios write to juliet.
ROSALINE, NURSE = f"rosaline@{COMPONENT}", f"nurse@{COMPONENT}"


def send(client: XmppClient, to: str, *elements: str, body: str = "", ident: str | None = None, kind: str = "chat") -> None:
    client.send(to, body, kind, ident, list(elements))


def has(stanza, name: str, namespace: str, ident: str | None = None) -> bool:
    found = stanza.xml.find(f"{{{namespace}}}{name}")
    return found is not None and (ident is None or found.get("id") == ident)


def bodies(client: XmppClient) -> list[str]:
    return [body.text or "" for stanza, _ in list(client.messages) for body in stanza.xml.iter("{jabber:client}body")]


def message_id(request) -> str:
    return re.search(r"^imdn\.Message-ID: (\S+)\r$", request.body, re.MULTILINE)[1]


def wrapped(text: str, ident: str, asks: str, user: str = "romeo") -> bytes:
    body = (f"From: <sip:{ROSALINE}>\r\nTo: <sip:{user}@{DOMAIN}>\r\nDateTime: 2026-01-01T00:00:00Z\r\nNS: imdn <urn:ietf:params:imdn>\r\n"
            f"imdn.Message-ID: {ident}\r\nimdn.Disposition-Notification: {asks}\r\n\r\nContent-Type: text/plain;charset=utf-8\r\n\r\n{text}")
    return message(f"{user}@{DOMAIN}", ROSALINE, body, content_type="message/cpim")


def notification(ident: str, kind: str, status: str) -> bytes:
    body = (f"From: <sip:{ROSALINE}>\r\nTo: <sip:romeo@{DOMAIN}>\r\nNS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: n{ident}\r\n\r\n"
            f"Content-Type: message/imdn+xml\r\nContent-Disposition: notification\r\n\r\n<imdn xmlns='urn:ietf:params:xml:ns:imdn'><message-id>{ident}"
            f"</message-id><datetime>2026-01-01T00:00:00Z</datetime><{kind}-notification><status><{status}/></status></{kind}-notification></imdn>")
    return message(sender=ROSALINE, body=body, content_type="message/cpim")


def test_IM_40_IM_41_IM_43_a_phone_tells_what_became_of_a_message(server, romeo):
    with SipPeer() as phone:
        send(romeo, ROSALINE, f"<request xmlns='{RECEIPTS}'/>", f"<markable xmlns='{MARKERS}'/>", body="tell me", ident="told-1")
        request = phone.wait_request(lambda one: "tell me" in one.body)
        assert request.headers["content-type"] == "message/cpim"
        assert "imdn.Disposition-Notification: positive-delivery, negative-delivery, display\r\n" in request.body
        assert "told-1" not in request.text
        assert phone.ask(notification(message_id(request), "delivery", "delivered")).status == 202
        receipt, _ = romeo.wait_message("a receipt", lambda one: has(one, "received", RECEIPTS, "told-1"))
        assert receipt["from"].bare == ROSALINE and receipt["type"] == "chat" and not receipt["body"]
        assert phone.ask(notification(message_id(request), "display", "displayed")).status == 202
        romeo.wait_message("a marker", lambda one: has(one, "displayed", MARKERS, "told-1"))


def test_IM_42_a_failure_is_an_error_on_the_right_message(server, romeo):
    with SipPeer() as phone:
        for ident in ("fails-1", "fails-2"):
            send(romeo, ROSALINE, f"<request xmlns='{RECEIPTS}'/>", body=ident, ident=ident)
        second = phone.wait_request(lambda one: "fails-2" in one.body)
        assert phone.ask(notification(message_id(second), "delivery", "failed")).status == 202
        assert romeo.wait_error("fails-2")["from"].bare == ROSALINE
        assert not [one for one, _ in romeo.messages if one["type"] == "error" and one["id"] == "fails-1"]


def test_IM_44_IM_55_a_client_tells_what_became_of_a_message(server, romeo):
    with SipPeer() as phone:
        assert phone.ask(wrapped("did you see this", "seen-1", "positive-delivery, display")).status == 202
        stanza, _ = romeo.wait_body("did you see this")
        assert has(stanza, "request", RECEIPTS) and has(stanza, "markable", MARKERS)
        send(romeo, ROSALINE, f"<received xmlns='{RECEIPTS}' id='{stanza['id']}'/>")
        delivered = phone.wait_request(lambda one: "<delivered/>" in one.body)
        assert delivered.first.startswith(f"MESSAGE sip:{ROSALINE} ") and "<message-id>seen-1</message-id>" in delivered.body
        assert "Content-Disposition: notification\r\n" in delivered.body and "Disposition-Notification" not in delivered.body
        assert not [one for one in phone.requests if "<displayed/>" in one.body]
        send(romeo, ROSALINE, f"<displayed xmlns='{MARKERS}' id='{stanza['id']}'/>")
        phone.wait_request(lambda one: "<displayed/>" in one.body and "<message-id>seen-1</message-id>" in one.body)


def test_IM_46_a_client_that_sends_none_is_not_spoken_for(server, mercutio):
    """What it writes after the message would have come after a notification."""
    with SipPeer() as phone:
        assert phone.ask(wrapped("anybody", "silent-1", "positive-delivery, negative-delivery, display", "mercutio")).status == 202
        mercutio.wait_body("anybody")
        mercutio.send(ROSALINE, "a word at last")
        phone.wait_request(lambda one: "a word at last" in one.body)
        assert not [one for one in phone.requests if "imdn+xml" in one.body]


def test_IM_47_an_error_after_the_answer_is_reported(server, romeo):
    with SipPeer() as phone:
        assert phone.ask(wrapped("bounce this", "late-1", "negative-delivery")).status == 202
        stanza, _ = romeo.wait_body("bounce this")
        send(romeo, ROSALINE, "<error xmlns='jabber:client' type='cancel'><service-unavailable "
             "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>", ident=stanza["id"], kind="error")
        phone.wait_request(lambda one: "<failed/>" in one.body and "<message-id>late-1</message-id>" in one.body)


def test_IM_15_baresip_refuses_cpim_and_gets_plain_text(server, romeo, workspace):
    phone = Baresip(workspace / "baresip-receipts", NURSE, PEER, f"{GATEWAY}:5060;transport=udp", f"romeo@{DOMAIN}")
    try:
        for number, text in enumerate(("in plain words", "again")):
            send(romeo, NURSE, f"<request xmlns='{RECEIPTS}'/>", body=text, ident=f"plain-{number}")
            assert phone.wait_message(text)[0] == f"sip:romeo@{DOMAIN}"
            # baresip answers 200 itself, which is all the receipt that there will be.
            romeo.wait_message("a receipt", lambda one, ident=f"plain-{number}": has(one, "received", RECEIPTS, ident))
    finally:
        phone.stop()


def test_IM_10_an_oversize_message_is_refused_on_its_id(server, romeo):
    with SipPeer() as phone:
        romeo.send(ROSALINE, "x" * 1_500, ident="oversize")
        error = romeo.wait_error("oversize").xml.find("{jabber:client}error")
        assert error.get("type") == "modify" and error.find("{urn:ietf:params:xml:ns:xmpp-stanzas}policy-violation") is not None
        assert not phone.requests


@pytest.fixture
def phone_of_romeo(server):
    """A second device of romeo's, with carbons on both."""
    second = XmppClient(f"romeo@{DOMAIN}/orchard", PASSWORD, server.setup.address, server.setup.port)
    second.iq(f"romeo@{DOMAIN}", "set", f"<enable xmlns='{CARBONS}'/>")
    yield second
    second.stop()


def test_IM_18_carbons_reach_the_second_device_and_sip_once(server, romeo, phone_of_romeo):
    romeo.iq(f"romeo@{DOMAIN}", "set", f"<enable xmlns='{CARBONS}'/>")
    try:
        with SipPeer() as phone:
            romeo.send(ROSALINE, "seen on both")
            phone_of_romeo.wait_message("a carbon of what was sent", lambda one: has(one, "sent", CARBONS))
            assert phone.ask(message(sender=ROSALINE, body="for both devices")).status == 202
            for device in (romeo, phone_of_romeo):
                wait_for("the message or its carbon", lambda device=device: "for both devices" in bodies(device))
            romeo.send(ROSALINE, "the fence")
            phone.wait_request(lambda one: "the fence" in one.body)
            assert len(phone.requests) == 2 and "seen on both" in phone.requests[0].body
    finally:
        romeo.iq(f"romeo@{DOMAIN}", "set", f"<disable xmlns='{CARBONS}'/>")


def test_IM_28_composing_is_seen_both_ways(server, romeo):
    status = "<?xml version='1.0'?><isComposing xmlns='urn:ietf:params:xml:ns:im-iscomposing'><state>{}</state></isComposing>"
    states = "http://jabber.org/protocol/chatstates"
    with SipPeer() as phone:
        assert phone.ask(message(sender=ROSALINE, body=status.format("active"), content_type="application/im-iscomposing+xml")).status == 202
        romeo.wait_message("composing", lambda one: has(one, "composing", states))
        send(romeo, ROSALINE, f"<composing xmlns='{states}'/>")
        phone.wait_request(lambda one: "<state>active</state>" in one.body)
        assert phone.ask(message(sender=ROSALINE, body=status.format("idle"), content_type="application/im-iscomposing+xml")).status == 202
        romeo.wait_message("paused", lambda one: has(one, "paused", states))
