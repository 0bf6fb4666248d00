"""Two users of the chat server who have nothing to do with the gateway, and must notice nothing of it."""
import threading
import time

from processes import wait_for
from xmpp_client import XmppClient

EVERY_S = 0.05


class Chat:
    """They write to each other all the time; each message has to arrive, once, in order."""

    def __init__(self, server, domain: str, password: str, names: tuple[str, str] = ("romeo", "mercutio")):
        self.domain, self.names = domain, names
        self.people = [XmppClient(f"{name}@{domain}/chat", password, server.setup.address, server.setup.port) for name in names]
        self.sent: list[list[float]] = [[], []]
        self.closing = False
        self.thread = threading.Thread(target=self.talk, daemon=True)
        self.thread.start()

    def talk(self) -> None:
        while not self.closing:
            for side, person in enumerate(self.people):
                other = f"{self.names[1 - side]}@{self.domain}/chat"
                self.sent[side].append(person.send(other, f"chat {len(self.sent[side])}", kind="normal"))
            time.sleep(EVERY_S)

    def stop(self) -> str:
        """Fails when a message is missing, doubled or out of order. What was measured, as a sentence."""
        self.closing = True
        self.thread.join(60)
        assert not self.thread.is_alive(), "a chat client is stuck"
        delays: list[float] = []
        try:
            for side, person in enumerate(self.people):
                sent = self.sent[1 - side]
                wait_for("the last chat message", lambda: len(self.came(person)) >= len(sent))  # noqa: B023
                came = self.came(person)
                assert [number for number, _ in came] == list(range(len(sent))), f"chat of {person.jid}: {len(came)} of {len(sent)} came, in order or not"
                delays += [when - sent[number] for number, when in came]
        finally:
            for person in self.people:
                person.stop()
        delays.sort()
        return f"{len(delays)} chat messages meanwhile: p99 {delays[len(delays) * 99 // 100] * 1000:.1f} ms, longest {delays[-1] * 1000:.1f} ms"

    @staticmethod
    def came(person) -> list[tuple[int, float]]:
        bodies = [(stanza["body"], when) for stanza, when in list(person.messages) if stanza["type"] == "normal"]
        return [(int(body.split()[1]), when) for body, when in bodies if body.startswith("chat ")]
