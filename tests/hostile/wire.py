"""SIP text as hostile peers read and write it: nothing is checked, anything can be said."""
import itertools
import socket

SDP = ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n")
COUNT = itertools.count(1)


class Message:
    """What came, taken apart: first line, headers in order, body."""

    def __init__(self, octets: bytes):
        head, _, self.body = octets.partition(b"\r\n\r\n")
        self.first, *lines = head.decode(errors="replace").split("\r\n")
        self.headers = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    def one(self, name: str) -> str:
        return next(iter(self.all(name)), "")

    @property
    def status(self) -> int:
        """0: a request."""
        words = self.first.split()
        return int(words[1]) if self.first.startswith("SIP/2.0 ") and len(words) > 1 and words[1].isdigit() else 0

    @property
    def method(self) -> str:
        """Of the request, or of the one that it answers."""
        return self.one("cseq").rpartition(" ")[2] if self.status else self.first.partition(" ")[0]

    @property
    def uri(self) -> str:
        return self.first.split()[1]

    @property
    def cseq(self) -> int:
        number = self.one("cseq").partition(" ")[0]
        return int(number) if number.isdigit() else 0

    @property
    def branch(self) -> str:
        return parameter(self.one("via"), "branch")

    def tag(self, name: str) -> str:
        return parameter(self.one(name).rpartition(">")[2], "tag")

    @property
    def target(self) -> str:
        """The URI of its Contact."""
        return self.one("contact").partition("<")[2].partition(">")[0]


def parameter(value: str, name: str) -> str:
    for part in value.split(";")[1:]:
        key, _, text = part.partition("=")
        if key.strip().lower() == name:
            return text.strip()
    return ""


def new_id() -> str:
    return f"{next(COUNT):x}h"


def render(first: str, headers: list[tuple[str, str]], body: str = "", length: str | None = None) -> bytes:
    octets = body.encode()
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"{first}\r\n{lines}Content-Length: {length or len(octets)}\r\n\r\n".encode() + octets


def request(method: str, uri: str, source: tuple[str, int], *, transport: str = "UDP", branch: str = "", from_: str = "", to: str = "",
            call_id: str = "", cseq: str = "", headers: list[tuple[str, str]] = (), body: str = "", content_type: str = "application/sdp") -> bytes:
    identity = new_id()
    all_headers = [("Via", f"SIP/2.0/{transport} {source[0]}:{source[1]};rport;branch={branch or 'z9hG4bK' + identity}"), ("Max-Forwards", "70"),
                   ("From", from_ or f"<sip:mallory@example.net>;tag={identity}"), ("To", to or f"<{uri}>"),
                   ("Call-ID", call_id or identity), ("CSeq", cseq or f"1 {method}"), *headers]
    if body:
        all_headers.append(("Content-Type", content_type))
    return render(f"{method} {uri} SIP/2.0", all_headers, body)


def answer(asked: Message, status: int | str, *, to_tag: str = "callee", headers: list[tuple[str, str]] = (), body: str = "", cseq: str = "",
           reason: str = "Because") -> bytes:
    to = asked.one("to")
    if to_tag and ";tag=" not in to and str(status) != "100":
        to += f";tag={to_tag}"
    kept = [("Via", value) for value in asked.all("via")]
    kept += [("From", asked.one("from")), ("To", to), ("Call-ID", asked.one("call-id")), ("CSeq", cseq or asked.one("cseq"))]
    content = [("Content-Type", "application/sdp")] if body else []
    return render(f"SIP/2.0 {status} {reason}", [*kept, *headers, *content], body)


def udp_socket(address: str = "127.0.0.1", port: int = 0) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    made.bind((address, port))
    return made
