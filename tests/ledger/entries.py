"""What the ledger holds: one entry for each thing that somebody saw. Times are monotonic seconds."""
import dataclasses
import re


@dataclasses.dataclass
class FromSip:
    """A MESSAGE that the SIP peer sent. status 0: no final response within Timer F; None: none yet."""
    number: int
    pair: tuple[str, str]
    sent: float
    status: int | None = None
    answered: float = 0.0

    @property
    def accepted(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@dataclasses.dataclass
class ToXmpp:
    """One of them as the XMPP user got it."""
    number: int
    pair: tuple[str, str]
    when: float
    stanza_id: str


@dataclasses.dataclass
class FromXmpp:
    """A message that the XMPP user's client gave to its server."""
    number: int
    pair: tuple[str, str]
    sent: float


@dataclasses.dataclass
class ToSip:
    """One of them as the SIP peer got it, and what it answered."""
    number: int
    pair: tuple[str, str]
    when: float
    call_id: str
    cseq: int
    status: int


@dataclasses.dataclass
class Failure:
    """An error that the author of a message heard."""
    number: int
    when: float
    condition: str


@dataclasses.dataclass
class Kill:
    """Who was killed when, what the store held at that moment, and when the gateway was attached again."""
    victim: str  # worker | server
    when: float
    inbox: set[int] = dataclasses.field(default_factory=set)
    outbox: set[int] = dataclasses.field(default_factory=set)
    back: float = float("inf")
    seen: bool = True  # no: it ended by itself, and nobody could look into the store


@dataclasses.dataclass
class Ledger:
    from_sip: list[FromSip] = dataclasses.field(default_factory=list)
    to_xmpp: list[ToXmpp] = dataclasses.field(default_factory=list)
    from_xmpp: list[FromXmpp] = dataclasses.field(default_factory=list)
    to_sip: list[ToSip] = dataclasses.field(default_factory=list)
    failures: list[Failure] = dataclasses.field(default_factory=list)
    kills: list[Kill] = dataclasses.field(default_factory=list)
    last_login: float = float("inf")  # of everybody, once nothing came any more: what the server had put aside comes with it


def number_of(direction: str, text: str) -> int:
    """The number in a text of that direction; -1: it is none of the ledger's."""
    found = re.search(rf"\b{direction} (\d+)\b", text)
    return int(found[1]) if found else -1
