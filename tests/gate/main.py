"""Usage: tests/run [verb]

  (none)          the gate: packages, both builds, every part; 60 minutes at most
  unit            unit tests, corpus replay and arrows on the sanitized build
  e2e [name ...]  scenarios in Prosody and in ejabberd; names choose among them
  bench [what]    measurements of tests/bench
  fuzz [seconds]  every fuzz target with clang for that long, 60 without a number
  full [area ..]  the gate's parts, more seeds, ThreadSanitizer and 10 minutes per fuzz target (STOX_FULL_FUZZ_SECONDS);
                  an area is the beginning of a part's name
  mutants         changes every row of the mapping tables; a test must notice each
  list            names the parts of the gate and of full, runs nothing

Results: build/junit (JUnit XML) and build/logs. The last line is "N passed, N failed, N skipped".
"""
import os
import shutil
import sys

import packages
import parts
from runner import JUNIT, ROOT, root_prefix, run_parts, stop_on_signals

GATE_MINUTES = 60


def gate(_words: list[str]) -> int:
    forget_results()
    return run_parts(parts.gate(), GATE_MINUTES) if packages.install("packages.txt", "packages-peers.txt", "packages-fuzz.txt") else 1


def forget_results() -> None:
    """Results of an earlier run would prove requirements in this one."""
    shutil.rmtree(JUNIT, ignore_errors=True)


def unit(_words: list[str]) -> int:
    return run_parts(parts.unit(), None) if packages.install("packages.txt") else 1


def e2e(words: list[str]) -> int:
    return run_parts(parts.e2e(words), None) if packages.install("packages.txt", "packages-peers.txt") else 1


def fuzz(words: list[str]) -> int:
    seconds = int(words[0]) if words else 60
    return run_parts(parts.fuzz(seconds), None) if packages.install("packages.txt", "packages-fuzz.txt") else 1


def full(words: list[str]) -> int:
    chosen = [part for part in full_parts() if not words or part.name.startswith(tuple(words))]
    if not chosen:
        print(f"no part begins with {' or '.join(words)}: see tests/run list")
        return 2
    forget_results()
    builds = [part for part in parts.builds() if part.name not in {other.name for other in chosen}]
    return run_parts(builds + chosen, None) if packages.install("packages.txt", "packages-peers.txt", "packages-fuzz.txt") else 1


def full_parts() -> list[parts.Part]:
    return parts.full(int(os.environ.get("STOX_FULL_FUZZ_SECONDS", "600")))


def bench(words: list[str]) -> int:
    benches = [part for part in parts.benches() if not words or part.name.startswith("build_") or part.name.removeprefix("bench_") in words]
    if not benches:
        there = ", ".join(part.name.removeprefix("bench_") for part in parts.benches())
        print(f"no such measurement; tests/bench has: {there}" if there else "tests/bench has no measurements yet: nothing to run")
        return 2 if words else 0
    packages.install("packages-bench.txt")  # who is compared with; what cannot be had is left out and said so
    return run_parts(benches, None) if packages.install("packages.txt", "packages-peers.txt") else 1


def mutants(words: list[str]) -> int:
    if not packages.install("packages.txt"):
        return 1
    program = str(ROOT / "tests" / "tools" / "mutants.py")
    os.execv(program, [program, *words])


def show(_words: list[str]) -> int:
    for title, chosen in (("gate", parts.gate()), ("full", full_parts())):
        print(title)
        for part in chosen:
            print(f"  {part.name:<24}{part.minutes:>5.0f} minutes at most{', root' if part.needs_root else ''}")
    print("root: " + ("yes" if root_prefix() is not None else "no, the parts that need it are left out and the run fails"))
    print("missing packages: " + (" ".join(packages.missing(packages.listed("packages.txt", "packages-peers.txt", "packages-fuzz.txt"))) or "none"))
    return 0


def usage(_words: list[str]) -> int:
    print(__doc__)
    return 0


VERBS = {"gate": gate, "unit": unit, "e2e": e2e, "bench": bench, "fuzz": fuzz, "full": full, "mutants": mutants, "list": show,
         "help": usage, "-h": usage, "--help": usage}


def main() -> int:
    words = sys.argv[1:] or ["gate"]
    if words[0] not in VERBS:
        print(f"unknown verb {words[0]}\n\n{__doc__}")
        return 2
    stop_on_signals()
    return VERBS[words[0]](words[1:])


if __name__ == "__main__":
    sys.exit(main())
