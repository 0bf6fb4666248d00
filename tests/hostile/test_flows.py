"""A call belongs to the connection that it came by: what follows in it goes there, whatever its Contact says.   (RFC 5626, RFC 5923)"""
import pytest

from peer import connect, connection_messages
from wire import SDP, answer, new_id, request


@pytest.mark.parametrize("transport", ["TCP", "TLS"])
def test_requests_in_a_dialog_come_over_its_connection(make_victim, transport):
    with make_victim() as victim:
        stream = connect(victim, transport == "TLS")
        here, identity = stream.connection.getsockname(), new_id()
        uri, sender = f"sip:hold@127.0.0.1:{victim.port}", f"<sip:juliet@capulet.test>;tag={identity}"
        contact = ("Contact", f"<sip:juliet@nowhere.invalid;transport={transport.lower()}>")

        def call(method: str, cseq: int, to: str = "", body: str = "") -> None:
            stream.send(request(method, uri, ("nowhere.invalid", here[1]), transport=transport, from_=sender, to=to, call_id=identity, cseq=f"{cseq} {method}",
                                headers=[contact], body=body))

        def come(method: str):
            message = connection_messages(stream, lambda one: not one.status and one.method == method and one.one("call-id") == identity, 10)
            assert message is not None, f"no {method} over this connection"
            return message

        call("INVITE", 1, body=SDP)
        accepted = connection_messages(stream, lambda one: one.status == 200, 10)
        assert accepted is not None and f"rport={here[1]}" in accepted.one("via") and "received=127.0.0.1" in accepted.one("via")
        call("ACK", 1, accepted.one("to"))
        while not victim.counters()["established"]:  # the ACK is on its way
            pass
        victim.tell("modify")
        again = come("INVITE")
        stream.send(answer(again, 200, headers=[contact], body=SDP))
        assert come("ACK").cseq == again.cseq
        victim.tell("hang_up")
        stream.send(answer(come("BYE"), 200))
        counters = victim.counters()
        assert counters["dialled"] == 0 and counters["dials_refused"] == 0, "it looked for another way"
        stream.close()
