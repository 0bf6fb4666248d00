"""The SIP side of the ledger: a UDP peer that sends MESSAGEs, one at a time for each pair of people, answers those that come, and
writes everything down."""
import dataclasses
import heapq
import itertools
import random
import re
import socket
import threading
import time
from collections import defaultdict, deque

from entries import FromSip, ToSip, number_of

T1, T2, TIMER_F = 0.5, 4.0, 32.0  # RFC 3261 §17.1.2
PEER_NAME = "capulet.test"


@dataclasses.dataclass
class Transaction:
    """A MESSAGE of ours that has no final response yet."""
    entry: FromSip
    octets: bytes
    wait: float = T1


class SipEnd:
    """sent: entries of ours in the order of leaving; received: one entry for each request that came, copies of one transaction left out."""

    def __init__(self, address: str, port: int, gateway: str, seed: int):
        self.port, self.gateway = port, (gateway, port)
        self.random = random.Random(seed)
        self.sent: list[FromSip] = []
        self.received: list[ToSip] = []
        self.lock = threading.Lock()
        self.queues: dict[tuple, deque] = defaultdict(deque)  # of a pair: what waits for the one on its way
        self.open: dict[str, Transaction] = {}                # by Call-ID
        self.answers: dict[str, bytes] = {}                   # by branch: a copy gets the same
        self.timers: list = []
        self.order = itertools.count()
        self.closing = False
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind((address, port))
        self.address = address
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.closing = True
        self.thread.join(5)
        self.socket.close()

    def send(self, number: int, sender: str, to: str) -> None:
        """As soon as nothing else of that pair is on its way."""
        with self.lock:
            queue = self.queues[sender, to]
            queue.append((number, sender, to))
            if len(queue) == 1:
                self.begin(*queue[0])

    def unfinished(self) -> int:
        with self.lock:
            return sum(map(len, self.queues.values()))

    # On its way. All with the lock held.

    def begin(self, number: int, sender: str, to: str) -> None:
        call_id = f"ledger{number}-{self.random.getrandbits(64):x}"
        body = f"s2x {number}"
        octets = (f"MESSAGE sip:{to} SIP/2.0\r\nVia: SIP/2.0/UDP {self.address}:{self.port};rport;branch=z9hG4bK{call_id}\r\nMax-Forwards: 70\r\n"
                  f"From: <sip:{sender}@{PEER_NAME}>;tag=t{number}\r\nTo: <sip:{to}>\r\nCall-ID: {call_id}\r\nCSeq: 1 MESSAGE\r\n"
                  f"Content-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n{body}").encode()
        entry = FromSip(number, (sender, to), time.monotonic())
        self.sent.append(entry)
        transaction = self.open[call_id] = Transaction(entry, octets)
        self.transmit(octets)
        self.later(T1, self.again, call_id, transaction)

    def again(self, call_id: str, transaction: Transaction) -> None:
        if self.open.get(call_id) is not transaction:
            return
        if time.monotonic() - transaction.entry.sent >= TIMER_F:
            return self.over(call_id, 0)
        self.transmit(transaction.octets)
        transaction.wait = min(2 * transaction.wait, T2)
        self.later(transaction.wait, self.again, call_id, transaction)

    def over(self, call_id: str, status: int) -> None:
        transaction = self.open.pop(call_id, None)
        if transaction is None:
            return
        entry = transaction.entry
        entry.status, entry.answered = status, time.monotonic()
        queue = self.queues[entry.pair]
        queue.popleft()
        if queue:
            self.begin(*queue[0])

    def transmit(self, octets: bytes) -> None:
        try:
            self.socket.sendto(octets, self.gateway)
        except OSError:  # nobody listens: the next copy may find somebody
            pass

    def later(self, seconds: float, action, *arguments) -> None:
        heapq.heappush(self.timers, (time.monotonic() + seconds, next(self.order), action, arguments))

    # The thread.

    def run(self) -> None:
        self.socket.settimeout(0.005)
        while not self.closing:
            try:
                octets, source = self.socket.recvfrom(65536)
            except OSError:
                octets = b""
            with self.lock:
                if octets:
                    self.take(octets.decode(errors="replace"), source)
                while self.timers and self.timers[0][0] <= time.monotonic():
                    _, _, action, arguments = heapq.heappop(self.timers)
                    action(*arguments)

    def take(self, text: str, source) -> None:
        field = lambda name: re.search(rf"^{name}:[ \t]*(.*?)\r$", text, re.MULTILINE | re.IGNORECASE)[1]  # noqa: E731
        if text.startswith("SIP/2.0 "):
            status = int(text.split()[1])
            if status >= 200:
                self.over(field("Call-ID"), status)
            return
        branch = re.search(r"branch=([^;,\s]+)", field("Via"))[1]
        if branch in self.answers:
            if self.answers[branch]:
                self.socket.sendto(self.answers[branch], source)
            return
        status, reason = 200, "OK"
        head, _, body = text.partition("\r\n\r\n")
        if text.startswith("MESSAGE "):
            number = number_of("x2s", body)
            # Some are refused, so that there are errors to be owed; always the same, however often they come.
            status, reason = (480, "Temporarily Unavailable") if number % 25 == 7 else (200, "OK")
            user = lambda value: re.search(r"sips?:([^>;]*)", value)[1]  # noqa: E731
            self.received.append(ToSip(number, (user(field("From")), user(field("To"))), time.monotonic(), field("Call-ID"),
                                       int(field("CSeq").split()[0]), status))
        kept = "".join(f"{line}\r\n" for line in head.split("\r\n")[1:] if re.match(r"(Via|From|Call-ID|CSeq):", line, re.IGNORECASE))
        self.answers[branch] = b""
        answer = f"SIP/2.0 {status} {reason}\r\n{kept}To: {field('To')};tag=peer\r\nContent-Length: 0\r\n\r\n".encode()
        # Not at once, so that a kill finds some of them unanswered.
        self.later(self.random.uniform(0, 0.2), self.respond, branch, answer, source)

    def respond(self, branch: str, answer: bytes, source) -> None:
        self.answers[branch] = answer
        try:
            self.socket.sendto(answer, source)
        except OSError:
            pass
