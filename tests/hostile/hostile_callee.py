"""Is called by the softphone and answers by chance: odd statuses, another method in CSeq, forks, repeated 2xx, RSeq 0, huge and out of order,
broken challenges, odd Contact and Record-Route, late answers, requests of its own inside what may be a dialog; over TCP it also closes.
With `mutates` octets of its answers are changed as well.
"""
import time

from mutations import mutated
from odd import Odd
from peer import Peer, Stream
from victim import Victim
from wire import Message

MOST_KEPT = 200


class HostileCallee(Peer):
    def __init__(self, seed: int, victim: Victim, mutates: bool = False):
        super().__init__(victim.address)
        self.phone = victim
        self.odd = Odd(seed, self.here, victim.address)
        self.dice = self.odd.dice
        self.kept: list[tuple[Message, Stream | None]] = []  # requests of ours that make dialogs
        self.mutates = mutates
        self.asked = self.answered = self.changed = 0

    def run(self, seconds: float, rate: float, most: int | None = None) -> None:
        """rate: of what the softphone is told to begin, a second."""
        end, step = time.monotonic() + seconds, 4 / rate
        while time.monotonic() < end and (most is None or self.asked < most):
            for _ in range(4):
                self.begin()
                self.interfere()
            self.serve(step)
        self.waiting.clear()
        for stream in list(self.streams):
            self.end(stream, reset=self.odd.likely(0.5))

    def begin(self) -> None:
        verb = self.dice.choice(["call"] * 7 + ["subscribe", "subscribe", "refer", "message", "options"])
        transport = ";transport=tcp" if self.odd.likely(0.2) else ""
        given_up = [self.dice.choice([0, 20, 200, 1000])] if verb == "call" and self.odd.likely(0.4) else []
        self.phone.tell(verb, f"sip:x@{self.here[0]}:{self.here[1]}{transport}", *given_up)

    def interfere(self) -> None:
        """Something inside a dialog, or a late answer to what was answered long ago."""
        if not self.kept or not self.odd.likely(0.5):
            return
        asked, stream = self.dice.choice(self.kept)
        stream = stream if stream in self.streams else None
        if self.odd.likely(0.4):
            return self.send(self.changed_or_not(self.odd.response(asked)), stream)
        tag = self.odd.tag() or "callee"
        target = asked.target or f"sip:{self.victim[0]}:{self.victim[1]}"
        self.send(self.odd.inside(target, f"{asked.one('to')};tag={tag}", asked.one("from"), asked.one("call-id"), self.dice.randrange(5),
                                  transport="TCP" if stream else "UDP"), stream)

    def request(self, message: Message, stream: Stream | None) -> None:
        self.asked += 1
        if message.method in ("INVITE", "SUBSCRIBE", "REFER"):
            self.kept.append((message, stream))
            if len(self.kept) > MOST_KEPT:
                self.kept.pop(self.dice.randrange(MOST_KEPT))
        for after, octets in self.odd.answers(message):
            self.send(self.changed_or_not(octets), stream if stream in self.streams or not stream else None, after)
        if stream and self.odd.likely(0.03):
            self.end(stream, reset=self.odd.likely(0.5))

    def changed_or_not(self, answer: bytes) -> bytes:
        self.answered += 1
        if not self.mutates:
            return answer
        changed = mutated(self.dice, answer)
        self.changed += changed != answer
        return changed
