#!/usr/bin/python3
"""Which folder may include what, and which names the product may not use; every fixture tree must be refused too.

Usage: tests/arrows_test.py [--junit FILE] [TREE]
  TREE  the root to read; default: the project, and then each tree in tests/fixtures/arrows

A fixture is one small tree for one forbidden thing; its file `refused` names the rule that must refuse it, and no other
rule may. The tree `allowed` must pass: it shows that the rules do not refuse everything.
"""
import argparse
import pathlib
import re
import sys
import time
import xml.etree.ElementTree as xml

ROOT = pathlib.Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "tests" / "fixtures" / "arrows"
PRODUCT = ("mapping", "net", "sip", "media_relay", "plugin")
SOURCES = {".h", ".hpp", ".c", ".cc", ".cpp", ".ipp"}

# folder -> what it may include of the project; the longest folder that fits a file counts (docs/architecture.md).
ARROWS = {
    "mapping": ("mapping/",),
    "net": ("net/", "mapping/core/"),
    "sip": ("sip/", "mapping/", "net/"),
    "media_relay": ("media_relay/", "mapping/", "net/"),
    "plugin/config": ("plugin/config/", "mapping/core/"),
    "plugin/engine": ("plugin/engine/", "mapping/", "plugin/config/options.h"),
    "plugin/host": tuple(folder + "/" for folder in PRODUCT),
}

# rule, headers, the only folders that may include them
LIBRARIES = [
    ("sofia", re.compile(r"sofia-(sip|resolv)/"), ("sip/",)),
    ("expat", re.compile(r"expat"), ("mapping/xml/",)),
    ("asio", re.compile(r"boost/(asio|beast)"), ("sip/", "net/", "media_relay/", "plugin/host/")),
    ("json", re.compile(r"nlohmann/"), ("plugin/config/", "plugin/host/")),
    ("sqlite", re.compile(r"sqlite3"), ("plugin/host/store/",)),
    ("regex", re.compile(r"regex$|boost/(regex|xpressive)"), ()),
    ("threads", re.compile(r"(thread|mutex|shared_mutex|condition_variable|future|sys/socket\.h|pthread\.h)$"),
     ("sip/", "net/", "media_relay/", "plugin/host/")),
]

# rule, what a line of code may not hold, the only folders where it may, and what excuses the line
NAMES = [
    ("getaddrinfo", re.compile(r"\b(getaddrinfo|gethostby\w+|res_n?(query|search))\b|\bip::(\w+::|basic_)resolver\b"), ("net/",), None),
    ("regex", re.compile(r"\bstd::(w?regex|basic_regex|regex_\w+)\b"), (), None),
    # A timer on the wall clock fires at the wrong moment when the clock is set; UtcTime is for time stamps people read.
    ("wall-clock", re.compile(r"\bsystem_(clock|timer)\b"), (), re.compile(r"\bUtcTime\b")),
    # Time is an argument of the pure folders.
    ("pure", re.compile(r"_clock::now\b|\b(clock_gettime|gettimeofday)\b"), ("sip/", "net/", "media_relay/", "plugin/host/"), None),
]

# Markup in a text of the program: only the writer makes XML, or hostile text could become more of it. The frame of the component
# stream is no whole element, so that its session writes it.
MARKUP = re.compile(r"xmlns=|</\w")
MARKUP_WRITERS = ("mapping/xml/", "mapping/xmpp/component_session.cpp")

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')
COMMENT_OR_STRING = re.compile(r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])'""", re.DOTALL)


def code_only(text: str) -> str:
    """The text with comments and strings blanked, lines kept; include lines keep their quoted name."""
    def blank(match: re.Match) -> str:
        line = text[text.rfind("\n", 0, match.start()) + 1:match.start()]
        if match[0][0] == '"' and re.fullmatch(r"\s*#\s*include\s*", line):
            return match[0]
        return re.sub(r"[^\n]", " ", match[0])
    return COMMENT_OR_STRING.sub(blank, text)


def texts_of(text: str) -> list[tuple[int, str]]:
    """(line, text) of each string of the program; comments are none."""
    return [(text.count("\n", 0, match.start()) + 1, match[0]) for match in COMMENT_OR_STRING.finditer(text) if match[0][0] == '"']


def refused_include(path: str, quoted: str | None, angled: str | None) -> str | None:
    """The rule that an include line of `path` breaks."""
    if quoted and quoted.split("/")[0] not in (*PRODUCT, "tests") or quoted and "/" not in quoted:
        return "spelled-from-root"
    name = quoted or angled
    if name.startswith("tests/") or name.split("/")[0] in PRODUCT:
        folder = max((key for key in ARROWS if path.startswith(key + "/")), key=len, default=None)
        return None if folder and name.startswith(ARROWS[folder]) else "arrow"
    for rule, header, folders in LIBRARIES:
        if header.match(name) and not path.startswith(folders or ("//",)):
            return rule
    return None


def findings(root: pathlib.Path) -> list[tuple[str, str]]:
    """(rule, "file:line: the line") for everything the rules refuse in the tree."""
    found = []
    for file in sorted(path for folder in PRODUCT for path in (root / folder).rglob("*") if path.suffix in SOURCES):
        path = file.relative_to(root).as_posix()
        if not path.startswith(MARKUP_WRITERS):
            found += [("xml-by-hand", f"{path}:{number}: {text}") for number, text in texts_of(file.read_text(errors="replace")) if MARKUP.search(text)]
        for number, line in enumerate(code_only(file.read_text(errors="replace")).splitlines(), 1):
            where = f"{path}:{number}: {line.strip()}"
            if include := INCLUDE.match(line):
                if rule := refused_include(path, include[1], include[2]):
                    found.append((rule, where))
                continue
            found += [(rule, where) for rule, name, folders, excuse in NAMES
                      if name.search(line) and not path.startswith(folders or ("//",)) and not (excuse and excuse.search(line))]
    return found


def check_fixture(tree: pathlib.Path) -> str | None:
    expected = tree / "refused"
    wanted = {expected.read_text().strip()} if expected.exists() else set()
    found = {rule for rule, _ in findings(tree)}
    return None if found == wanted else f"refused by {sorted(found) or 'nothing'}, not by {sorted(wanted) or 'nothing'}"


def check_tree(tree: pathlib.Path) -> str | None:
    return "\n".join(f"{where}   [{rule}]" for rule, where in findings(tree)) or None


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--junit", type=pathlib.Path)
    arguments.add_argument("tree", nargs="?", type=pathlib.Path)
    options = arguments.parse_args()
    checks = [("tree", check_tree, options.tree or ROOT)]
    if not options.tree:
        checks += [("fixture_" + tree.name, check_fixture, tree) for tree in sorted(FIXTURES.iterdir()) if tree.is_dir()]
    suite, failed = xml.Element("testsuite", name="arrows", tests=str(len(checks))), 0
    for name, check, tree in checks:
        start = time.monotonic()
        problem = check(tree)
        case = xml.SubElement(suite, "testcase", classname="arrows", name=name, time=f"{time.monotonic() - start:.3f}")
        if problem:
            failed += 1
            print(f"FAILED {name}\n{problem}")
            xml.SubElement(case, "failure", message=problem)
    if options.junit:
        options.junit.parent.mkdir(parents=True, exist_ok=True)
        xml.ElementTree(suite).write(options.junit, encoding="utf-8", xml_declaration=True)
    print(f"arrows: {len(checks) - failed} of {len(checks)} passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
