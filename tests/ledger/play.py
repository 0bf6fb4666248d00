"""Plays a ledger: messages both ways in bursts, a kill in each burst, and everything settled at the end."""
import itertools
import pathlib
import random
import time

from entries import Ledger
from judge import judge, unsettled
from kills import kill_server, kill_server_of_service, kill_worker, undelivered
from processes import wait_for
from sip_end import SipEnd
from xmpp_end import XmppEnd

BURST_PER_S = 150.0
SETTLE_S, QUIET_S = 90.0, 40.0
BACKLOG, BACKLOG_S = 30, 20.0
SIP_PEOPLE = [f"juliet{number}" for number in range(30)]


class Play:
    def __init__(self, server, component: str, state_dir: pathlib.Path, peer: str, port: int, gateway: str, names: list[str], domain: str, password: str, seed: int,
                 service=None):
        self.server, self.component, self.state_dir = server, component, state_dir
        self.service = service  # None: the worker is the server's own
        self.random = random.Random(seed)
        self.names, self.domain = names, domain
        self.ledger = Ledger()
        self.sip = SipEnd(peer, port, gateway, seed)
        self.xmpp = XmppEnd(server, names, domain, password)
        self.ledger.from_sip, self.ledger.to_sip = self.sip.sent, self.sip.received
        self.ledger.from_xmpp, self.ledger.to_xmpp, self.ledger.failures = self.xmpp.sent, self.xmpp.received, self.xmpp.failures

    def stop(self) -> None:
        self.xmpp.stop()
        self.sip.stop()

    def run(self, messages: int, worker_kills: int, server_kills: int) -> None:
        """messages: each way."""
        victims = spread(worker_kills, server_kills, self.random)
        numbers = iter(range(messages))
        for victim in victims:
            self.burst(numbers, messages // (len(victims) + 1), victim)
        self.burst(numbers, messages, None)
        self.settle()

    def run_through(self, faults: list, messages: int, quiet_s: float) -> None:
        """A burst of so many messages each way for each fault, which happens in the midst of it, and one more."""
        numbers = itertools.count()
        for fault in faults:
            self.burst(numbers, messages, fault)
        self.burst(numbers, messages, None)
        self.settle(quiet_s)

    def burst(self, numbers, quota: int, victim) -> None:
        """At a random moment of it the victim dies. victim: worker, server, or a function of this play and its numbers."""
        fatal = self.random.uniform(0.2, 0.95) * quota
        for done in range(quota):
            if not self.send_each_way(numbers):
                break
            if victim and done >= fatal:
                self.kill(victim, numbers)
                victim = None
        if victim:
            self.kill(victim, numbers)
        # The next burst may meet what this one left, but not all of it.
        end = time.monotonic() + BACKLOG_S
        while self.sip.unfinished() > BACKLOG and time.monotonic() < end:
            time.sleep(0.05)

    def send_each_way(self, numbers) -> bool:
        """One message, and the pause until the next one. False: there are no more."""
        number = next(numbers, None)
        if number is None:
            return False
        user, phone = self.random.choice(self.names), self.random.choice(SIP_PEOPLE)
        self.sip.send(number, phone, f"{user}@{self.domain}")
        self.xmpp.send(number, user, f"{phone}@{self.component}")
        time.sleep(self.random.expovariate(BURST_PER_S))
        return True

    def kill(self, victim, numbers) -> None:
        if callable(victim):
            return victim(self, numbers)
        since = self.server.log_size()
        if victim == "worker":
            kill = kill_worker(self.service.pid if self.service else wait_for("a worker to kill", self.server.worker), self.state_dir)
            if self.service:
                self.service.start()
        else:
            kill = kill_server_of_service(self.server, self.service.pid, self.state_dir) if self.service else kill_server(self.server, self.state_dir)
            self.server.start()
            self.xmpp.log_in()
        self.ledger.kills.append(kill)
        self.server.wait_attached(self.component, since)
        kill.back = time.monotonic()

    def settle(self, quiet_s: float = QUIET_S) -> None:
        wait_for("the last final response to the SIP peer", lambda: self.sip.unfinished() == 0, SETTLE_S)
        # Some are missing for good: what nobody accepted, what a killed server lost. Nothing new for so long is the end.
        seen, since = None, time.monotonic()
        while unsettled(self.ledger) and time.monotonic() - since < quiet_s:
            now = (len(self.ledger.to_xmpp), len(self.ledger.to_sip), len(self.ledger.failures))
            if now != seen:
                seen, since = now, time.monotonic()
            time.sleep(0.1)
        if unsettled(self.ledger):
            # A message that met a login half done may lie in the server's offline store, for the next one.
            self.ledger.last_login = time.monotonic()
            self.xmpp.log_in()
        # Copies of the last ones: nothing is left that could be sent again, and each client has read what its server had for it.
        wait_for("a store that owes nobody a message", lambda: undelivered(self.state_dir) == [], SETTLE_S)
        self.xmpp.catch_up()

    def verdict(self):
        return judge(self.ledger)


def spread(workers: int, servers: int, chance: random.Random) -> list[str]:
    """Ten ends of a worker within a minute would keep it down, as they should, and each waits longer than the one before; a new server
    counts anew. So the servers stand evenly among the workers."""
    rows = [workers * (row + 1) // (servers + 1) - workers * row // (servers + 1) for row in range(servers + 1)]
    chance.shuffle(rows)
    return [victim for row in rows for victim in ["worker"] * row + ["server"]][:-1]
