"""Configurations of a domain that differ from a good one in one thing, as an operator's hand may make them: good ones, and bad ones with what
the refusal has to name. Seeded; each call gives another one."""
import copy
import dataclasses
import random


@dataclasses.dataclass
class Mutation:
    options: dict
    path: str = ""        # what is wrong with it; empty: nothing
    suggestion: str = ""  # what was probably meant

    @property
    def valid(self) -> bool:
        return not self.path


# Word: values that are all good, and change nothing that a ledger judges.
GOOD = {
    "name": ["Phones", "Gateway of \u00c9lys\u00e9e", "x" * 60], "message_hold_ms": [0, 50, 300, 1000], "user_rate": [0, 10_000], "language": ["en", "de"],
    "chat_states": [True, False], "correction_mark": ["* ", "(corrected) "], "e2e_fallback": [True, False], "xhtml_im": [True, False],
    "allow_6xx": [True, False], "service_unavailable_code": [403, 480], "pager_as_chat": [True], "scheme": ["native"],
}
# A path from the domain's options, and a value that is wrong there.
BAD = [("message_hold_ms", "soon"), ("message_hold_ms", -1), ("user_rate", -5), ("chat_states", "maybe"), ("service_unavailable_code", 500), ("language", "12"),
       ("peers.phones.next_hop", 5), ("peers.phones.next_hop", "sip:"), ("peers.phones.limits.per_second", -1), ("peers.phones.probe", "often"),
       ("peers.phones.match.source", ["10.77.0.1/99"]), ("peers.phones.match", "everybody"), ("sip_domain", "two words")]
WORDS = [("scheme", "native"), ("peers.phones.kind", "trunk"), ("peers.phones.kind", "phone"), ("peers.phones.cpim", "always"), ("peers.phones.pai", "ignored")]
PEER_NAMES = ["kind", "match", "next_hop", "identities", "targets", "limits", "large_message"]


class Mutations:
    def __init__(self, good: dict, seed: int):
        self.good, self.random = good, random.Random(seed)

    def next(self, changes: dict) -> Mutation:
        """changes: what this one differs in besides."""
        options = {**copy.deepcopy(self.good), **changes}
        kinds = [self.good_value, self.good_value, self.good_value, self.more_peers, self.more_peers, self.bad_value, self.misspelt_value, self.misspelt_name, self.misspelt_name_of_peer, self.two_of_one_source]
        return self.random.choice(kinds)(options)

    def good_value(self, options: dict) -> Mutation:
        for word in self.random.sample(sorted(GOOD), 3):
            options[word] = self.random.choice(GOOD[word])
        return Mutation(options)

    def more_peers(self, options: dict) -> Mutation:
        for number in range(self.random.randint(1, 20)):
            options["peers"][f"carrier{number}"] = {"kind": self.random.choice(["trunk", "proxy", "phone"]), "match": {"source": [f"192.0.2.{number + 1}"]},
                                                    "next_hop": f"sip:192.0.2.{number + 1}", "probe": False, "targets": [f"carrier{number}.test"]}
        options["peers"]["phones"]["default"] = True
        return Mutation(options)

    def bad_value(self, options: dict) -> Mutation:
        path, value = self.random.choice(BAD)
        put(options, path, value)
        return Mutation(options, path)

    def misspelt_value(self, options: dict) -> Mutation:
        path, value = self.random.choice(WORDS)
        put(options, path, self.misspelt(value))
        return Mutation(options, path, value)

    def misspelt_name(self, options: dict) -> Mutation:
        word = self.random.choice(sorted(GOOD))
        wrong = self.misspelt(word)
        options[wrong] = self.random.choice(GOOD[word])
        return Mutation(options, wrong, word)

    def misspelt_name_of_peer(self, options: dict) -> Mutation:
        word = self.random.choice(PEER_NAMES)
        wrong = self.misspelt(word)
        options["peers"]["phones"][wrong] = "x"
        return Mutation(options, f"peers.phones.{wrong}", word)

    def two_of_one_source(self, options: dict) -> Mutation:
        options["peers"]["twins"] = {"match": {"source": options["peers"]["phones"]["match"]["source"]}}
        return Mutation(options, "peers.twins.match.source")

    def misspelt(self, word: str) -> str:
        """One letter more, as a key that was hit twice: nearer to it than to any other word."""
        place = self.random.randrange(1, len(word))
        return word[:place] + word[place] + word[place:]


def put(options: dict, path: str, value) -> None:
    *way, last = path.split(".")
    for word in way:
        options = options.setdefault(word, {})
    options[last] = value
