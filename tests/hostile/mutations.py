"""Well-formed messages with octets changed, cut out, doubled and put in: what parsers meet first."""
import random

from odd import Odd
from wire import SDP, new_id, request

METHODS = ["INVITE"] * 4 + ["MESSAGE", "SUBSCRIBE", "NOTIFY", "REFER", "UPDATE", "PRACK", "INFO", "BYE", "CANCEL", "ACK", "OPTIONS", "REGISTER",
                            "PUBLISH", "FOO"]
SEPARATORS = b",;:<>\"%@[]()\r\n \t\x00=?&*\\"


def mutated(dice: random.Random, octets: bytes) -> bytes:
    """Some stay as they are, so that others meet what these began."""
    out = bytearray(octets)
    for _ in range(dice.choice([0, 0, 0, 1, 1, 2, 4, 8])):
        at, kind = dice.randrange(len(out) + 1), dice.randrange(5)
        if kind == 0 and at < len(out):
            out[at] = dice.randrange(256)
        elif kind == 1:
            out[at:at] = bytes([dice.choice(SEPARATORS)]) * dice.choice([1, 1, 3, 40, 800])
        elif kind == 2:
            del out[at:at + dice.randint(1, 50)]
        elif kind == 3:
            start = dice.randrange(len(out) + 1)
            out[at:at] = out[start:start + dice.randint(1, 150)]
        else:  # a line twice, or at another place
            lines = out.split(b"\r\n")
            lines.insert(dice.randrange(len(lines) + 1), dice.choice(lines))
            out = bytearray(b"\r\n".join(lines))
    return bytes(out[:65000])


class Mutations:
    """Requests."""

    def __init__(self, seed: int, here: tuple[str, int], victim: tuple[str, int], target: str = ""):
        self.odd = Odd(seed, here, victim)
        self.uri = f"sip:{target or f'alice@{victim[0]}:{victim[1]}'}"
        self.dice: random.Random = self.odd.dice

    def well_formed(self, transport: str) -> bytes:
        method = self.dice.choice(METHODS)
        to = f"<{self.uri}>;tag={new_id()}" if self.odd.likely(0.1) else ""
        body = SDP if method in ("INVITE", "UPDATE") else "hello" if method == "MESSAGE" else ""
        headers = [*self.odd.contact(0.3), *self.odd.route(0.1), *self.odd.extras()]
        return request(method, self.uri, self.odd.here, transport=transport, to=to, cseq=f"{self.odd.number(1)} {method}", headers=headers, body=body)

    def next(self, transport: str = "UDP") -> bytes:
        return mutated(self.dice, self.well_formed(transport))
