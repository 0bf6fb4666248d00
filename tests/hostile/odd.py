"""Values that a correct peer would not send, or not now; and how a hostile one answers requests of ours."""
import random

from wire import SDP, Message, answer, new_id, request

NUMBERS = [0, 1, 2, 3, 7, 100, 65_535, 2**31 - 2, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**64, -1]
GOOD_CONTACTS = ["<sip:mallory@{here}>", "<sip:mallory@{here};transport=tcp>", "<sip:mallory@{here};lr;ob>", "\"M\" <sip:{here}>"]
ODD_CONTACTS = ["*", "<tel:+1>", "<urn:x:y>", "<sip:@{here}>", "<sip:x@nowhere.invalid>", "<sip:x@127.0.0.1:1>", "<sip:x@127.0.0.1:1;transport=tcp>",
                "<sip:x@10.0.0.1>", "<sip:x@169.254.169.254:80;transport=tcp>", "<sip:x@[::1]:5060>", "<sips:x@{here}>", "<sip:x@{victim}>",
                "<sip:x@127.0.0.1:0>", "<sip:x@127.0.0.1:99999>", "<sip:x@{here}?Subject=x>", "<sip:x@{here};maddr=127.0.0.1>",
                "<sip:x@{here};transport=ws>", "<sip:x@{here};transport=sctp>", "<sip:a@{here}>, <sip:b@{here}>", "<sip:x@{here};%00=%ff>",
                "<sip:" + "u" * 3000 + "@{here}>", "sip:x@{here};expires=0", ""]
ODD_ROUTES = ["<sip:{here};lr>", "<sip:{here}>", "<sip:10.0.0.1;lr>", "<sip:nowhere.invalid;lr>", "<tel:+1>", "<sip:{victim};lr>",
              ", ".join(["<sip:{here};lr>"] * 40), "<sip:127.0.0.1:1;transport=tcp;lr>", "<sips:{here};lr>"]
CHALLENGES = ['Digest realm="r", nonce="n"', 'Digest realm="r", nonce="n", algorithm=SHA-256, qop="auth"',
              'Digest realm="r", nonce="m", qop="auth-int,auth", stale=true',
              'Digest realm="r", nonce="m", algorithm=SHA-512-256, qop="auth", opaque="o"', 'Digest realm="r', 'Digest nonce="n"', "Digest",
              'Basic realm="r"', 'Digest realm="\\"", nonce="\\\\", qop=auth',
              'Digest realm="r", nonce="' + "n" * 4000 + '"', "Digest realm=r, nonce=, algorithm=MD5-sess, qop=\"x\"", ",,,", ""]
SIPFRAGS = ["SIP/2.0 100 Trying", "SIP/2.0 200 OK", "SIP/2.0 999 X", "", "HTTP/1.1 200 OK", "SIP/2.0 -1"]
STATUSES = [100, 180, 183, 199, 200, 202, 204, 299, 300, 302, 305, 380, 400, 401, 403, 404, 407, 408, 410, 416, 420, 421, 422, 423, 480, 481,
            482, 483, 486, 487, 488, 489, 491, 493, 494, 500, 501, 503, 504, 513, 580, 600, 603, 606, 699]
BROKEN_STATUSES = ["099", "000", "700", "999", "20", "2000", "-200", "2x0", ""]
EVENTS = ["presence", "refer", "refer;id=1", "dialog", "conference;id=x", "", ";", "presence;id=", "x" * 500]
SUBSCRIPTION_STATES = ["active", "active;expires=0", "pending;expires=99999999999", "terminated", "terminated;reason=timeout;retry-after=0",
                       "terminated;reason=rejected", "terminated;reason=deactivated", "unheard", "", ";", "active;expires=-1"]


