#!/usr/bin/python3
"""Changes each value of each row of the program's tables, one at a time, and must see a test fail for every change.

Usage: tests/tools/mutants.py [--list] [--jobs N] [WORD ...]
  WORD  only mutants whose line in the list holds one of these words ("kStatuses", "404")

A value becomes the next different value of its column, so a mutant is always a plausible slip. Works in copies of the tree under
build/mutants; only the changed object is compiled again. A mutant that does not compile is noticed too: a static_assert saw it.
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
TREE = ("CMakeLists.txt", "CMakePresets.json", "cmake", "mapping", "net", "sip", "media_relay", "plugin", "tests", "docs/spec")
TEST_LIMIT_S = 120
PROGRESS = 50  # mutants of one copy


class Table(NamedTuple):
    file: str
    row: re.Pattern  # one row on one line; group 1 is the comma-separated values
    target: str      # the test program that must notice,
    tests: str       # and which of its tests (--gtest_filter)


TABLES = [
    Table("mapping/error_table.cpp", re.compile(r"^\s*ConditionRow\{(.*?)\}"), "stox_unit", "ErrorTable.*"),
    Table("mapping/error_table.cpp", re.compile(r"^\s*StatusRow\{(.*?)\}"), "stox_unit", "ErrorTable.*"),
]


class Mutant(NamedTuple):
    table: Table
    line: int    # from 0
    before: str
    after: str   # the whole line

    def __str__(self) -> str:
        return f"{self.table.file}:{self.line + 1}: {self.before.strip()}\n{'becomes':>{len(self.table.file) + 6}} {self.after.strip()}"


def mutants_of(table: Table) -> list[Mutant]:
    lines = (ROOT / table.file).read_text().splitlines()
    rows = [(number, match) for number, line in enumerate(lines) if (match := table.row.match(line))]
    values = [match[1].split(",") for _, match in rows]
    found = []
    for index, (number, match) in enumerate(rows):
        for column, value in enumerate(values[index]):
            # Further down the column first, then from its beginning.
            others = [row[column].strip() for row in values[index + 1:] + values[:index] if len(row) > column]
            other = next((candidate for candidate in others if candidate != value.strip()), None)
            if other is None:
                continue
            changed = values[index][:column] + [value.replace(value.strip(), other)] + values[index][column + 1:]
            line = lines[number]
            found.append(Mutant(table, number, line, line[:match.start(1)] + ",".join(changed) + line[match.end(1):]))
    return found


class Copy:
    """A copy of the tree with a build of its own."""

    def __init__(self, number: int):
        self.tree, self.build = WORK / str(number) / "tree", WORK / str(number) / "build"

    def refresh(self) -> None:
        """Files whose content differs are copied, so that a second run compiles only those."""
        wanted = [path for top in TREE for path in ([ROOT / top] if (ROOT / top).is_file() else (ROOT / top).rglob("*")) if path.is_file()]
        for path in wanted:
            copy = self.tree / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            if not copy.exists() or copy.read_bytes() != path.read_bytes():
                shutil.copyfile(path, copy)
        for copy in self.tree.rglob("*"):
            if copy.is_file() and not (ROOT / copy.relative_to(self.tree)).exists():
                copy.unlink()
        subprocess.run(["cmake", "-S", self.tree, "-B", self.build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=None", "-DCMAKE_CXX_FLAGS=-O0"],
                       check=True, stdout=subprocess.DEVNULL)

    def passes(self, target: str, tests: str, output=subprocess.DEVNULL) -> bool:
        """Builds and runs; too slow counts as failed."""
        if subprocess.run(["cmake", "--build", self.build, "--target", target], stdout=output, stderr=output, check=False).returncode:
            return False
        program = next(path for path in self.build.rglob(target) if path.is_file())
        try:
            return subprocess.run([program, "--gtest_fail_fast", "--gtest_brief=1", f"--gtest_filter={tests}"], stdout=output, stderr=output,
                                  timeout=TEST_LIMIT_S, check=False).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def survives(self, mutant: Mutant) -> bool:
        file = self.tree / mutant.table.file
        original = file.read_text()
        lines = original.splitlines(keepends=True)
        lines[mutant.line] = mutant.after + "\n"
        try:
            file.write_text("".join(lines))
            return self.passes(mutant.table.target, mutant.table.tests)
        finally:
            file.write_text(original)


def hunt(copy: Copy, mutants: list[Mutant]) -> list[Mutant]:
    survivors = []
    for number, mutant in enumerate(mutants, 1):
        if number % PROGRESS == 0:
            print(f"   {number} of {len(mutants)}", flush=True)
        if copy.survives(mutant):
            survivors.append(mutant)
            print(f"SURVIVED {mutant}", flush=True)
    return survivors


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--list", action="store_true")
    arguments.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments.add_argument("words", nargs="*")
    options = arguments.parse_args()

    mutants = [mutant for table in TABLES for mutant in mutants_of(table)
               if not options.words or any(word in str(mutant) for word in options.words)]
    if options.list or not mutants:
        print("\n".join(map(str, mutants)) or "no row fits")
        return 0 if mutants else 2

    start = time.monotonic()
    copies = [Copy(number) for number in range(min(options.jobs, len(mutants)))]
    for copy in copies:  # one after the other: the compiler cache makes the second one cheap
        copy.refresh()
        for target, tests in {(mutant.table.target, mutant.table.tests) for mutant in mutants}:
            if not copy.passes(target, tests, output=None):
                print(f"{target} does not build, or {tests} fails, without any change: nothing can be learnt")
                return 1
    print(f"{len(mutants)} mutants, {len(copies)} at a time", flush=True)
    with concurrent.futures.ThreadPoolExecutor(len(copies)) as pool:
        parts = pool.map(hunt, copies, [mutants[number::len(copies)] for number in range(len(copies))])
        survivors = [mutant for part in parts for mutant in part]
    print(f"{len(mutants) - len(survivors)} noticed, {len(survivors)} survived, {(time.monotonic() - start) / 60:.1f} minutes")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
