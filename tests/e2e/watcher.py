"""A SIP watcher in a few lines: its SUBSCRIBE dialogs, and the NOTIFYs that come in them."""
import itertools
import re

from lane import PEER
from processes import wait_for
from sip_peer import Message, SipPeer

NUMBERS = itertools.count(1)
OPEN, CLOSED = "<basic>open</basic>", "<basic>closed</basic>"


def ok(request: Message) -> bytes:
    """200 to a request of a dialog, whose To has its tag already."""
    kept = "".join(f"{name.title()}: {request.headers[name]}\r\n" for name in ("via", "from", "to", "call-id", "cseq"))
    return f"SIP/2.0 200 OK\r\n{kept}Content-Length: 0\r\n\r\n".encode()


class Watch:
    """One subscription of a watcher's, in a dialog of its own."""

    def __init__(self, phone: "Watcher", user: str):
        self.phone, self.user = phone, user
        self.call_id, self.tag = f"watch{next(NUMBERS)}x{id(self):x}", f"w{next(NUMBERS)}"
        self.cseq, self.to, self.target = 0, f"<sip:{user}>", f"sip:{user}"

    def subscribe(self, expires: int, headers: str = "Event: presence\r\nAccept: application/pidf+xml\r\n") -> Message:
        """Begins it, or refreshes it; its final response."""
        self.cseq += 1
        branch = f"z9hG4bK{next(NUMBERS)}x{id(self):x}"
        request = (f"SUBSCRIBE {self.target} SIP/2.0\r\nVia: SIP/2.0/UDP {self.phone.address}:{self.phone.port};rport;branch={branch}\r\n"
                   f"Max-Forwards: 70\r\nFrom: <sip:{self.phone.aor}>;tag={self.tag}\r\nTo: {self.to}\r\nCall-ID: {self.call_id}\r\n"
                   f"CSeq: {self.cseq} SUBSCRIBE\r\nContact: <sip:{self.phone.address}:{self.phone.port}>\r\n{headers}"
                   f"Expires: {expires}\r\nContent-Length: 0\r\n\r\n").encode()
        self.phone.responses[:] = [one for one in self.phone.responses if one.headers.get("call-id") != self.call_id]
        response = self.phone.ask(request, self.phone.gateway_port)
        if response.status == 200:
            self.to = response.headers["to"]
            self.target = re.search(r"<(.*)>", response.headers["contact"])[1]
        return response

    def notifies(self) -> list[Message]:
        return [one for one in list(self.phone.requests) if one.first.startswith("NOTIFY ") and one.headers["call-id"] == self.call_id]

    def wait_notify(self, what: str, matches, after: int = 0) -> Message:
        """The first NOTIFY of it, behind so many, for which matches(request) holds."""
        return wait_for(what, lambda: next((one for one in self.notifies()[after:] if matches(one)), None))

    def wait_state(self, state: str, after: int = 0) -> Message:
        return self.wait_notify(f"a NOTIFY that says {state}", lambda one: one.headers["subscription-state"].startswith(state), after)

    def wait_body(self, *parts: str, after: int = 0) -> Message:
        return self.wait_notify(f"a NOTIFY with {parts}", lambda one: all(part in one.body for part in parts), after)


class Watcher(SipPeer):
    def __init__(self, aor: str, address: str = PEER, port: int = 5070, gateway_port: int = 5060):
        super().__init__(address, port, policy=ok)
        self.aor, self.gateway_port = aor, gateway_port

    def watch(self, user: str) -> Watch:
        return Watch(self, user)
