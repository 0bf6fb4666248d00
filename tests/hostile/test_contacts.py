"""19 Contacts, 4 kinds of From, an INVITE, an INVITE that ends before its blank line and a SUBSCRIBE: all answered, 400 unless all is good."""
import time

from wire import Message, new_id, request, udp_socket

GOOD = "<sip:mallory@{here}>"
CONTACTS = [GOOD, "\"M\" <sip:{here};transport=tcp>", None, "*", "<tel:+15551234>", "<urn:service:sos>", "<http://example.net/>", "<foo:bar>",
            "<im:m@example.net>", "<mailto:m@example.net>", "", "<sip:>", "<sip:@>", "<sip:m@{here}0000>",
            "<sip:m@[::1>", "<sip:m@127.0.0.1:0>", "<sip:m@{here}?Subject=x>",
            "<sip:m@ho st>", GOOD + ", " + GOOD]
GOOD_CONTACTS = CONTACTS[:2]
FROMS = {"<sip:mallory@example.net>": True, "<tel:+15551234>": True, "<urn:x:y>": False, "<foo:bar>": False}


def cases(here: tuple[str, int], victim: str):
    """(octets, Call-ID, whether all is good)"""
    for contact in CONTACTS:
        for sender, nameable in FROMS.items():
            for kind in ("INVITE", "INVITE without blank line", "SUBSCRIBE"):
                method, identity = kind.split()[0], new_id()
                headers = [("Event", "presence"), ("Expires", "0")] if method == "SUBSCRIBE" else []
                if contact is not None:
                    headers.append(("Contact", contact.replace("{here}", f"{here[0]}:{here[1]}")))
                octets = request(method, f"sip:ring@{victim}", here, from_=f"{sender};tag={identity}", call_id=identity, headers=headers)
                whole = "without" not in kind
                yield octets if whole else octets[:-2], identity, whole and nameable and contact in GOOD_CONTACTS, f"{kind}, From {sender}, Contact {contact}"


def first_answer(sock, identity: str) -> Message | None:
    end = time.monotonic() + 3
    while (left := end - time.monotonic()) > 0:
        sock.settimeout(left)
        try:
            message = Message(sock.recv(65536))
        except TimeoutError:
            return None
        if message.status > 100 and message.one("call-id") == identity:
            return message
    return None


def test_contacts(victim):
    count = 0
    with udp_socket() as sock:
        for octets, identity, good, what in cases(sock.getsockname(), f"127.0.0.1:{victim.port}"):
            count += 1
            sock.sendto(octets, victim.address)
            answer = first_answer(sock, identity)
            assert answer is not None, f"no answer to {what}"
            assert (answer.status != 400) == good, f"{answer.status} to {what}"
            if answer.status >= 300 and "INVITE" in what:
                sock.sendto(ack(octets, answer), victim.address)
    assert count == 19 * 4 * 3
    victim.check_alive()


def ack(invite: bytes, answer: Message) -> bytes:
    head = Message(invite if invite.endswith(b"\r\n\r\n") else invite + b"\r\n")
    return request("ACK", head.uri, ("127.0.0.1", 9), branch=head.branch, from_=head.one("from"), to=answer.one("to"), call_id=head.one("call-id"),
                   cseq="1 ACK")
