"""The judge of the ledger finds what it is there for: each rule broken once."""
import copy
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "ledger"))

from entries import Failure, FromSip, FromXmpp, Kill, Ledger, ToSip, ToXmpp  # noqa: E402
from judge import judge  # noqa: E402
from play import spread  # noqa: E402

pytestmark = pytest.mark.gate(30)
S2X, X2S = ("juliet", "romeo@montague.test"), ("romeo@montague.test", "juliet@capulet.test")


def good() -> Ledger:
    """Two messages each way and a kill of each kind, all arrived; the second SIP message twice, since a kill found it stored."""
    return Ledger(
        from_sip=[FromSip(1, S2X, 0.0, 202, 0.1), FromSip(2, S2X, 20.0, 202, 20.1)],
        to_xmpp=[ToXmpp(1, S2X, 0.1, "a"), ToXmpp(2, S2X, 20.1, "b"), ToXmpp(2, S2X, 21.5, "b")],
        from_xmpp=[FromXmpp(1, X2S, 0.0), FromXmpp(2, X2S, 20.0)],
        to_sip=[ToSip(1, X2S, 0.1, "c", 1, 200), ToSip(2, X2S, 20.1, "d", 1, 200)],
        kills=[Kill("worker", 20.2, {2}, set(), 21.0), Kill("server", 60.0, set(), set(), 63.0)])


def lose(entries: list, number: int) -> None:
    entries[:] = [entry for entry in entries if entry.number != number]


def test_a_good_ledger_has_no_fault():
    verdict = judge(good())
    assert not verdict.faults
    assert verdict.counts["SIP to XMPP: copies"] == 1 and verdict.counts["SIP to XMPP: missing"] == 0


def broken(change) -> list[str]:
    ledger = copy.deepcopy(good())
    change(ledger)
    return judge(ledger).faults


@pytest.mark.parametrize("name, change", [
    ("an accepted message that never came", lambda one: lose(one.to_xmpp, 1)),
    ("one that a kill found stored", lambda one: lose(one.to_xmpp, 2)),
    ("a copy without a kill", lambda one: one.to_xmpp.append(ToXmpp(1, S2X, 0.2, "a"))),
    ("a copy with another id", lambda one: setattr(one.to_xmpp[2], "stanza_id", "other")),
    ("out of order to XMPP", lambda one: setattr(one.to_xmpp[0], "when", 30.0)),
    ("refused and delivered", lambda one: setattr(one.from_sip[0], "status", 503)),
    ("from XMPP, neither arrived nor told, no kill near", lambda one: lose(one.to_sip, 1)),
    ("from XMPP, lost out of the store", lambda one: (lose(one.to_sip, 2), one.kills[0].outbox.add(2))),
    ("refused by the peer, author not told", lambda one: setattr(one.to_sip[0], "status", 480)),
    ("delivered, and its author told otherwise", lambda one: one.failures.append(Failure(1, 0.2, "service-unavailable"))),
    ("a copy under another Call-ID", lambda one: (one.kills[0].outbox.add(2), one.to_sip.append(ToSip(2, X2S, 22.0, "e", 9, 200)))),
    ("a copy with the same CSeq", lambda one: (one.kills[0].outbox.add(2), one.to_sip.append(ToSip(2, X2S, 22.0, "d", 1, 200)))),
    ("out of order to SIP", lambda one: setattr(one.to_sip[0], "when", 30.0)),
])
def test_a_broken_rule_is_found(name, change):
    assert len(broken(change)) == 1, name


def test_what_is_nobodys_fault_is_counted_apart():
    ledger = good()
    ledger.from_sip.append(FromSip(3, S2X, 58.0, 202, 59.0))
    ledger.from_xmpp.append(FromXmpp(3, X2S, 59.9))
    verdict = judge(ledger)
    assert not verdict.faults
    assert verdict.counts["SIP to XMPP: lost by the killed server"] == 1
    assert verdict.counts["XMPP to SIP: never read by us"] == 1


def test_what_the_server_kept_for_a_login_arrived_and_has_no_place_in_the_order():
    ledger = good()
    ledger.to_xmpp[0].when = 100.0
    assert len(judge(ledger).faults) == 1
    ledger.last_login = 99.0
    verdict = judge(ledger)
    assert not verdict.faults and verdict.counts["SIP to XMPP: kept by the server for a login"] == 1


def test_another_id_is_nobodys_fault_only_if_the_request_outlived_two_workers():
    ledger = good()
    ledger.to_xmpp[2].stanza_id = "other"
    ledger.from_sip[1].answered = 21.4
    assert len(judge(ledger).faults) == 1
    ledger.kills.insert(1, Kill("worker", 21.3, set(), set(), 21.35))
    verdict = judge(ledger)
    assert not verdict.faults and verdict.counts["SIP to XMPP: copies under another id"] == 1


def test_the_same_near_a_killed_worker_is_a_loss():
    ledger = good()
    ledger.from_sip.append(FromSip(3, S2X, 20.0, 202, 20.15))
    assert len(judge(ledger).faults) == 1


def test_kills_of_servers_stand_among_those_of_workers():
    import random
    order = spread(50, 20, random.Random(1))
    assert order.count("worker") == 50 and order.count("server") == 20
    assert "worker" * 4 not in "".join(order)
    assert spread(3, 1, random.Random(1)).count("worker") == 3
