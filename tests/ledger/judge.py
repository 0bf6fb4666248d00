"""Judges a ledger by contract 1: what was accepted and did not arrive, what came twice, what came out of order.

Two things may be missing, and are counted apart. Towards XMPP: what the server had taken (a barrier covered it, so it was erased)
and lost when it was killed. Towards SIP: what the server had not handed to us, or had written to a socket that the killed worker
never read; neither was accepted. Both only near a kill.
"""
from collections import Counter, defaultdict

from entries import FromSip, FromXmpp, Kill, Ledger

# How long before its end a server may have held what it had taken, and a socket what the worker had not read.
SERVER_HELD_S, UNREAD_S = 10.0, 3.0
AFTER_BACK_S = 2.0


class Verdict:
    """counts: what is printed; faults: a line each, none in a good run."""

    def __init__(self):
        self.counts: dict[str, int] = {}
        self.faults: list[str] = []

    def fault(self, text: str) -> None:
        self.faults.append(text)

    def table(self) -> str:
        width = max(map(len, self.counts), default=0)
        return "\n".join(f"  {name:<{width}} {count:>7}" for name, count in self.counts.items())


def judge(ledger: Ledger) -> Verdict:
    verdict = Verdict()
    towards_xmpp(ledger, verdict)
    towards_sip(ledger, verdict)
    verdict.counts["kills of the worker"] = sum(kill.victim == "worker" for kill in ledger.kills)
    verdict.counts["kills of the server"] = sum(kill.victim == "server" for kill in ledger.kills)
    return verdict


# SIP to XMPP


def towards_xmpp(ledger: Ledger, verdict: Verdict) -> None:
    arrived = defaultdict(list)
    for entry in ledger.to_xmpp:
        arrived[entry.number].append(entry)
    counts = Counter()
    for message in ledger.from_sip:
        copies = arrived[message.number]
        counts["sent"] += 1
        counts["accepted" if message.accepted else "unanswered" if not message.status else "refused"] += 1
        if copies:
            counts["arrived"] += 1
            counts["kept by the server for a login"] += copies[0].when > ledger.last_login
            counts["copies"] += len(copies) - 1
            if message.status and not message.accepted:
                counts["arrived though refused"] += 1
                verdict.fault(f"SIP to XMPP {message.number}: answered {message.status}, and arrived all the same")
        elif message.accepted and lost_by_server(ledger.kills, message):
            counts["lost by the killed server"] += 1
        elif message.accepted:
            counts["missing"] += 1
            verdict.fault(f"SIP to XMPP {message.number}: accepted with {message.status}, did not arrive{whereabouts(ledger, message)}")
        if len({copy.stanza_id for copy in copies}) > 1:
            if kills_before_answer(ledger.kills, message) >= 2:
                counts["copies under another id"] += 1
            else:
                verdict.fault(f"SIP to XMPP {message.number}: copies with different ids{whereabouts(ledger, message)}")
        if len(copies) > 1 and not any(message.number in kill.inbox or not kill.seen for kill in ledger.kills):
            times = ", ".join(f"{copy.when - message.answered:+.2f} s" for copy in copies)
            verdict.fault(f"SIP to XMPP {message.number}: came {len(copies)} times ({times}), and was in the store at no kill{whereabouts(ledger, message)}")
    check_order("SIP to XMPP", [(message.pair, message.number) for message in ledger.from_sip if message.accepted],
                {number: copies[0].when for number, copies in arrived.items() if copies and copies[0].when < ledger.last_login}, verdict)
    note(verdict, "SIP to XMPP", counts, ("sent", "accepted", "refused", "unanswered", "arrived", "copies", "copies under another id", "kept by the server for a login",
                                          "lost by the killed server", "arrived though refused", "missing"))


def lost_by_server(kills: list[Kill], message: FromSip) -> bool:
    """A server was killed soon after a barrier covered the message: it is in no store any more, so the server had taken it."""
    taken = message.answered
    for kill in kills:
        if kill.when < message.answered:
            continue
        if message.number in kill.inbox:
            taken = kill.back  # sent again then
        elif kill.victim == "server" and kill.when - taken <= SERVER_HELD_S:
            return True
    return False


def kills_before_answer(kills: list[Kill], message: FromSip) -> int:
    """Two of them: the one that accepted it was killed before its answer, the next delivered it and was killed before the sender asked
    again, so the third knows nothing of it."""
    return sum(message.sent <= kill.when <= message.answered for kill in kills)


