"""The running worker under mutated requests: from a peer, so that the transactions see them, and from a stranger while a peer is served."""
import threading
import time

import pytest

from conftest import WORKER
from mutations import Mutations
from wire import udp_socket
from worker import DOMAIN, Worker

RATE = 5_000


def throw(worker: Worker, seed: int, source: str, count: int) -> None:
    with udp_socket(source) as sock:
        mutations = Mutations(seed, sock.getsockname(), worker.address, target=f"romeo@{DOMAIN}")
        began = time.monotonic()
        for sent in range(count):
            sock.sendto(mutations.next(), worker.address)
            if sent % 50 == 49:
                time.sleep(max(0, began + sent / RATE - time.monotonic()))


def attack(worker: Worker, seed: int, source: str, count: int) -> tuple[dict, list[float]]:
    """What became of the datagrams, and how long each OPTIONS of a peer took meanwhile."""
    before, waits = worker.status()["sip"]["datagrams"], []
    thrower = threading.Thread(target=throw, args=(worker, seed, source, count))
    thrower.start()
    while thrower.is_alive():
        waits.append(worker.options())
        time.sleep(0.1)
    worker.check_alive()
    now = worker.status()["sip"]["datagrams"]
    took = {"received": now["received"] - before["received"], "passed": now["passed"] - before["passed"],
            "source_rate": now["dropped"]["source_rate"] - before["dropped"]["source_rate"], "banned": now["dropped"]["banned"] - before["dropped"]["banned"]}
    print(f"\n   seed {seed}: {count} sent, {took}, OPTIONS of a peer after {max(wait or 99 for wait in waits) * 1000:.1f} ms at most, "
          f"resident {worker.resident() >> 20} MiB")
    assert None not in waits
    return took, waits


@pytest.mark.seeds(whole=3)
def test_a_peer_is_heard(scale, seed):
    with Worker(WORKER, ["127.0.0.1"]) as worker:
        took, _ = attack(worker, seed, "127.0.0.1", scale.of(4_000, 60_000))
        assert took["passed"] >= 0.9 * took["received"]
        assert took["source_rate"] == took["banned"] == 0


@pytest.mark.seeds(whole=3)
def test_a_stranger_is_not(scale, seed):
    with Worker(WORKER, ["127.0.0.1"]) as worker:
        took, _ = attack(worker, seed, "127.0.0.66", scale.of(4_000, 60_000))
        assert took["source_rate"] + took["banned"] > took["received"] / 4
