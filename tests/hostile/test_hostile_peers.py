"""Peers that keep to the transactions and break everything else, on both sides of a call."""
import pytest

from hostile_callee import HostileCallee
from hostile_caller import HostileCaller


@pytest.mark.seeds(whole=3)
def test_hostile_caller(victim, scale, seed):
    with HostileCaller(seed, victim.address) as caller:
        before = victim.counters()
        caller.run(scale.of(5, 40), rate=400)
        victim.check_alive(within=2)
        now = victim.counters()
    print(f"\n   seed {seed}: {caller.sent} sent, {caller.received} received, {caller.established} calls answered")
    assert caller.established > scale.of(5, 100)
    assert now["requests_in"] - before["requests_in"] > caller.sent / 20  # it is not refused before it is heard


@pytest.mark.seeds(whole=7)
def test_hostile_callee(victim, scale, seed):
    with HostileCallee(seed, victim) as callee:
        before = victim.counters()
        callee.run(scale.of(5, 40), rate=80)
        victim.check_alive(within=2)
        now = victim.counters()
    sent = now["requests_out"] - before["requests_out"]
    print(f"\n   seed {seed}: {sent} requests of ours, {callee.asked} heard with copies, {callee.sent} answers and requests to them")
    assert sent >= scale.of(300, 3000)
    assert now["answered"] > before["answered"] and now["failed"] > before["failed"]
