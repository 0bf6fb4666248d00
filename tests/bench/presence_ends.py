"""What the measurement of presence puts on either side of the gateway: the users' domain as a component, and watchers over UDP."""
import collections
import hashlib
import re
import select
import socket
import threading
import time

STANZA = re.compile(r"<(presence|iq|message)\b((?:[^>\"']|\"[^\"]*\"|'[^']*')*?)(/>|>.*?</\1>)", re.DOTALL)


def attribute(words: str, name: str) -> str:
    found = re.search(rf"\b{name}=[\"']([^\"']*)", words)
    return found[1] if found else ""


class Users:
    """All users of a domain, each there with one resource: whoever probes is told so, whoever asks to watch may."""

    def __init__(self, address: str, port: int, domain: str, secret: str):
        self.domain = domain
        self.lock = threading.Lock()
        self.heard: collections.Counter = collections.Counter()   # kinds of presence that came, since the last mark
        self.told: dict[str, tuple[str, float]] = {}              # contact: the last word about it, and when it came
        self.socket = socket.create_connection((address, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.write(f"<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='{domain}'>")
        header = self.read_until(">", after="id=")
        self.write(f"<handshake>{hashlib.sha1((attribute(header, 'id') + secret).encode()).hexdigest()}</handshake>")
        self.read_until("<handshake/>")
        threading.Thread(target=self.run, daemon=True).start()

    def read_until(self, end: str, after: str = "") -> str:
        text = ""
        while after not in text or end not in text[text.index(after):]:
            octets = self.socket.recv(65536)
            if not octets:
                raise SystemExit(f"the server closed the stream of {self.domain}: {text}")
            text += octets.decode()
        return text

    def write(self, text: str) -> None:
        self.socket.sendall(text.encode())

    def mark(self) -> None:
        with self.lock:
            self.heard.clear()
            self.told.clear()

    def run(self) -> None:
        waiting = b""
        while octets := self.socket.recv(1 << 18):
            waiting += octets
            text = waiting.decode(errors="ignore")
            taken, answers = 0, []
            with self.lock:
                for stanza in STANZA.finditer(text):
                    taken = stanza.end()
                    if stanza[1] == "presence":
                        answers += self.presence(stanza[2])
            waiting = waiting[len(text[:taken].encode()):]
            if answers:
                self.write("".join(answers))

    def presence(self, words: str) -> list[str]:
        kind, sender, user = attribute(words, "type") or "available", attribute(words, "from"), attribute(words, "to").partition("/")[0]
        self.heard[kind] += 1
        here = f"<presence from='{user}/load' to='{sender}'/>"
        if kind == "probe":
            return [here]
        if kind == "subscribe":
            return [f"<presence type='subscribed' from='{user}' to='{sender}'/>", here]
        if kind in ("available", "unavailable"):
            self.told[sender.partition("/")[0]] = kind, time.monotonic()
        return []


class Watchers:
    """Contacts that watch users, each in a dialog of its own."""

    def __init__(self, domain: str, address: str, port: int, gateway: str):
        self.domain, self.address, self.port, self.gateway = domain, address, port, (gateway, 5060)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind((address, port))
        self.lock = threading.Lock()
        self.open: dict[str, tuple[bytes, float]] = {}    # SUBSCRIBEs without a final response, by Call-ID
        self.accepted, self.refused = 0, 0
        self.notifies: collections.Counter = collections.Counter()  # by what Subscription-State begins with
        self.bodies: collections.Counter = collections.Counter()    # NOTIFYs by the note in them
        self.seen: set[str] = set()                       # branches
        threading.Thread(target=self.run, daemon=True).start()

    def subscribe(self, number: int, user: str) -> None:
        call_id = f"watch{number}x{self.port}"
        request = (f"SUBSCRIBE sip:{user} SIP/2.0\r\nVia: SIP/2.0/UDP {self.address}:{self.port};rport;branch=z9hG4bK{call_id}\r\nMax-Forwards: 70\r\n"
                   f"From: <sip:w{number}@{self.domain}>;tag=w{number}\r\nTo: <sip:{user}>\r\nCall-ID: {call_id}\r\nCSeq: 1 SUBSCRIBE\r\n"
                   f"Contact: <sip:w{number}@{self.address}:{self.port}>\r\nEvent: presence\r\nAccept: application/pidf+xml\r\nExpires: 3600\r\n"
                   f"Content-Length: 0\r\n\r\n").encode()
        with self.lock:
            self.open[call_id] = request, time.monotonic()
        self.socket.sendto(request, self.gateway)

    def run(self) -> None:
        looked = 0.0
        while True:
            if select.select([self.socket], [], [], 0.1)[0]:
                octets, source = self.socket.recvfrom(65536)
                with self.lock:
                    self.take(octets.decode(errors="replace"), source)
            now = time.monotonic()
            if now - looked < 0.1:
                continue
            looked = now
            with self.lock:
                for call_id, (request, at) in self.open.items():
                    if now - at > 0.5:
                        self.open[call_id] = request, now
                        self.socket.sendto(request, self.gateway)

    def take(self, text: str, source) -> None:
        head, _, body = text.partition("\r\n\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:])}
        if text.startswith("SIP/2.0 "):
            if int(text[8:11]) >= 200 and self.open.pop(headers["call-id"], None):
                self.accepted += text[8] == "2"
                self.refused += text[8] != "2"
            return
        kept = "".join(f"{name.title()}: {headers[name]}\r\n" for name in ("via", "from", "to", "call-id", "cseq"))
        self.socket.sendto(f"SIP/2.0 200 OK\r\n{kept}Content-Length: 0\r\n\r\n".encode(), source)
        branch = re.search(r"branch=([^;\s]+)", headers["via"])[1]
        if branch in self.seen:
            return
        self.seen.add(branch)
        self.notifies[headers.get("subscription-state", "").partition(";")[0]] += 1
        if note := re.search(r"<note[^>]*>([^<]*)", body):
            self.bodies[note[1]] += 1
