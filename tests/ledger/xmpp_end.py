"""The XMPP side of the ledger: clients that write and read, come back after their server was killed, and write everything down."""
import threading
import time

from entries import Failure, FromXmpp, ToXmpp, number_of
from processes import Failed
from xmpp_client import XmppClient


class Person(XmppClient):
    """One login. What comes goes to the ledger of `end`."""

    def __init__(self, end: "XmppEnd", name: str, server):
        self.end, self.name = end, name
        super().__init__(f"{name}@{end.domain}/home", end.password, server.setup.address, server.setup.port)

    def on_message(self, stanza) -> None:
        self.end.take(self.name, stanza)


class XmppEnd:
    """sent, received and failures, each in the order in which it was seen."""

    def __init__(self, server, names: list[str], domain: str, password: str):
        self.server, self.names, self.domain, self.password = server, names, domain, password
        self.sent: list[FromXmpp] = []
        self.received: list[ToXmpp] = []
        self.failures: list[Failure] = []
        self.lock = threading.Lock()
        self.people: dict[str, Person] = {}
        self.log_in()

    def log_in(self) -> None:
        """Everybody anew; what is left of earlier logins goes."""
        for person in self.people.values():
            person.stop()
        self.people = {name: Person(self, name, self.server) for name in self.names}

    def stop(self) -> None:
        for person in self.people.values():
            person.stop()

    def catch_up(self) -> None:
        """A server answers in the order in which it sends."""
        for person in self.people.values():
            person.iq(self.domain, "get", "<ping xmlns='urn:xmpp:ping'/>")

    def send(self, number: int, sender: str, to: str) -> None:
        entry = FromXmpp(number, (f"{sender}@{self.domain}", to), time.monotonic())
        with self.lock:
            self.sent.append(entry)
        try:
            self.people[sender].send(to, f"x2s {number}", ident=f"x2s-{number}")
        except (Failed, RuntimeError, TimeoutError):  # its server is gone
            pass

    def take(self, name: str, stanza) -> None:
        now = time.monotonic()
        with self.lock:
            if stanza["type"] == "error":
                number = number_of("x2s", stanza["id"].replace("-", " "))
                self.failures.append(Failure(number, now, stanza["error"]["condition"]))
                return
            number = number_of("s2x", stanza["body"])
            self.received.append(ToXmpp(number, (stanza["from"].user, f"{name}@{self.domain}"), now, stanza["id"]))
