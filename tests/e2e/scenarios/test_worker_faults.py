"""The worker hangs, is stopped, needs too much memory, is killed: it comes back, loses no accepted message, and nobody who chats notices."""
import pathlib
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "ledger"))

from chat import Chat  # noqa: E402
from conftest import COMPONENT, DOMAIN, PASSWORD, make_server, stop_server  # noqa: E402
from entries import Kill  # noqa: E402
from faults import hang, pause, resident_mib  # noqa: E402
from kills import kill_worker  # noqa: E402
from lane import GATEWAY, PEER  # noqa: E402
from play import Play  # noqa: E402
from processes import Failed, state, wait_for  # noqa: E402

PORT = 5101
WRITERS, TALKERS = ("romeo", "mercutio", "benvolio"), ("tybalt", "paris")
MORE_MIB = 24  # what the traffic may add before it is too much; under a sanitizer it adds that within seconds
MESSAGES = 200


@pytest.fixture
def server(workspace, request):
    folder = workspace / request.node.name  # a store of its own: messages have the same numbers
    peers = {"phones": {"match": {"source": [PEER]}, "next_hop": f"sip:{PEER}:{PORT}", "probe": False}}
    running = make_server(folder, port=5341, api_port=15301, components={COMPONENT: {"peers": peers}},
                          accounts={name: PASSWORD for name in (*WRITERS, *TALKERS)},
                          engine={"bind": [f"udp:{GATEWAY}:{PORT}"], "log_level": "debug", "state_dir": str(folder / "state")})
    yield running
    stop_server(running)


class Faults:
    """Each is a function of the play that it happens in. back: how long the gateway was away each time."""

    def __init__(self, server):
        self.server, self.state_dir, self.back = server, server.folder / "state", []

    def worker(self) -> int:
        return wait_for("a worker", self.server.worker)

    def returned(self, play: Play, kill: Kill, since: int, what: str) -> None:
        play.ledger.kills.append(kill)
        self.server.wait_attached(COMPONENT, since)
        kill.back = time.monotonic()
        self.back.append((what, kill.back - kill.when))

    def killed(self, play: Play, _numbers) -> None:
        since = self.server.log_size()
        self.returned(play, kill_worker(self.worker(), self.state_dir), since, "killed")

    def hangs(self, play: Play, _numbers) -> None:
        since = self.server.log_size()
        kill = hang(self.worker(), self.state_dir)
        self.server.wait_log("the worker's loop did not run for 5 s", since)
        self.returned(play, kill, since, "hung")

    def paused(self, _play: Play, _numbers) -> None:
        """No end: what came meanwhile is read afterwards, and nothing of it is lost."""
        worker, since = self.worker(), self.server.log_size()
        pause(worker)
        time.sleep(1)
        assert self.server.worker() == worker and "loop did not run" not in self.server.log_text()[since:]

    def grows(self, play: Play, numbers) -> None:
        worker, since = self.worker(), self.server.log_size()
        self.limit(resident_mib(worker) + MORE_MIB)
        end = time.monotonic() + 60
        while state(worker) not in "ZX":
            if time.monotonic() > end:
                raise Failed(f"the worker has {resident_mib(worker)} MiB and goes on")
            last = time.monotonic()
            play.send_each_way(numbers)
        ended = self.server.log_size()
        self.server.wait_log(r"MiB of memory, over memory_limit_mib = \d+", since)
        self.limit(None)
        self.returned(play, Kill("worker", last, seen=False), ended, "over its memory")

    def limit(self, mib: int | None) -> None:
        engine = {name: value for name, value in self.server.setup.engine.items() if name != "memory_limit_mib"}
        self.server.setup.engine = {**engine, **({"memory_limit_mib": mib} if mib else {})}
        self.server.configure()
        self.server.reload()


def play_through(server, capsys, choose, messages: int) -> None:
    """choose: of the faults, the list of those that happen."""
    seed, pid, faults = int(time.time()), server.pid, Faults(server)
    play = Play(server, COMPONENT, faults.state_dir, PEER, PORT, GATEWAY, list(WRITERS), DOMAIN, PASSWORD, seed)
    chat = Chat(server, DOMAIN, PASSWORD, TALKERS)
    try:
        play.run_through(choose(faults, play.random), messages, quiet_s=10)
        talked = chat.stop()
    finally:
        chat.closing = True
        play.stop()
    verdict = play.verdict()
    with capsys.disabled():
        away = ", ".join(f"{what} {seconds:.1f} s" for what, seconds in faults.back)
        print(f"\nseed {seed}; away: {away}\n{talked}\n{verdict.table()}")
    assert server.pid == pid and server.alive()
    assert not verdict.faults, "\n".join([f"{len(verdict.faults)} faults", *verdict.faults[:40], verdict.table()])


@pytest.mark.gate(240)
def test_three_kills_and_each_other_fault(server, capsys):
    play_through(server, capsys, lambda faults, _: [faults.killed, faults.hangs, faults.killed, faults.grows, faults.killed, faults.paused], MESSAGES)


@pytest.mark.full(4_500)
def test_faults_twenty_times(server, capsys):
    """Of each kind; each end is further from the one before, since a worker that ends often waits longer."""
    def choose(faults, random):
        chosen = [*20 * [faults.killed], *20 * [faults.hangs], *20 * [faults.grows], *4 * [faults.paused]]
        random.shuffle(chosen)
        return chosen
    play_through(server, capsys, choose, 3 * MESSAGES)
