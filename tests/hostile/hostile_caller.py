#!/usr/bin/python3
"""Calls as a correct caller would, then goes on by chance: PRACK, ACK, CANCEL, BYE, re-INVITE, UPDATE, NOTIFY, REFER and others with
odd CSeq, RAck, Contact and Replaces, and odd answers to BYE, NOTIFY and whatever else it is asked.

Usage: tests/hostile/hostile_caller.py HOST PORT [--seed 1] [--seconds 40] [--rate 300]
The same seed draws the same dice; what the other side says to it decides the rest.
"""
import argparse
import time

from odd import Odd
from peer import Peer, Stream
from wire import SDP, Message, new_id, request

MOST_DIALOGS = 150


class Dialog:
    def __init__(self, call_id: str, from_: str, uri: str, branch: str, method: str):
        self.call_id, self.from_, self.uri, self.branch, self.method = call_id, from_, uri, branch, method
        self.to, self.cseq, self.rseq = f"<{uri}>", 1, 0
        self.stream: Stream | None = None

    def replaces(self) -> str:
        tag = lambda value: value.partition(";tag=")[2]  # noqa: E731
        return f"{self.call_id};to-tag={tag(self.to)};from-tag={tag(self.from_)}"


class HostileCaller(Peer):
    def __init__(self, seed: int, victim: tuple[str, int]):
        super().__init__(victim)
        self.odd = Odd(seed, self.here, victim)
        self.dice = self.odd.dice
        self.dialogs: dict[str, Dialog] = {}
        self.established = 0

    def run(self, seconds: float, rate: float, most: int | None = None) -> None:
        end, step = time.monotonic() + seconds, 10 / rate
        while time.monotonic() < end and (most is None or self.sent < most):
            for _ in range(10):
                self.act()
            self.serve(step)
        self.waiting.clear()  # from now on it is silent

    def act(self) -> None:
        if len(self.dialogs) < 5 or self.odd.likely(0.12):
            return self.begin()
        dialog = self.dice.choice(list(self.dialogs.values()))
        others = [self.dice.choice(list(self.dialogs.values())).replaces(), dialog.replaces()]
        octets = self.odd.inside(self.uri_of(dialog), dialog.from_, dialog.to if self.odd.likely(0.95) else self.odd.spoil(dialog.to), dialog.call_id,
                                 dialog.cseq, branch=dialog.branch, near=dialog.rseq, others=others)
        if self.odd.likely(0.5):
            dialog.cseq += 1
        self.send(octets, dialog.stream)

    def uri_of(self, dialog: Dialog) -> str:
        return dialog.uri if self.odd.likely(0.97) else self.dice.choice(["sip:x@nowhere.invalid", "tel:+1", "sip:127.0.0.1", "sip:"])

    def begin(self) -> None:
        """What makes a dialog, said as it should be, most of the time."""
        if len(self.dialogs) >= MOST_DIALOGS:
            self.dialogs.pop(self.dice.choice(list(self.dialogs)))
        method = self.dice.choice(["INVITE"] * 6 + ["SUBSCRIBE", "REFER"])
        user = self.dice.choice(["alice", "alice", "alice", "prack", "hold", "ring"])
        uri, identity = f"sip:{user}@{self.victim[0]}:{self.victim[1]}", new_id()
        dialog = Dialog(identity, f"<sip:mallory@example.net>;tag={identity}", uri, "z9hG4bK" + identity, method)
        self.dialogs[dialog.call_id] = dialog
        headers = [*self.odd.contact(0.15), *self.odd.route(0.1)]
        if method == "INVITE":
            headers += self.dice.choice([[], [("Supported", "100rel, timer, replaces")], [("Require", "100rel")],
                                         [("Supported", "100rel"), ("Session-Expires", "90")]])
            if self.odd.likely(0.15):
                headers.append(("Replaces", self.dice.choice(list(self.dialogs.values())).replaces()))
        elif method == "SUBSCRIBE":
            headers += [("Event", self.dice.choice(["presence", "dialog"])), ("Expires", str(self.dice.choice([0, 60, 600])))]
        else:
            headers.append(("Refer-To", self.odd.fill("<sip:hold@{here}>")))
        body = SDP if method == "INVITE" and self.odd.likely(0.6) else ""
        self.send(request(method, uri, self.here, branch=dialog.branch, from_=dialog.from_, call_id=identity, headers=headers, body=body))

    def response(self, message: Message, stream: Stream | None) -> None:
        dialog = self.dialogs.get(message.one("call-id"))
        if not dialog or message.method != "INVITE" and message.method != dialog.method:
            return
        if message.tag("to"):
            dialog.to = message.one("to")
        if message.target:
            dialog.uri = message.target
        if message.method != "INVITE":
            return
        if rseq := message.one("rseq"):
            dialog.rseq = int(rseq)
            if self.odd.likely(0.6):
                dialog.cseq += 1
                self.send(request("PRACK", dialog.uri, self.here, from_=dialog.from_, to=dialog.to, call_id=dialog.call_id, cseq=f"{dialog.cseq} PRACK",
                                  headers=[("RAck", f"{rseq} {message.one('cseq')}")]))
        if message.status >= 200 and self.odd.likely(0.75):
            self.established += message.status < 300
            # To a refusal with the INVITE's branch.   (RFC 3261 §17.1.1.3)
            branch = dialog.branch if message.status >= 300 else ""
            body = SDP if not message.body and self.odd.likely(0.3) else ""
            self.send(request("ACK", dialog.uri, self.here, branch=branch, from_=dialog.from_, to=dialog.to, call_id=dialog.call_id,
                              cseq=f"{message.cseq} ACK", body=body))

    def request(self, message: Message, stream: Stream | None) -> None:
        for after, octets in self.odd.answers(message):
            self.send(octets, stream, after)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--rate", type=float, default=300, help="messages a second")
    options = parser.parse_args()
    with HostileCaller(options.seed, (options.host, options.port)) as caller:
        caller.run(options.seconds, options.rate)
        print(f"seed {options.seed}: {caller.sent} sent, {caller.received} received, {caller.established} calls answered")


if __name__ == "__main__":
    main()
