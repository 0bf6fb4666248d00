"""A presence agent in a few lines: any number of contacts over UDP, every SUBSCRIBE answered, every dialog told what changes."""
import collections
import dataclasses
import re
import select
import socket
import struct
import threading
import time

from lane import GATEWAY, PEER
from presence_server import pidf
from sip_peer import Message

TIMESTAMPS = 35  # SO_TIMESTAMPNS: when the kernel took a datagram, however late we look
REPEAT, GIVE_UP, OUTSTANDING = 0.5, 32.0, 100


@dataclasses.dataclass
class Dialog:
    user: str
    watcher: str
    remote: str      # From of the SUBSCRIBE
    local: str       # To, with our tag
    target: str
    expires: int
    cseq: int = 0
    dirty: bool = True
    over: bool = False


@dataclasses.dataclass
class Sent:
    call_id: str
    octets: bytes
    at: float
    first: float


class Notifier:
    """`begun` holds (time, user, watcher) of every SUBSCRIBE outside a dialog, once however often it was repeated."""

    def __init__(self, domain: str, address: str = PEER, port: int = 5060, gateway: str = GATEWAY, gateway_port: int = 5060):
        self.domain, self.address, self.port, self.gateway = domain, address, port, (gateway, gateway_port)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.setsockopt(socket.SOL_SOCKET, TIMESTAMPS, 1)
        self.socket.bind((address, port))
        self.socket.setblocking(False)
        self.lock = threading.Lock()
        self.states: dict[str, str] = {}             # user -> basic; open unless told
        self.silent: set[str] = set()                # users whose SUBSCRIBEs nobody answers
        self.dialogs: dict[str, Dialog] = {}         # by Call-ID
        self.answers: dict[str, bytes] = {}          # by branch, for repetitions
        self.sent: dict[str, Sent] = {}              # by branch, without a final response yet
        self.waiting: collections.deque[str] = collections.deque()  # Call-IDs of dialogs with something to tell
        self.begun: list[tuple[float, str, str]] = []
        self.numbers = 0
        self.closing = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    # for scenarios
    def publish(self, *users: str, basic: str) -> None:
        with self.lock:
            chosen = set(users)
            self.states.update(dict.fromkeys(chosen, basic))
            for call_id, dialog in self.dialogs.items():
                if dialog.user in chosen and not dialog.dirty:
                    dialog.dirty = True
                    self.waiting.append(call_id)

    def told(self) -> bool:
        """Everybody knows the last state of whom they watch, or is gone."""
        with self.lock:
            return not self.sent and not self.waiting

    def live(self) -> collections.Counter:
        """How many dialogs there are of each (watcher, user)."""
        with self.lock:
            return collections.Counter((dialog.watcher, dialog.user) for dialog in self.dialogs.values())

    def fastest(self, since: int, seconds: float = 1.0) -> int:
        """The most that began within such a time."""
        times = sorted(at for at, _, _ in self.begun[since:])
        most, first = 0, 0
        for last, at in enumerate(times):
            while at - times[first] >= seconds:
                first += 1
            most = max(most, last - first + 1)
        return most

    def stop(self) -> None:
        self.closing = True
        self.thread.join(5)
        self.socket.close()

    # its thread
    def run(self) -> None:
        while not self.closing:
            select.select([self.socket], [], [], 0.02)
            with self.lock:
                self.read()
                self.repeat()
                self.tell()

    def read(self) -> None:
        while True:
            try:
                octets, ancillary, _, source = self.socket.recvmsg(65536, 64)
            except BlockingIOError:
                return
            at = next((seconds + nanoseconds / 1e9 for seconds, nanoseconds in (struct.unpack("qq", data) for _, _, data in ancillary)), time.time())
            message = Message(octets)
            if message.status:
                self.answered(message)
            elif message.first.startswith("SUBSCRIBE "):
                self.subscribed(message, source, at)

    def subscribed(self, request: Message, source, at: float) -> None:
        branch = re.search(r"branch=([^;\s]+)", request.headers["via"])[1]
        if branch in self.answers:
            self.socket.sendto(self.answers[branch], source)
            return
        call_id, expires = request.headers["call-id"], int(request.headers["expires"])
        user = re.search(r"sip:([^@]+)@", request.headers["to"])[1]
        watcher = re.search(r"sip:([^@]+)@", request.headers["from"])[1]
        local = request.headers["to"]
        known = self.dialogs.get(call_id)
        if "tag=" not in local:
            self.begun.append((at, user, watcher))
            if user in self.silent:
                return
            local += f";tag=n{len(self.begun)}"
            known = self.dialogs[call_id] = Dialog(user, watcher, request.headers["from"], local, re.search(r"<(.*?)>", request.headers["contact"])[1], expires)
            self.waiting.append(call_id)
        elif known:
            known.expires, known.over = expires, expires == 0
            if not known.dirty:
                known.dirty = True
                self.waiting.append(call_id)
        status = "200 OK" if known else "481 Gone"
        kept = "".join(f"{name.title()}: {request.headers[name]}\r\n" for name in ("via", "from", "call-id", "cseq"))
        self.answers[branch] = (f"SIP/2.0 {status}\r\n{kept}To: {local}\r\nContact: <sip:{user}@{self.address}:{self.port}>\r\n"
                                f"Expires: {expires}\r\nContent-Length: 0\r\n\r\n").encode()
        self.socket.sendto(self.answers[branch], source)

    def answered(self, response: Message) -> None:
        sent = self.sent.pop(re.search(r"branch=([^;\s]+)", response.headers["via"])[1], None)
        dialog = self.dialogs.get(sent.call_id) if sent else None
        if dialog and (dialog.over and not dialog.dirty or response.status >= 300):
            del self.dialogs[sent.call_id]

    def repeat(self) -> None:
        now = time.monotonic()
        for branch, sent in list(self.sent.items()):
            if now - sent.first > GIVE_UP:
                del self.sent[branch]
                self.dialogs.pop(sent.call_id, None)
            elif now - sent.at > REPEAT:
                sent.at = now
                self.socket.sendto(sent.octets, self.gateway)

    def tell(self) -> None:
        busy = {sent.call_id for sent in self.sent.values()}
        for _ in range(len(self.waiting)):
            if len(self.sent) >= OUTSTANDING:
                return
            call_id = self.waiting.popleft()
            if call_id in busy:
                self.waiting.append(call_id)
            elif dialog := self.dialogs.get(call_id):
                self.notify(call_id, dialog)

    def notify(self, call_id: str, dialog: Dialog) -> None:
        self.numbers += 1
        dialog.cseq, dialog.dirty = dialog.cseq + 1, False
        address = f"{dialog.user}@{self.domain}"
        state = "terminated;reason=timeout" if dialog.over else f"active;expires={dialog.expires}"
        body = pidf(f"pres:{address}", ("ID-desk", self.states.get(dialog.user, "open"), ""))
        branch = f"z9hG4bKnotify{self.numbers}x{self.port}"
        octets = (f"NOTIFY {dialog.target} SIP/2.0\r\nVia: SIP/2.0/UDP {self.address}:{self.port};rport;branch={branch}\r\nMax-Forwards: 70\r\n"
                  f"From: {dialog.local}\r\nTo: {dialog.remote}\r\nCall-ID: {call_id}\r\nCSeq: {dialog.cseq} NOTIFY\r\n"
                  f"Contact: <sip:{dialog.user}@{self.address}:{self.port}>\r\nEvent: presence\r\nSubscription-State: {state}\r\n"
                  f"Content-Type: application/pidf+xml\r\nContent-Length: {len(body.encode())}\r\n\r\n{body}").encode()
        now = time.monotonic()
        self.sent[branch] = Sent(call_id, octets, now, now)
        self.socket.sendto(octets, self.gateway)
