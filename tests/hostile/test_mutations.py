"""Mutated messages: requests by datagram and by stream, where nothing answers what the softphone says or asks then, and answers to its own."""
import select
import time

import pytest

from hostile_callee import HostileCallee
from mutations import Mutations
from peer import Stream, connect
from wire import udp_socket

PEAK = 256 << 20


@pytest.mark.seeds(whole=3)
def test_datagrams(untold, scale, seed):
    count = scale.of(4_000, 60_000)
    before = untold.counters()
    with udp_socket() as sock:
        mutations = Mutations(seed, sock.getsockname(), untold.address)
        for sent in range(count):
            sock.sendto(mutations.next(), untold.address)
            if sent % 100 == 99:
                time.sleep(0.02)
    untold.check_alive(within=2)
    now = untold.counters()
    passed, refused = now["datagrams"] - before["datagrams"], now["dials_refused"] - before["dials_refused"]
    print(f"\n   seed {seed}: {count} sent, {passed} reached the transactions, {now['requests_in'] - before['requests_in']} the dialog layer; "
          f"{now['dialled']} connections dialled, {refused} refused")
    assert passed > count / 2
    assert now["peak"] < PEAK
    # Contacts name other machines, other ports of this one and connections; who was heard was heard by UDP.
    assert now["dialled"] == 0 and refused > 0


def throw(stream: Stream, octets: bytes) -> bool:
    """False: the connection has ended, or takes no more for a while."""
    stream.connection.settimeout(1)
    try:
        stream.connection.sendall(octets)
    except OSError:
        return False
    finally:
        stream.connection.settimeout(0)
    select.select([stream.connection], [], [], 0.005)  # it closes as soon as it has read something that it will not read on after
    return stream.read() is not None


@pytest.mark.seeds(whole=2)
@pytest.mark.parametrize("tls", [False, True], ids=["tcp", "tls"])
def test_streams(victim, scale, seed, tls):
    count = scale.of(1_000, 20_000)
    before = victim.counters()
    stream, connections = connect(victim, tls), 1
    mutations = Mutations(seed, stream.connection.getsockname(), victim.address)
    for _ in range(count):
        if throw(stream, mutations.next("TLS" if tls else "TCP")):
            continue
        stream.close(reset=mutations.odd.likely(0.3))
        stream, connections = connect(victim, tls), connections + 1
    stream.close()
    victim.check_alive(within=2)
    now = victim.counters()
    passed = now["messages"] - before["messages"]
    print(f"\n   seed {seed}: {count} messages over {connections} connections, {passed} reached the transactions")
    assert passed > count / 4
    assert now["peak"] < PEAK


@pytest.mark.seeds(whole=5)
def test_answers(victim, scale, seed):
    before = victim.counters()
    with HostileCallee(seed, victim, mutates=True) as callee:
        callee.run(scale.of(5, 40), rate=80)
        victim.check_alive(within=2)
        now = victim.counters()
    heard = now["responses_in"] - before["responses_in"]
    print(f"\n   seed {seed}: {callee.asked} requests heard with copies, {callee.answered} answers, {callee.changed} of them changed, {heard} believed")
    assert callee.changed > callee.answered / 3 and callee.answered > callee.asked / 2
    assert heard > callee.answered / 10
    assert now["peak"] < PEAK
