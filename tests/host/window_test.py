#!/usr/bin/python3 -B
"""What ejabberd's module keeps for a service, played with sockets (window_check.erl).

Usage: window_test.py EBIN [--junit FILE]
  EBIN  the folder with mod_stox_window.beam of a build
"""
import argparse
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

HERE = pathlib.Path(__file__).resolve().parent
CASES = 10


def verdicts(ebin: pathlib.Path, folder: str) -> list:
    libraries = {"ERL_LIBS": f"/usr/lib/{platform.machine()}-linux-gnu", "HOME": folder, "PATH": os.environ["PATH"]}
    subprocess.run(["erlc", "-Werror", "-o", folder, str(HERE / "window_check.erl")], check=True, env=libraries)
    done = subprocess.run(["erl", "-noinput", "-pa", str(ebin), folder, "-s", "window_check", "main"], check=True, env=libraries, cwd=folder,
                          capture_output=True, text=True, timeout=120)
    return [line.split("\t", 1) for line in done.stdout.splitlines()]


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("ebin", type=pathlib.Path)
    arguments.add_argument("--junit", type=pathlib.Path)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="stox-window-") as folder:
        said = verdicts(options.ebin.resolve(), folder)
    failed = [(what, verdict) for verdict, what in said if verdict != "ok"] + [("all cases", f"{len(said)} of {CASES} ran")] * (len(said) != CASES)
    suite = xml.Element("testsuite", name="window", tests=str(CASES))
    for _, what in said:
        xml.SubElement(suite, "testcase", classname="window", name=what)
    for what, why in failed:
        print(f"FAILED {what}: {why[:2000]}")
        case = next((case for case in suite if case.get("name") == what), None)
        xml.SubElement(case if case is not None else xml.SubElement(suite, "testcase", classname="window", name=what), "failure", message=why[:2000])
    if options.junit:
        options.junit.parent.mkdir(parents=True, exist_ok=True)
        xml.ElementTree(suite).write(options.junit, encoding="utf-8", xml_declaration=True)
    print(f"window: {len(said)} cases, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
