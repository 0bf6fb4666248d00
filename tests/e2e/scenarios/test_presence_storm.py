"""Many subscriptions to SIP contacts, and kill -9 of the worker, then of the chat server: all of it comes back, once and no faster than allowed."""
import contextlib
import math
import os
import signal
import time

import pytest

from conftest import COMPONENT, make_server, person, stop_server
from lane import GATEWAY, PEER
from notifier import Notifier
from processes import state, wait_for

WATCHERS = ("romeo", "mercutio")
BATCH = 25      # of one user on their way at once: further wishes of the same second are refused
BACK_S = 60     # issue 6


class Storm:
    """Half of the contacts are watched by each of two users."""

    def __init__(self, folder, count: int, rate: int, number: int):
        self.count, self.rate = count, rate
        port = 5130 + number
        peers = {"phones": {"match": {"source": [PEER]}, "next_hop": f"sip:{PEER}:{port}", "probe": False}}
        self.notifier = Notifier(COMPONENT, port=port, gateway_port=port)
        self.server = make_server(folder, port=5390 + number, api_port=15420 + 2 * number,
                                  components={COMPONENT: {"peers": peers, "presence": {"subscribe_rate": rate}}},
                                  engine={"bind": [f"udp:{GATEWAY}:{port}"], "log_level": "info"})
        self.users = {f"c{index}": WATCHERS[index % 2] for index in range(count)}  # contact: who watches
        self.clients: dict = {}
        self.since: dict[str, int] = {}

    def log_in(self) -> None:
        self.clients = {name: person(self.server, name) for name in WATCHERS}
        self.since = dict.fromkeys(WATCHERS, 0)
        for client in self.clients.values():  # servers give subscriptions to whom they have given the roster
            client.on_loop(lambda slixmpp: slixmpp.get_roster())

    def log_out(self) -> None:
        for client in self.clients.values():
            client.stop()
        self.clients = {}

    def mark(self) -> None:
        """From here on."""
        self.since = {name: len(client.presences) for name, client in self.clients.items()}

    def came(self) -> dict[str, list[str]]:
        """What came of each contact since then, in order."""
        all_of: dict[str, list[str]] = {}
        for name, client in self.clients.items():
            for stanza, _ in list(client.presences)[self.since[name]:]:
                if stanza["from"].domain == COMPONENT:
                    all_of.setdefault(stanza["from"].local, []).append(stanza.xml.get("type", "available"))
        return all_of

    def wait_shown(self, expected: dict[str, str], seconds: float = BACK_S, silence: str = "") -> None:
        """The last word about each of these contacts is the one expected. silence: what it means that there is none."""
        def missing() -> list[str]:
            came = self.came()
            return [f"{user}: {came.get(user)}" for user, kind in expected.items() if came.get(user, [silence])[-1] != kind]
        try:
            wait_for("what is expected of every contact", lambda: not missing(), seconds, self.server.alive)
        except Exception as failure:
            wrong = missing()
            raise AssertionError(f"{len(wrong)} contacts are not shown as they are: {wrong[:10]}; {failure}") from failure

    def subscribe(self) -> None:
        users = list(self.users)
        for first in range(0, self.count, 2 * BATCH):
            batch = users[first:first + 2 * BATCH]
            for user in batch:
                self.clients[self.users[user]].present("subscribe", f"{user}@{COMPONENT}")
            self.wait_shown(dict.fromkeys(batch, "available"))

    def check_back(self, killed: float, before: int, expected: dict[str, str], silence: str = "") -> None:
        self.wait_shown(expected, BACK_S - (time.monotonic() - killed), silence)
        assert time.monotonic() - killed < BACK_S
        began = len(self.notifier.begun) - before
        assert began == self.count, f"{began} SUBSCRIBEs for {self.count} subscriptions"
        # A tick that came up to 20 ms late is made good.
        assert self.notifier.fastest(before) <= self.rate + math.ceil(self.rate * 0.02) + 1
        told = {kind for kinds in self.came().values() for kind in kinds}
        assert told <= {"available", "unavailable"}, "nobody is asked again, and nothing is taken back"
        # What the notifier says in dialogs of the life before is nobody's; then there is one for each.
        self.notifier.publish(*self.users, basic="closed")
        wait_for("the notifier to be done", self.notifier.told)
        live = self.notifier.live()
        assert set(live) == {(watcher, user) for user, watcher in self.users.items()} and set(live.values()) == {1}
        self.wait_shown(dict.fromkeys(self.users, "unavailable"), silence=silence)
        self.notifier.publish(*self.users, basic="open")
        self.wait_shown(dict.fromkeys(self.users, "available"))
        wait_for("the notifier to be done", self.notifier.told)

    def changes_unseen(self) -> dict[str, str]:
        """Some contacts leave while nobody listens; what is to be shown of all."""
        gone = list(self.users)[::10]
        self.notifier.publish(*gone, basic="closed")
        return {user: "unavailable" if user in gone else "available" for user in self.users}

    def kill_worker(self) -> None:
        self.mark()
        log, before, killed = self.server.log_size(), len(self.notifier.begun), time.monotonic()
        os.kill(self.server.worker(), signal.SIGKILL)
        expected = self.changes_unseen()
        self.server.wait_attached(COMPONENT, log)
        self.check_back(killed, before, expected)

    def kill_server(self) -> None:
        worker, before, killed = self.server.worker(), len(self.notifier.begun), time.monotonic()
        self.server.program.kill()
        wait_for("the end of its worker", lambda: state(worker) in "ZX")
        self.log_out()
        expected = self.changes_unseen()
        log = self.server.log_size()
        self.server.start()
        self.server.wait_attached(COMPONENT, log)
        self.log_in()
        # A client that has just come need not hear of who is not there.
        self.check_back(killed, before, expected, "unavailable")


@contextlib.contextmanager
def storm(folder, count: int, rate: int, number: int):
    running = Storm(folder, count, rate, number)
    try:
        running.log_in()
        running.subscribe()
        yield running
    finally:
        running.log_out()
        stop_server(running.server)
        running.notifier.stop()


@pytest.mark.gate(240)
def test_PRES_02_PRES_93_a_storm_of_restarts(workspace):
    with storm(workspace / "storm", 50, 10, 0) as running:
        running.kill_worker()
        running.kill_server()


@pytest.mark.full(600)
def test_a_storm_of_a_thousand(workspace):
    with storm(workspace / "thousand", 1_000, 50, 1) as running:
        running.kill_worker()
        running.kill_server()
        # Who says nothing any more is not shown as there.
        running.mark()
        silent = list(running.users)[:10]
        running.notifier.silent = set(silent)
        os.kill(running.server.worker(), signal.SIGKILL)
        running.wait_shown(dict.fromkeys(silent, "unavailable"), 100)
