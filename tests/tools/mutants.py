#!/usr/bin/python3
"""Changes each value of each row of the program's tables, one at a time, and must see a test fail for every change.

Usage: tests/tools/mutants.py [--list] [--jobs N] [--sample N] [WORD ...]
  WORD        only mutants whose line in the list holds one of these words ("kStatuses", "404", "subscriber_table")
  --sample N  N of them, the same ones each time, spread over all tables

Three kinds:
  value    one value of a table (constexpr std::array) becomes the next different one of its column, a plausible slip; one in a
           plain list becomes another word or number
  mark     one character leaves a set of characters (constexpr std::string_view or CharSet of marks)
  machine  a row of a state machine (mapping/core/transitions.h) is missing, or its actions happen and the state stays

Works in copies of the tree under build/mutants. A changed value compiles one object and links one test program; a mutant that
does not compile is noticed too: a static_assert saw it. The machines are compiled once, with tests/tools/mutant_transitions.h in
the place of their header, which leaves out the row that the environment names.
Every table of the program is either listed in TABLES or excused in EXCUSED, else the run fails.
Prints the survivors; exit status 0 when there is none.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
WORK = ROOT / "build" / "mutants"
TREE = ("CMakeLists.txt", "CMakePresets.json", "cmake", "mapping", "net", "sip", "media_relay", "plugin", "tests", "docs/spec", "docs/options.md")
LOOKED_THROUGH = ("mapping", "net", "sip", "plugin/engine")
TEST_LIMIT_S = 120
PROGRESS = 50  # mutants of one copy
MACHINES, MACHINE_TESTS = "stox_dialog_tests", "*"
QUICK_TESTS = "-*Simulator*"  # of them: most mutants are noticed by these already
MACHINE_HEADER = "mapping/core/transitions.h"
ROW_VARIABLE, ROWS_VARIABLE = "STOX_MUTANT", "STOX_MUTANT_ROWS"


class Table(NamedTuple):
    file: str
    name: str    # of the constant
    target: str  # the test program that must notice,
    tests: str   # and which of its tests (--gtest_filter)


TABLES = [
    Table("mapping/address.cpp", "kEscapes", "stox_unit", "*Address*"),
    Table("mapping/error_table.cpp", "kConditions", "stox_unit", "*ErrorTable*"),
    Table("mapping/error_table.cpp", "kStatuses", "stox_unit", "*ErrorTable*"),
    Table("mapping/im/extensions.cpp", "kEncryption", "stox_unit", "Extensions*"),
    Table("mapping/im/extensions.cpp", "kStates", "stox_unit", "Extensions*:IsComposing*"),
    Table("mapping/im/html.cpp", "kBlocks", "stox_unit", "Html*"),
    Table("mapping/im/html.cpp", "kKept", "stox_unit", "Html*"),
    Table("mapping/im/html.cpp", "kSchemes", "stox_unit", "Html*"),
    Table("mapping/im/html_reader.cpp", "kReferences", "stox_unit", "Html*"),
    Table("mapping/im/imdn.cpp", "kDispositions", "stox_unit", "Imdn*"),
    Table("mapping/im/imdn.cpp", "kStatuses", "stox_unit", "Imdn*"),
    Table("mapping/im/timestamps.cpp", "kMonths", "stox_unit", "Timestamps*"),
    Table("mapping/phone.cpp", "kDropped", "stox_unit", "Schemes*"),
    Table("mapping/precis.cpp", "kExceptions", "stox_unit", "*Prepare*:*Precis*:*Address*"),
    Table("mapping/presence/accept.cpp", "kRanges", "stox_unit", "PresenceAccept*"),
    Table("mapping/presence/activities.cpp", "kActivities", "stox_unit", "Pidf*"),
    Table("mapping/presence/activities.cpp", "kShown", "stox_unit", "Pidf*"),
    Table("mapping/presence/activities.cpp", "kStrongest", "stox_unit", "Pidf*"),
    Table("mapping/presence/dialog_info.cpp", "kStates", "stox_unit", "DialogInfo*"),
    Table("mapping/presence/state.cpp", "kOrder", "stox_unit", "PresenceState*"),
    Table("mapping/presence/state.cpp", "kShows", "stox_unit", "PresenceState*"),
    Table("mapping/presence/tuple_id.cpp", "kNameCharacters", "stox_unit", "TupleId*"),
    Table("mapping/presence/contact_endings.cpp", "kFailures", "stox_unit", "ContactEndings*"),
    Table("mapping/presence/contact_endings.cpp", "kReasons", "stox_unit", "ContactEndings*"),
    Table("mapping/presence/watcher_endings.cpp", "kEndings", "stox_unit", "WatcherEndings*"),
    Table("mapping/sip/asserted_identity.cpp", "kHiding", "stox_unit", "*AssertedIdentity*:*Privacy*"),
    Table("mapping/sip/dialog.cpp", "kDestroysDialog", MACHINES, "*"),
    Table("mapping/sip/digest/client.cpp", "kRoles", "stox_unit", "*Digest*"),
    Table("mapping/sip/digest/digest_header.cpp", "kQops", "stox_unit", "*Digest*:*Auth*"),
    Table("mapping/sip/digest/hash.cpp", "kAlgorithms", "stox_unit", "*Digest*:*Ha1*"),
    Table("mapping/sip/digest/server.cpp", "kReasons", "stox_unit", "*Digest*"),
    Table("mapping/sip/event_package.cpp", "kPhases", MACHINES, "*"),
    Table("mapping/sip/mandatory_header.cpp", "kMandatory", "stox_engine_tests", "MandatoryHeader.*"),
    Table("mapping/sip/message.cpp", "kPhrases", "stox_unit", "SipMessage*"),
    Table("mapping/sip/own_contact.cpp", "kTransports", "stox_unit", "OwnContact*"),
    Table("mapping/sip/subscriber_table.cpp", "kEnds", MACHINES, "*"),
    Table("mapping/sip/uri.cpp", "kSchemes", "stox_unit", "*Uri*:*Address*"),
    Table("mapping/xml/head.cpp", "kWanted", "stox_unit", "*Xml*:*ComponentSession*"),
    Table("mapping/xmpp/adhoc.cpp", "kActions", "stox_unit", "Adhoc*"),
    Table("mapping/xmpp/adhoc.cpp", "kNotes", "stox_unit", "Adhoc*"),
    Table("mapping/xmpp/adhoc.cpp", "kStatuses", "stox_unit", "Adhoc*"),
    Table("mapping/xmpp/data_form.cpp", "kFieldTypes", "stox_unit", "DataForm*"),
    Table("mapping/xmpp/data_form.cpp", "kFormTypes", "stox_unit", "DataForm*"),
    Table("mapping/xmpp/stanza.cpp", "kIqTypes", "stox_unit", "Stanza*"),
    Table("mapping/xmpp/stanza.cpp", "kMessageTypes", "stox_unit", "Stanza*"),
    Table("mapping/xmpp/stanza.cpp", "kPresenceTypes", "stox_unit", "Stanza*"),
    Table("mapping/xmpp/stanza_error.cpp", "kConditions", "stox_unit", "Stanza*"),
    Table("mapping/xmpp/stanza_error.cpp", "kTypes", "stox_unit", "Stanza*"),
    *(Table("net/address_selection.cpp", name, "stox_net_tests", "AddressSelection.*")
      for name in ("kDestinationRules", "kIpv4SourceRules", "kSourceRules")),
    Table("net/location.cpp", "kServices", "stox_net_tests", "*"),
    Table("net/policy_table.cpp", "kStandard", "stox_net_tests", "PolicyTable.*:AddressSelection.*"),
    *(Table("plugin/engine/admin_command.cpp", name, "stox_engine_tests", "Admin.*")
      for name in ("kBan", "kCancel", "kCancelOwn", "kCommands", "kDrain", "kLevels", "kLogLevel", "kOnOff", "kOwnCommands", "kSubscriptions", "kTrace",
                    "kUnban", "kUserLimit")),
    *(Table("plugin/engine/views.cpp", name, "stox_engine_tests", "Views.*")
      for name in ("kBan", "kConnection", "kDatagram", "kDomain", "kError", "kLimit", "kPeer", "kRequest", "kResponse", "kSubscription", "kTrace", "kTraffic", "kWorker")),
    Table("plugin/engine/sip_checks.cpp", "kKnown", "stox_engine_tests", "SipChecks.*"),
    Table("plugin/engine/sip_checks.cpp", "kServed", "stox_engine_tests", "SipChecks.*"),
    Table("plugin/engine/texts.cpp", "kLanguages", "stox_engine_tests", "Texts.*"),
    Table("sip/encode.cpp", "kReserved", "stox_sip_tests", "*HostileValue*:*Encode*"),
    Table("sip/response_fields.cpp", "kRead", "stox_sip_tests", "SipInviteServer*:SipEndpoint*:SipMessageHeaders*"),
]

# Sets of characters.
MARKS = [
    Table("mapping/sip/uri.cpp", name, "stox_unit", "*Uri*:*Address*")
    for name in ("kUser", "kPassword", "kParameter", "kHeaders", "kHeader", "kMailbox", "kVisualSeparators")
]

EXCUSED = {
    ("net/announcement.cpp", "kNames"): "words, one for each alternative: that there are as many is in its type",
    ("net/announcement.cpp", "kOwnElements"): "every kind but the three that have announcements of their own",
    ("mapping/core/endpoint.cpp", "kMappedPrefix"): "octets of an address, no table",
    ("sip/overload.cpp", "kKinds"): "names for the gate of the log, of which nobody sees more than that they differ",
    ("plugin/engine/texts.cpp", "kTexts"): "words; that every row has them in each language is a static_assert",
}


# Rows of machines whose change nobody can see, by the beginning of what the list shows.
EXCUSED_ROWS = {
    "the state stays: row<subscriber::Active, subscriber::NotifyPending, subscriber::Pending": "Pending and Active do the same",
    "the state stays: row<subscriber::Pending, subscriber::NotifyActive, subscriber::Active": "Pending and Active do the same",
    "the row is missing: row<session::AckAwaited, session::AckMissing, session::Free": "hanging up, which follows at once, does it too",
    "the state stays: row<session::AckAwaited, session::AckMissing, session::Free": "hanging up, which follows at once, does it too",
    "the state stays: row<session::Early, session::ByeIn, session::Over": "the 487 of the INVITE, which follows at once, drops the session",
}


# Values whose change nobody can see, by the end of what the list shows.
EXCUSED_VALUES = {
    "kExceptions: Property::disallowed becomes Property::context": "no rule of context fits these code points, so that they are refused too",
    "kExceptions: 0x00DF becomes 0x0375": "without the row the letter is allowed by its category",
    "kExceptions: 0x03C2 becomes 0x05F3": "without the row the letter is allowed by its category",
    "kExceptions: 0x0660 becomes 0x06F0": "the rule of the other digits refuses a mixture by itself",
    "kExceptions: 0x06F0 becomes 0x06FD": "the rule of the other digits refuses a mixture by itself",
    "becomes Property::pvalid in: Exception{0x0660,": "the rule of the other digits refuses a mixture by itself",
    "becomes Property::pvalid in: Exception{0x06F0,": "the rule of the other digits refuses a mixture by itself",
    "kOrder: Show::xa becomes Show::chat": "what is not in the order comes last",
    'kMessageTypes: "normal" becomes "chat"': "normal is what no known name stands for",
    "kStatuses: NewAddress::may becomes NewAddress::must in: StatusRow{300,": "without an address a row is told as its class is, and this is the class",
}


class Mutant(NamedTuple):
    file: str     # a source, or "" for a machine
    start: int    # octets from here
    end: int      # to here
    after: str    # become this; for a machine how=row
    target: str
    tests: str
    shown: str

    def __str__(self) -> str:
        return self.shown


# Reading tables

BLANK = re.compile(r'//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', re.DOTALL)


def blanked(text: str) -> str:
    """The text with what could hide a brace or comma blanked, octet for octet."""
    return BLANK.sub(lambda match: re.sub(r"[^\n]", " " if match[0].startswith("//") else "_", match[0]), text)


def closing(code: str, opening: int) -> int:
    depth = 0
    for at in range(opening, len(code)):
        depth += {"{": 1, "}": -1}.get(code[at], 0)
        if depth == 0:
            return at
    raise ValueError("no end of a table")


def parts(code: str, start: int, end: int) -> list[tuple[int, int]]:
    """The comma-separated parts of [start, end), trimmed; a comma inside braces or parentheses parts nothing."""
    found, depth, begin = [], 0, start
    for at in range(start, end + 1):
        depth += {"{": 1, "(": 1, "}": -1, ")": -1}.get(code[at], 0) if at < end else 0
        if at == end or (code[at] == "," and depth == 0):
            piece = code[begin:at]
            if piece.strip():
                found.append((begin + len(piece) - len(piece.lstrip()), begin + len(piece.rstrip())))
            begin = at + 1
    return found


def rows_of(code: str, start: int, end: int) -> list[list[tuple[int, int]]]:
    """The cells of each row; a plain value is a row of one."""
    rows = []
    for begin, stop in parts(code, start, end):
        opening = code.find("{", begin, stop)
        rows.append(parts(code, opening + 1, closing(code, opening)) if opening >= 0 else [(begin, stop)])
    return rows


def another(value: str) -> str:
    """A word or number that no list holds."""
    return value[:-1] + 'x"' if value.startswith('"') else str(int(value) + 1)


def table_mutants(table: Table) -> list[Mutant]:
    text = (ROOT / table.file).read_text()
    code = blanked(text)
    head = re.search(r"\b" + table.name + r"\s*(?:=\s*)?{", code)
    if not head:
        sys.exit(f"{table.file} has no table {table.name}")
    rows = rows_of(code, head.end(), closing(code, head.end() - 1))
    values = [[text[a:b] for a, b in row] for row in rows]
    found = []
    for index, row in enumerate(rows):
        for column, (start, end) in enumerate(row):
            value = values[index][column]
            others = [other[column] for other in values[index + 1:] + values[:index] if len(other) > column]
            plain = len(row) == 1 and re.match(r'["\d]', value)
            after = another(value) if plain else next((other for other in others if other != value), None)
            if after is not None:
                found.append(mutant_at(table, text, start, end, after))
    return [mutant for mutant in found if not any(excused in mutant.shown for excused in EXCUSED_VALUES)]


def mark_mutants(table: Table) -> list[Mutant]:
    text = (ROOT / table.file).read_text()
    head = re.search(r"\b" + table.name + r'(?:\s*=\s*|\()"((?:\\.|[^"\\])*)"', text)
    if not head:
        sys.exit(f"{table.file} has no set {table.name}")
    marks = re.compile(r"\\.|.").finditer(text, head.start(1), head.end(1))
    return [mutant_at(table, text, mark.start(), mark.end(), "") for mark in marks]


def mutant_at(table: Table, text: str, start: int, end: int, after: str) -> Mutant:
    line = text.count("\n", 0, start)
    whole = text.splitlines()[line].strip()
    return Mutant(table.file, start, end, after, table.target, table.tests,
                  f"{table.file}:{line + 1}: {table.name}: {text[start:end]} becomes {after or 'nothing'} in: {whole}")


def unlisted_tables() -> list[str]:
    known = {(table.file, table.name) for table in TABLES} | EXCUSED.keys()
    pattern = re.compile(r"\bconstexpr\s+std::array(?:<[^;{}]*?>)?\s+(k\w+)\s*(?:=\s*)?{")
    found = []
    for folder in LOOKED_THROUGH:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".cpp", ".h"):
                file = str(path.relative_to(ROOT))
                found += [f"{file}: {name}" for name in pattern.findall(blanked(path.read_text())) if (file, name) not in known]
    return found


# Copies


class Copy:
    """A copy of the tree with builds of its own: one plain, one whose machines can leave out a row."""

    def __init__(self, number: int, machines: bool = False):
        folder = WORK / ("machines" if machines else str(number))
        self.tree, self.build, self.machines = folder / "tree", folder / "build", machines

    def refresh(self) -> None:
        """Files whose content differs are copied, so that a second run compiles only those."""
        wanted = [path for top in TREE for path in ([ROOT / top] if (ROOT / top).is_file() else (ROOT / top).rglob("*"))
                  if path.is_file() and "__pycache__" not in path.parts]
        for path in wanted:
            copy = self.tree / path.relative_to(ROOT)
            source = ROOT / "tests" / "tools" / "mutant_transitions.h" if self.machines and copy == self.tree / MACHINE_HEADER else path
            copy.parent.mkdir(parents=True, exist_ok=True)
            if not copy.exists() or copy.read_bytes() != source.read_bytes():
                shutil.copyfile(source, copy)
        for copy in self.tree.rglob("*"):
            if copy.is_file() and not (ROOT / copy.relative_to(self.tree)).exists():
                copy.unlink()
        subprocess.run(["cmake", "-S", self.tree, "-B", self.build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=None", "-DCMAKE_CXX_FLAGS=-O0"],
                       check=True, stdout=subprocess.DEVNULL)

    def builds(self, target: str, output=subprocess.DEVNULL) -> bool:
        return subprocess.run(["cmake", "--build", self.build, "-j", "1", "--target", target], stdout=output, stderr=output, check=False).returncode == 0

    def run(self, target: str, tests: str, output=subprocess.DEVNULL, environment: dict[str, str] | None = None) -> bool:
        """Too slow counts as failed."""
        program = self.build / "tests" / target
        try:
            return subprocess.run([program, "--gtest_fail_fast", "--gtest_brief=1", f"--gtest_filter={tests}"], stdout=output, stderr=output,
                                  timeout=TEST_LIMIT_S, check=False, env={**os.environ, **(environment or {})}).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def passes(self, target: str, tests: str, output=subprocess.DEVNULL) -> bool:
        return self.builds(target, output) and self.run(target, tests, output)

    def survives(self, mutant: Mutant) -> bool:
        if self.machines:
            row = {ROW_VARIABLE: mutant.after}
            return self.run(mutant.target, QUICK_TESTS, environment=row) and self.run(mutant.target, mutant.tests, environment=row)
        file = self.tree / mutant.file
        original = file.read_text()
        try:
            file.write_text(original[:mutant.start] + mutant.after + original[mutant.end:])
            return self.passes(mutant.target, mutant.tests)
        finally:
            file.write_text(original)


def machine_mutants(copy: Copy) -> list[Mutant]:
    """The rows as the program itself lists them at its start."""
    listed = WORK / "rows"
    listed.unlink(missing_ok=True)
    copy.run(MACHINES, "-*", environment={ROWS_VARIABLE: str(listed)})
    rows = [line.split(" ", 1) for line in sorted(set(listed.read_text().splitlines()))]
    names = subprocess.run(["c++filt", "-t"], input="\n".join(name for _, name in rows), capture_output=True, text=True, check=True).stdout.splitlines()
    found = []
    for (moves, mangled), name in zip(rows, names):
        short = re.sub(r"stox::(sip::)?|\(anonymous namespace\)::", "", name)
        for how, shown in (("drop", "the row is missing"), ("stay", "the state stays")):
            excused = any(f"{shown}: {short}".startswith(row) for row in EXCUSED_ROWS)
            if (how == "drop" or moves == "moves") and not excused:
                found.append(Mutant("", 0, 0, f"{how}={mangled}", MACHINES, MACHINE_TESTS, f"machine: {shown}: {short}"))
    return found


# The hunt


def hunt(copy: Copy, mutants: list[Mutant]) -> list[Mutant]:
    survivors = []
    for number, mutant in enumerate(mutants, 1):
        if number % PROGRESS == 0:
            print(f"   {number} of {len(mutants)}", flush=True)
        if copy.survives(mutant):
            survivors.append(mutant)
            print(f"SURVIVED {mutant}", flush=True)
    return survivors


def sound(copy: Copy, mutants: list[Mutant]) -> bool:
    for target, tests in sorted({(mutant.target, mutant.tests) for mutant in mutants}):
        if not copy.passes(target, tests, output=None):
            print(f"{target} does not build, or {tests} fails, without any change: nothing can be learnt")
            return False
    return True


def sampled(mutants: list[Mutant], count: int | None) -> list[Mutant]:
    if not count or count >= len(mutants):
        return mutants
    return [mutants[index * len(mutants) // count] for index in range(count)]


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--list", action="store_true", help="builds the machines, for they list their rows themselves")
    arguments.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments.add_argument("--sample", type=int)
    arguments.add_argument("words", nargs="*")
    options = arguments.parse_args()

    if unlisted := unlisted_tables():
        print("tables that tests/tools/mutants.py neither changes nor excuses:\n  " + "\n  ".join(unlisted))
        return 1
    start = time.monotonic()

    def wanted(mutant: Mutant) -> bool:
        return not options.words or any(word in mutant.shown for word in options.words)

    values = [mutant for table in TABLES for mutant in table_mutants(table)] + [mutant for table in MARKS for mutant in mark_mutants(table)]
    machines: list[Mutant] = []
    machine_copy = Copy(0, machines=True)
    if not options.words or any(word in "machine" or not any(word in value.shown for value in values) for word in options.words):
        machine_copy.refresh()
        if not machine_copy.passes(MACHINES, MACHINE_TESTS, output=None):
            print(f"{MACHINES} does not build or fails without any change: nothing can be learnt")
            return 1
        machines = machine_mutants(machine_copy)
    chosen = sampled([mutant for mutant in values + machines if wanted(mutant)], options.sample)
    values, machines = [mutant for mutant in chosen if mutant.file], [mutant for mutant in chosen if not mutant.file]
    if options.list or not chosen:
        print("\n".join(map(str, chosen)) or "no row fits")
        return 0 if chosen else 2

    copies = [Copy(number) for number in range(min(options.jobs, len(values)))]
    for copy in copies:  # one after the other: the compiler cache makes the second one cheap
        copy.refresh()
        if not sound(copy, values):
            return 1
    print(f"{len(chosen)} mutants, {len(machines)} of them in the machines; {options.jobs} at a time", flush=True)
    work = [(copy, values[number::len(copies)]) for number, copy in enumerate(copies)]
    work += [(machine_copy, machines[number::options.jobs]) for number in range(options.jobs) if machines]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        survivors = [mutant for found in pool.map(lambda pair: hunt(*pair), work) for mutant in found]
    print(f"{len(chosen) - len(survivors)} noticed, {len(survivors)} survived, {(time.monotonic() - start) / 60:.1f} minutes")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