class Odd:
    """Draws all values of one run from one seed."""

    def __init__(self, seed: int, here: tuple[str, int], victim: tuple[str, int]):
        self.dice = random.Random(seed)
        self.here, self.victim = here, victim

    def likely(self, chance: float) -> bool:
        return self.dice.random() < chance

    def fill(self, text: str) -> str:
        return text.replace("{here}", f"{self.here[0]}:{self.here[1]}").replace("{victim}", f"{self.victim[0]}:{self.victim[1]}")

    def number(self, near: int = 1) -> int:
        return near + self.dice.choice([-2, -1, 0, 0, 1, 2, 1000]) if self.likely(0.6) else self.dice.choice(NUMBERS)

    def contact(self, oddity: float = 0.3) -> list[tuple[str, str]]:
        if self.likely(0.05):
            return []
        text = self.dice.choice(ODD_CONTACTS if self.likely(oddity) else GOOD_CONTACTS)
        return [("Contact", self.fill(text))]

    def route(self, chance: float = 0.2) -> list[tuple[str, str]]:
        return [("Record-Route", self.fill(self.dice.choice(ODD_ROUTES)))] if self.likely(chance) else []

    def challenge(self) -> list[tuple[str, str]]:
        name = self.dice.choice(["WWW-Authenticate", "Proxy-Authenticate"])
        return [(name, self.dice.choice(CHALLENGES)) for _ in range(self.dice.choice([0, 1, 1, 1, 2, 12]))]

    def extras(self) -> list[tuple[str, str]]:
        """Headers that mean something somewhere."""
        choices = [("Require", self.dice.choice(["100rel", "timer", "foo", "100rel, timer", ""])), ("Supported", "100rel, timer, replaces, outbound"),
                   ("RSeq", str(self.number())), ("RAck", f"{self.number()} {self.number()} INVITE"), ("Session-Expires", f"{self.number(90)};refresher=uas"),
                   ("Session-Expires", f"{self.number(1800)};refresher=uac"), ("Min-SE", str(self.number(90))), ("Min-Expires", str(self.number(60))),
                   ("Expires", str(self.number(60))), ("Retry-After", str(self.number(0))), ("Allow", "INVITE, ACK, BYE"), ("Allow", "UPDATE"),
                   ("Event", self.dice.choice(EVENTS)), ("Subscription-State", self.dice.choice(SUBSCRIPTION_STATES)), ("Reason", "SIP;cause=200"),
                   ("Content-Disposition", "session;handling=required"), ("Warning", "399 x"), ("Unsupported", "100rel"), ("Max-Breadth", "0")]
        return self.dice.sample(choices, self.dice.choice([0, 0, 0, 1, 1, 2, 4]))

    def tag(self) -> str:
        return self.dice.choice(["fork1", "fork2", "fork3", "callee", "", f"t{self.dice.randrange(10**6)}"])

    # ---- answers ----

    def answers(self, asked: Message) -> list[tuple[float, bytes]]:
        """What is said to a request of ours, each with the seconds to wait before: in order or not, some more than once."""
        if asked.method == "ACK":
            return []
        kind = self.dice.random()
        if kind < 0.08:
            return []  # silence
        said = [self.proper(asked)] if kind < 0.35 else [self.response(asked) for _ in range(self.dice.choice([1, 1, 2, 3, 6]))]
        if self.likely(0.15):
            said += [self.dice.choice(said)] * self.dice.choice([1, 3])  # again
        if asked.method == "INVITE" and self.likely(0.5):
            said = self.ringing(asked) + said
        if self.likely(0.1):
            self.dice.shuffle(said)
        return [(self.dice.choice([0, 0, 0, 0.02, 0.2, 1.5]), octets) for octets in said]

    def proper(self, asked: Message) -> bytes:
        """As a correct peer would."""
        headers = [("Contact", self.fill(GOOD_CONTACTS[0]))]
        if asked.method == "SUBSCRIBE":
            headers.append(("Expires", asked.one("expires") or "600"))
        body = SDP if asked.method in ("INVITE", "UPDATE") and (asked.body or asked.method == "INVITE") else ""
        return answer(asked, 202 if asked.method == "REFER" else 200, headers=headers, body=body, reason="OK")

    def ringing(self, asked: Message) -> list[bytes]:
        """Reliable provisionals whose numbers rise, jump, fall, repeat or are none."""
        start = self.number()
        numbers = [start + step for step in self.dice.choice([[0], [0, 1], [0, 1, 2], [0, 0, 0], [0, 2, 1], [0, -1], [5, 0, 2**31], [0, 1, 1, 0]])]
        tag = self.tag()
        said = []
        for number in numbers:
            headers = [("Require", "100rel"), ("RSeq", str(number)), *self.contact(0.2), *self.route(0.1)]
            body = SDP if self.likely(0.4) else ""
            said.append(answer(asked, self.dice.choice([180, 183, 183, 199, 101]), to_tag=tag if self.likely(0.8) else self.tag(), headers=headers, body=body))
        return said

    def response(self, asked: Message) -> bytes:
        status = self.dice.choice(STATUSES if self.likely(0.6) else [200, 200, 180, 183, 491, 401])
        if self.likely(0.03):
            status = self.dice.choice(BROKEN_STATUSES)
        headers = [*self.contact(0.35), *self.route(), *self.extras()]
        if status in (401, 407) or self.likely(0.02):
            headers += self.challenge()
        cseq = ""
        if self.likely(0.12):
            method = self.dice.choice(["INVITE", "ACK", "CANCEL", "BYE", "PRACK", "NOTIFY", "FOO", asked.method])
            cseq = f"{asked.cseq if self.likely(0.7) else self.number(asked.cseq)} {method}"
        changed = Message(asked_octets(asked)) if self.likely(0.05) else asked
        if changed is not asked:
            spoilt = self.dice.choice(["to", "from", "call-id", "via"])
            changed.headers = [(name, self.spoil(value) if name == spoilt else value) for name, value in asked.headers]
        body = SDP if self.likely(0.3) else ""
        return answer(changed, status, to_tag=self.tag() if self.likely(0.5) else "callee", headers=headers, body=body, cseq=cseq)

    def spoil(self, value: str) -> str:
        at = self.dice.randrange(len(value) + 1)
        return self.dice.choice([value[:at] + value[at + 3:], value[:at] + self.dice.choice([";", "x", "<", ",", '"', ";tag=y"]) + value[at:], ""])

    # ---- requests inside what may be a dialog ----

    METHODS = ["PRACK", "ACK", "CANCEL", "BYE", "INVITE", "UPDATE", "NOTIFY", "REFER", "INFO", "MESSAGE", "SUBSCRIBE", "OPTIONS", "FOO"]

    def inside(self, uri: str, from_: str, to: str, call_id: str, cseq: int, *, branch: str = "", transport: str = "UDP", near: int = 1,
               others: list[str] = (), methods: list[str] | None = None) -> bytes:
        """near: the RSeq that is about right; others: Replaces values that name something."""
        method = self.dice.choice(methods or self.METHODS)
        headers = [*self.contact(0.25), *self.route(0.05), *self.extras()]
        if method == "PRACK":
            headers.append(("RAck", f"{self.number(near)} {self.number(cseq)} {self.dice.choice(['INVITE', 'INVITE', 'INVITE', 'FOO'])}"))
        if method == "NOTIFY":
            headers += [("Event", self.dice.choice(EVENTS)), ("Subscription-State", self.dice.choice(SUBSCRIPTION_STATES))]
        if method == "REFER":
            inner = self.dice.choice([*others, "x", ""]).replace(";", "%3B").replace("=", "%3D")
            targets = ["<sip:hold@{here}>", f"<sip:a@{{here}}?Replaces={inner}>", "<tel:+1>", "<http://x/>", "<sip:a@{here}?X=y>", "",
                       "<sip:a@{here};method=BYE>", "<sip:alice@{victim}>", "<sip:x@10.0.0.1>"]
            headers += [("Refer-To", self.fill(self.dice.choice(targets)))] * self.dice.choice([1, 1, 1, 2, 0])
        if method == "SUBSCRIBE":
            headers += [("Event", self.dice.choice(EVENTS)), ("Expires", str(self.dice.choice([0, 0, 1, 600, 99_999_999_999])))]
        if method == "INVITE" and self.likely(0.3):
            headers.append(("Replaces", self.dice.choice([*others, "x;to-tag=1;from-tag=2", ";to-tag", ""])))
        body = SDP if method in ("INVITE", "UPDATE", "PRACK", "ACK") and self.likely(0.5) else self.dice.choice(SIPFRAGS) if method == "NOTIFY" else ""
        number = cseq + 1 if self.likely(0.5) else self.number(cseq)
        named = method if self.likely(0.97) else self.dice.choice(self.METHODS)
        return request(method, uri, self.here, transport=transport, branch=branch if branch and self.likely(0.8) else "", from_=from_, to=to, call_id=call_id,
                       cseq=f"{number} {named}", headers=headers, body=body)


def asked_octets(asked: Message) -> bytes:
    return ("\r\n".join([asked.first, *(f"{name}: {value}" for name, value in asked.headers)]) + "\r\n\r\n").encode()


__all__ = ["Odd", "new_id"]
