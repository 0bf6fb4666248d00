"""Orders of messages that once ended the process below."""
import socket
import time

from peer import Stream, connection_messages
from wire import Message, answer, new_id, request, udp_socket


def receive(sock: socket.socket, matches, within: float = 3.0) -> Message | None:
    """The next message that matches; others are passed over. None: none came in time."""
    end = time.monotonic() + within
    while (left := end - time.monotonic()) > 0:
        sock.settimeout(left)
        try:
            message = Message(sock.recv(65536))
        except TimeoutError:
            return None
        if matches(message):
            return message
    return None


def is_request(method: str):
    return lambda message: not message.status and message.method == method


def late_200_to_cancel(victim, follows: bool) -> float:
    """Our INVITE is not answered and given up. What answers our CANCEL comes though none was sent. Returns how long after a 180
    the CANCEL was there."""
    with udp_socket() as sock:
        here = sock.getsockname()
        victim.tell("call", f"sip:x@{here[0]}:{here[1]}", 200)
        invite = receive(sock, is_request("INVITE"))
        assert invite is not None
        assert receive(sock, is_request("CANCEL"), 0.4) is None, "CANCEL before a provisional"
        lie = answer(invite, 200, cseq=f"{invite.cseq} CANCEL")
        for _ in range(3):
            sock.sendto(lie, victim.address)
        victim.check_alive()
        if not follows:
            assert receive(sock, is_request("CANCEL"), 1.0) is None, "CANCEL before a provisional"
            sock.sendto(answer(invite, 486), victim.address)
            assert receive(sock, is_request("ACK")) is not None
            return 0
        sock.sendto(answer(invite, 180), victim.address)
        began = time.monotonic()
        cancel = receive(sock, is_request("CANCEL"))
        assert cancel is not None and cancel.branch == invite.branch
        took = time.monotonic() - began
        sock.sendto(answer(cancel, 200), victim.address)
        sock.sendto(lie, victim.address)
        sock.sendto(answer(invite, 487), victim.address)
        assert receive(sock, is_request("ACK")) is not None
        return took


def test_late_200_to_a_cancel_that_was_never_sent(victim):
    late_200_to_cancel(victim, follows=False)
    victim.check_alive()


def test_cancel_goes_with_the_first_provisional(victim):
    assert min(late_200_to_cancel(victim, follows=True) for _ in range(3)) < 0.1  # a busy machine may take longer once
    victim.check_alive()


def test_prack_followed_by_reset(victim, scale):
    """The final answer waits for the PRACK; when it comes, there is no way any more to send either answer."""
    for _ in range(scale.of(40, 300)):
        stream = Stream(socket.create_connection(victim.address))
        here, identity = stream.connection.getsockname(), new_id()
        uri, sender = f"sip:prack@127.0.0.1:{victim.port}", f"<sip:mallory@example.net>;tag={identity}"
        contact = ("Contact", f"<sip:mallory@{here[0]}:{here[1]};transport=tcp>")
        stream.send(request("INVITE", uri, here, transport="TCP", from_=sender, call_id=identity, headers=[contact, ("Require", "100rel")]))
        ringing = connection_messages(stream, lambda message: message.one("rseq"))
        assert ringing is not None, "no reliable provisional"
        stream.send(request("PRACK", uri, here, transport="TCP", from_=sender, to=ringing.one("to"), call_id=identity, cseq="2 PRACK",
                            headers=[("RAck", f"{ringing.one('rseq')} {ringing.one('cseq')}")]))
        stream.close(reset=True)
    victim.check_alive()


def test_our_prack_answered_by_reset(victim, scale):
    """The other way round: who rang reliably resets the connection when our PRACK comes."""
    for _ in range(scale.of(40, 300)):
        with socket.create_server(("127.0.0.1", 0)) as listener:  # another one each time: an old connection is none to it
            listener.settimeout(5)
            port = listener.getsockname()[1]
            victim.tell("call", f"sip:x@127.0.0.1:{port};transport=tcp", 3000)
            stream = Stream(listener.accept()[0])
            invite = connection_messages(stream, is_request("INVITE"))
            assert invite is not None
            contact = ("Contact", f"<sip:x@127.0.0.1:{port};transport=tcp>")
            stream.send(answer(invite, 183, headers=[contact, ("Require", "100rel"), ("RSeq", "1")]))
            assert connection_messages(stream, is_request("PRACK")) is not None
            stream.close(reset=True)
    victim.check_alive()
