"""The running worker, of the build that is given, whatever it is set upon: mutated requests from a peer, so that the transactions see them, and from
a stranger while a peer is served; floods of strangers. What it has taken of memory it gives back."""
import itertools
import threading
import time

import pytest

from conftest import WORKER
from mutations import Mutations
from test_floods import METHODS, flood
from wire import udp_socket
from worker import DOMAIN, XMPP_DOMAIN, Worker

RATE = 5_000
QUEUED = 100 << 10  # octets in the kernel's queue, of what it gives at least: who sends waits for a slower machine, and nothing is lost by that


def throw(worker: Worker, seed: int, source: str, count: int) -> None:
    with udp_socket(source) as sock:
        mutations = Mutations(seed, sock.getsockname(), worker.address, target=f"romeo@{DOMAIN}")
        began = time.monotonic()
        for sent in range(count):
            sock.sendto(mutations.next(), worker.address)
            if sent % 50 == 49:
                time.sleep(max(0, began + sent / RATE - time.monotonic()))
                while worker.queued() > QUEUED and worker.process.poll() is None:
                    time.sleep(0.001)


def attack(worker: Worker, seed: int, source: str, count: int) -> dict[str, int]:
    """What became of the datagrams."""
    before, waits, began = worker.status()["sip"], [], time.monotonic()
    thrower = threading.Thread(target=throw, args=(worker, seed, source, count))
    thrower.start()
    while thrower.is_alive():
        waits.append(worker.options())
        time.sleep(0.1)
    took = time.monotonic() - began
    worker.check_alive()
    now = worker.status()["sip"]
    counted = lambda of: {"received": of["received"], "passed": of["passed"], "by_kernel": of["dropped_by_kernel"], **of["dropped"]}  # noqa: E731
    more = {name: number - counted(before["datagrams"])[name] for name, number in counted(now["datagrams"]).items()}
    print(f"\n   seed {seed}: {count} sent in {took:.1f} s, {more}, OPTIONS of a peer after {max(wait or 99 for wait in waits) * 1000:.1f} ms at most")
    assert None not in waits
    # It was told of every datagram: read, or dropped by the kernel.
    assert count <= more["received"] + more["by_kernel"] <= count + 30 * (len(waits) + 2)
    # Contacts name all kinds of places; nobody has a reason to connect to any of them.
    assert now["connections"]["dialled"] == 0
    return more


@pytest.mark.seeds(whole=5)
def test_a_peer_is_heard(scale, seed):
    with Worker(WORKER, ["127.0.0.1"]) as worker:
        resident, count = worker.resident(), scale.of(4_000, 60_000)
        took = attack(worker, seed, "127.0.0.1", count)
        assert took["passed"] >= 0.9 * count
        assert took["source_rate"] == took["banned"] == 0
        worker.let_go(resident)


@pytest.mark.seeds(whole=5)
def test_a_stranger_is_not(scale, seed):
    with Worker(WORKER, ["127.0.0.1"]) as worker:
        resident = worker.resident()
        took = attack(worker, seed, "127.0.0.66", scale.of(4_000, 60_000))
        assert took["source_rate"] + took["banned"] > took["received"] / 4
        worker.let_go(resident)


def test_messages_of_a_peer_are_taken_during_floods(scale):
    """Of each method from a hundred new addresses, for a stranger who is refused a few times is not heard any more."""
    hosts = (f"127.{1 + number // 62_500}.{number // 250 % 250}.{1 + number % 250}" for number in itertools.count())
    with Worker(WORKER, ["127.0.0.1"]) as worker:
        assert worker.message() is not None
        resident, all_sent = worker.resident(), 0
        for method in METHODS * scale.of(1, 15):
            sent, waits = flood(worker, method, list(itertools.islice(hosts, 100)), 1.2, worker.message, f"romeo@{XMPP_DOMAIN}")
            all_sent += sent
            print(f"\n   {method}: {sent} sent, {len(waits)} MESSAGEs of a peer taken after {max(wait or 99 for wait in waits) * 1000:.1f} ms at most, "
                  f"resident {worker.resident() >> 20} MiB", end="")
            assert None not in waits, f"a peer's MESSAGE was not taken during the flood of {method}"
        datagrams = worker.status()["sip"]["datagrams"]
        print(f"\n   {all_sent} sent, {datagrams}")
        assert datagrams["passed"] + datagrams["dropped_by_kernel"] > all_sent / 2
        worker.check_alive()
        worker.let_go(resident)
