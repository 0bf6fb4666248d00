#!/usr/bin/python3 -B
"""Whether all that goes into some targets compiles: the compiler reads it and makes no code, which takes a fifth of the time.

Usage: tests/gate/syntax.py BUILD TARGET...
  BUILD  a configured build folder of Ninja's; nothing needs to be built in it
"""
import concurrent.futures
import json
import os
import pathlib
import shlex
import subprocess
import sys


def output_of(command: list[str]) -> str:
    return command[command.index("-o") + 1]


def commands(build: pathlib.Path, targets: list[str]) -> list[list[str]]:
    """The compilations that the targets depend on."""
    listed = subprocess.run(["ninja", "-C", build, "-t", "inputs", *targets], stdout=subprocess.PIPE, text=True, check=True).stdout
    inputs = set(listed.splitlines())
    entries = json.loads((build / "compile_commands.json").read_text())
    return [command for command in (shlex.split(entry["command"]) for entry in entries) if output_of(command) in inputs]


def without_code(command: list[str]) -> list[str]:
    at = command.index("-o")
    return [*command[:at], "-fsyntax-only", *command[at + 2:]]


def compiles(build: pathlib.Path, command: list[str]) -> bool:
    done = subprocess.run(command, cwd=build, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        print(f"{command[-1]}:\n{done.stdout}", flush=True)
    return done.returncode == 0


def all_compile(build: pathlib.Path, chosen: list[list[str]]) -> bool:
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return all(list(pool.map(lambda command: compiles(build, command), chosen)))


def main() -> int:
    build, targets = pathlib.Path(sys.argv[1]), sys.argv[2:]
    found = commands(build, targets)
    headers = [command for command in found if output_of(command).endswith(".pch")]  # the sources need these themselves
    sources = [without_code(command) for command in found if command not in headers]
    good = bool(sources) and all_compile(build, headers) and all_compile(build, sources)
    print(f"{len(sources)} sources of {len(targets)} targets: {'all compile' if good else 'not all compile'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