def whereabouts(ledger: Ledger, message: FromSip) -> str:
    """For whoever looks for the fault."""
    seen = [f"{kill.victim} {kill.when - message.answered:+.2f} s{' stored' if message.number in kill.inbox else ''}"
            for kill in ledger.kills if abs(kill.when - message.answered) < 60]
    return f"; kills around it: {', '.join(seen) or 'none'}"


# XMPP to SIP


def towards_sip(ledger: Ledger, verdict: Verdict) -> None:
    arrived, failures = defaultdict(list), defaultdict(list)
    for entry in ledger.to_sip:
        arrived[entry.number].append(entry)
    for failure in ledger.failures:
        failures[failure.number].append(failure)
    counts = Counter()
    for message in ledger.from_xmpp:
        copies, told = arrived[message.number], failures[message.number]
        stored = any(message.number in kill.outbox for kill in ledger.kills)
        taken = any(200 <= copy.status < 300 for copy in copies)
        counts["sent"] += 1
        counts["arrived"] += bool(copies)
        counts["copies"] += max(0, len(copies) - 1)
        counts["refused by the peer"] += bool(copies) and not taken
        counts["told to their authors"] += bool(told)
        counts["told more than once"] += len(told) > 1
        if copies and not taken and not told:
            if near_kill(ledger.kills, copies[-1].when, "server"):
                counts["errors lost by the killed server"] += 1
            else:
                counts["missing"] += 1
                verdict.fault(f"XMPP to SIP {message.number}: refused by the peer, and its author heard nothing")
        if not copies and not told:
            if not stored and near_kill(ledger.kills, message.sent):
                counts["never read by us"] += 1
            else:
                counts["missing"] += 1
                verdict.fault(f"XMPP to SIP {message.number}: neither arrived nor told to its author, "
                              f"{'in the store at a kill' if stored else 'in no store, and no kill was near'}")
        if taken and any(failure.condition != "remote-server-timeout" for failure in told):
            verdict.fault(f"XMPP to SIP {message.number}: arrived, and its author was told {told[0].condition}")
        if len({copy.call_id for copy in copies}) > 1:
            verdict.fault(f"XMPP to SIP {message.number}: copies with different Call-IDs")
        if sorted({copy.cseq for copy in copies}) != [copy.cseq for copy in copies]:
            verdict.fault(f"XMPP to SIP {message.number}: CSeq numbers {[copy.cseq for copy in copies]} of its copies do not grow")
        if len(copies) > 1 and not stored and all(kill.seen for kill in ledger.kills):
            verdict.fault(f"XMPP to SIP {message.number}: came {len(copies)} times, and was in the store at no kill")
    check_order("XMPP to SIP", [(message.pair, message.number) for message in ledger.from_xmpp],
                {number: copies[0].when for number, copies in arrived.items() if copies}, verdict)
    note(verdict, "XMPP to SIP", counts, ("sent", "arrived", "copies", "refused by the peer", "told to their authors", "told more than once",
                                          "errors lost by the killed server", "never read by us", "missing"))


def near_kill(kills: list[Kill], when: float, victim: str = "") -> bool:
    before = SERVER_HELD_S if victim else UNREAD_S
    return any(kill.when - before <= when <= kill.back + AFTER_BACK_S for kill in kills if not victim or kill.victim == victim)


# Both


def check_order(direction: str, sent: list, first_arrival: dict[int, float], verdict: Verdict) -> None:
    """Of each pair, in the order of sending, the first arrivals must not go back in time."""
    last: dict = {}
    swapped = 0
    for pair, number in sent:
        if number not in first_arrival:
            continue
        before = last.get(pair)
        if before is not None and first_arrival[number] < first_arrival[before]:
            swapped += 1
            verdict.fault(f"{direction} {number}: arrived before {before} of the same pair")
        last[pair] = number
    verdict.counts[f"{direction}: out of order"] = swapped


def note(verdict: Verdict, direction: str, counts: Counter, names: tuple) -> None:
    for name in names:
        verdict.counts[f"{direction}: {name}"] = counts[name]


def unsettled(ledger: Ledger) -> bool:
    """Something that was accepted has not arrived yet."""
    there = {entry.number for entry in ledger.to_xmpp}
    known = {entry.number for entry in ledger.to_sip} | {failure.number for failure in ledger.failures}
    return any(message.accepted and message.number not in there for message in ledger.from_sip) or \
        any(message.number not in known for message in ledger.from_xmpp if isinstance(message, FromXmpp))
