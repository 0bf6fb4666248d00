#!/usr/bin/python3
"""Which requirements of docs/spec the tests that just ran prove; writes docs/conformance.md.

Usage: tests/conformance.py [--junit DIR] [--spec DIR] [--finished FILE] [--write FILE]

A requirement is a table row of docs/spec/*.md whose first cell is an id (CORE-01, CORE-X07, MEDIA-F12). A test case of the JUnit
files proves it when its name or class holds the id, written CORE-01 or CORE_01, and it ran and passed; skipped and failed ones
prove nothing. The exit status is 1 when
  - a MUST of an area listed in tests/finished_areas has no passing test, unless it is excepted there,
  - a test names more than three ids: such a test says too little about each,
  - a test names an id of a known area that no row has: a slip of the pen would hide a hole.
"""
import argparse
import pathlib
import re
import sys
import xml.etree.ElementTree as xml
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROW = re.compile(r"^\|\s*`?([A-Z][A-Z0-9]*-[A-Z]?\d+(?:xx|[a-z])?)`?\s*\|\s*([^|]*)")
HEADING = re.compile(r"^#{2,}\s+(\d[\d.]*)\s")
TOKEN = re.compile(r"(?<![A-Za-z0-9])([A-Z]+)[-_]([A-Z]?\d+(?:xx|[a-z])?)(?!\d)")
RAISED = re.compile(r"^Raised to MUST: (.*)$", re.MULTILINE)
MAX_IDS = 3
TESTS_SHOWN = 3


class Requirement(NamedTuple):
    section: str  # "core 1.4"
    level: str    # MUST | SHOULD | MAY


class Case(NamedTuple):
    name: str     # "class.name"
    result: str   # passed | failed | skipped


def read_spec(folder: pathlib.Path) -> dict[str, Requirement]:
    """id -> where it stands and its level; a row without a level cell is a MUST."""
    raised = {key for file in folder.glob("*.md") for line in RAISED.findall(file.read_text()) for key in re.split(r"[ ,]+", line)}
    found: dict[str, Requirement] = {}
    for file in sorted(folder.glob("*.md")):
        section = ""
        for line in file.read_text().splitlines():
            if heading := HEADING.match(line):
                section = heading[1].rstrip(".")
            elif row := ROW.match(line):
                level = row[2].strip(" `*")
                level = level if level in ("MUST", "SHOULD", "MAY") and row[1] not in raised else "MUST"
                found.setdefault(row[1], Requirement(f"{file.stem} {section}", level))
    return found


def read_cases(folder: pathlib.Path) -> list[Case]:
    cases = []
    for file in sorted(folder.rglob("*.xml")):
        for case in xml.parse(file).getroot().iter("testcase"):
            name = ".".join(filter(None, (case.get("classname"), case.get("name"))))
            if case.find("failure") is not None or case.find("error") is not None:
                result = "failed"
            else:
                skipped = case.find("skipped") is not None or case.get("status") == "notrun" or case.get("result") == "skipped"
                result = "skipped" if skipped else "passed"
            cases.append(Case(name, result))
    return cases


def ids_in(name: str, areas: set[str], known: dict[str, Requirement]) -> set[str]:
    """Ids of known areas in a test's name. A letter after the digits may belong to the next word: CORE_20a... is CORE-20."""
    found = set()
    for area, number in TOKEN.findall(name):
        if area in areas:
            key = f"{area}-{number}"
            found.add(key if key in known or not number[-1].islower() else key.rstrip("abcdefghijklmnopqrstuvwxyz"))
    return found


def finished_areas(file: pathlib.Path) -> dict[str, set[str]]:
    """area -> its rows that are not finished; a line is `AREA` or `AREA except ID ID ...`."""
    areas = {}
    for line in file.read_text().splitlines():
        area, *rest = line.split("#")[0].split() or [""]
        if rest and (rest[0] != "except" or len(rest) == 1):
            raise SystemExit(f"{file}: '{line}' is neither AREA nor AREA except ID ...")
        if area in areas:
            raise SystemExit(f"{file}: {area} stands there twice")
        if area:
            areas[area] = set(rest[1:])
    return areas


