"""A SIP peer in a few lines, for answers and requests that no phone can be told to make."""
import itertools
import socket
import threading
import time

from lane import GATEWAY, PEER
from processes import wait_for

NUMBERS = itertools.count(1)


class Message:
    """A request or response taken apart: first line, headers (lower-case names, first value), body."""

    def __init__(self, octets: bytes):
        head, _, self.octets = octets.partition(b"\r\n\r\n")
        self.first, *lines = head.decode(errors="replace").split("\r\n")
        self.headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            self.headers.setdefault(name.strip().lower(), value.strip())
        self.text = octets.decode(errors="replace")

    @property
    def status(self) -> int:
        return int(self.first.split()[1]) if self.first.startswith("SIP/2.0 ") else 0

    @property
    def body(self) -> str:
        return self.octets.decode()


def message(user: str = "romeo@montague.test", sender: str = "juliet@capulet.test", body: str | bytes = "hi", *, method: str = "MESSAGE",
            headers: str = "", content_type: str = "text/plain;charset=utf-8", source: str = PEER, port: int = 5060) -> bytes:
    number = f"{next(NUMBERS)}x{time.monotonic_ns():x}"
    octets = body.encode() if isinstance(body, str) else body
    content = f"Content-Type: {content_type}\r\n" if octets else ""
    return (f"{method} sip:{user} SIP/2.0\r\nVia: SIP/2.0/UDP {source}:{port};rport;branch=z9hG4bK{number}\r\nMax-Forwards: 70\r\n"
            f"From: <sip:{sender}>;tag=t{number}\r\nTo: <sip:{user}>\r\nCall-ID: {number}\r\nCSeq: 1 {method}\r\n{headers}{content}"
            f"Content-Length: {len(octets)}\r\n\r\n").encode() + octets


def answer(request: Message, status: int, reason: str = "Because", headers: str = "") -> bytes:
    kept = "".join(f"{name.title()}: {request.headers[name]}\r\n" for name in ("via", "from", "call-id", "cseq"))
    return f"SIP/2.0 {status} {reason}\r\n{kept}To: {request.headers['to']};tag=peer\r\n{headers}Content-Length: 0\r\n\r\n".encode()


class SipPeer:
    """A UDP socket. Requests that come are answered by `policy(request) -> octets or None` and kept in `requests`."""

    def __init__(self, address: str = PEER, port: int = 5060, policy=lambda request: answer(request, 200, "OK"), gateway: str = GATEWAY):
        self.family, self.gateway = socket.AF_INET6 if ":" in address else socket.AF_INET, gateway
        self.socket = socket.socket(self.family, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((address, port))
        self.address, self.port = self.socket.getsockname()[:2]
        self.policy = policy
        self.closing = False
        self.requests: list[Message] = []
        self.responses: list[Message] = []
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.closing = True
        with socket.socket(self.family, socket.SOCK_DGRAM) as waker:  # a closed socket does not wake its reader
            waker.sendto(b"", (self.address, self.port))
        self.thread.join(5)
        self.socket.close()

    def read(self) -> None:
        while True:
            try:
                octets, source = self.socket.recvfrom(65536)
            except OSError:
                return
            if self.closing:
                return
            received = Message(octets)
            if received.status:
                self.responses.append(received)
                continue
            known = any(earlier.headers.get("via") == received.headers.get("via") for earlier in self.requests)
            if not known:
                self.requests.append(received)
            if reply := self.policy(received):
                self.socket.sendto(reply, source)

    def send(self, octets: bytes, gateway_port: int = 5060) -> None:
        self.socket.sendto(octets, (self.gateway, gateway_port))

    def ask(self, octets: bytes, gateway_port: int = 5060) -> Message:
        """Sends a request, again every 0.5 s as Timer E has it, and waits for its final response."""
        call_id, sent = Message(octets).headers["call-id"], 0.0

        def response():
            nonlocal sent
            if time.monotonic() - sent > 0.5:
                sent = time.monotonic()
                self.send(octets, gateway_port)
            return next((one for one in list(self.responses) if one.headers.get("call-id") == call_id and one.status >= 200), None)
        return wait_for("a final response from the gateway", response)

    def wait_request(self, matches=lambda request: True) -> Message:
        return wait_for("a request from the gateway", lambda: next((request for request in list(self.requests) if matches(request)), None))