def unfinished(file: pathlib.Path, spec: dict[str, Requirement], proven: set[str]) -> list[str]:
    """What the finished areas lack. An exception that is not one any more fails too, so that the list cannot grow old."""
    problems = []
    for area, excepted in finished_areas(file).items():
        rows = {key: row for key, row in spec.items() if key.startswith(area + "-")}
        if not rows:
            problems.append(f"{file.name} names {area}, which docs/spec does not have")
        problems += [f"{file.name} excepts {key}, which is no MUST of {area}"
                     for key in sorted(excepted) if key not in rows or rows[key].level != "MUST"]
        problems += [f"{file.name} excepts {key}, which is proven" for key in sorted(excepted & proven)]
        problems += [f"{key} ({row.section}): MUST of a finished area without a passing test"
                     for key, row in rows.items() if row.level == "MUST" and key not in proven | excepted]
    return problems


def page(spec: dict[str, Requirement], tests: dict[str, list[Case]]) -> str:
    """The generated page; the same results give the same text, so that it can be kept in the repository."""
    def result(key: str) -> str:
        results = {case.result for case in tests.get(key, [])}
        return next((word for word in ("failed", "passed", "skipped") if word in results), "no test")

    lines = ["# Conformance", "", "Generated by tests/conformance.py from docs/spec and the results of the tests. Proven: a test that names the "
             "requirement ran and passed.", "", "| area | rows | proven | MUST | MUST proven |", "|---|---|---|---|---|"]
    for area in dict.fromkeys(key.split("-")[0] for key in spec):
        rows = [key for key in spec if key.startswith(area + "-")]
        must = [key for key in rows if spec[key].level == "MUST"]
        lines.append(f"| {area} | {len(rows)} | {sum(result(key) == 'passed' for key in rows)} | {len(must)} | "
                     f"{sum(result(key) == 'passed' for key in must)} |")
    lines += ["", "| id | section | level | test | result |", "|---|---|---|---|---|"]
    for key, row in spec.items():
        names = sorted({case.name for case in tests.get(key, [])})
        shown = ", ".join(name.replace("|", "\\|") for name in names[:TESTS_SHOWN])
        more = f" and {len(names) - TESTS_SHOWN} more" if len(names) > TESTS_SHOWN else ""
        lines.append(f"| {key} | {row.section} | {row.level} | {shown}{more} | {result(key)} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--junit", type=pathlib.Path, default=ROOT / "build" / "junit")
    arguments.add_argument("--spec", type=pathlib.Path, default=ROOT / "docs" / "spec")
    arguments.add_argument("--finished", type=pathlib.Path, default=ROOT / "tests" / "finished_areas")
    arguments.add_argument("--write", type=pathlib.Path, default=ROOT / "docs" / "conformance.md")
    options = arguments.parse_args()

    spec, cases = read_spec(options.spec), read_cases(options.junit)
    areas = {key.split("-")[0] for key in spec}
    tests: dict[str, list[Case]] = {}
    problems = []
    for case in cases:
        ids = ids_in(case.name, areas, spec)
        if len(ids) > MAX_IDS:
            problems.append(f"{case.name} names {len(ids)} requirements, {MAX_IDS} at most")
        problems += [f"{case.name} names {key}, which no row of docs/spec has" for key in sorted(ids - spec.keys())]
        for key in ids & spec.keys():
            tests.setdefault(key, []).append(case)

    proven = {key for key, named in tests.items() if {case.result for case in named} - {"skipped"} == {"passed"}}
    problems += unfinished(options.finished, spec, proven)

    options.write.write_text(page(spec, tests))
    print("\n".join(dict.fromkeys(problems)) + "\n" if problems else "", end="")
    must = {key for key, row in spec.items() if row.level == "MUST"}
    print(f"conformance: {len(proven)} of {len(spec)} requirements proven, {len(proven & must)} of {len(must)} MUSTs; "
          f"{len(cases)} test cases read")
    return 1 if problems or not spec else 0


if __name__ == "__main__":
    sys.exit(main())
