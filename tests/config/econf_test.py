#!/usr/bin/python3 -B
"""Every domain option in ejabberd's own reader: the good value of tried.json is taken, the bad one refused with its path, as by the worker.

Usage: econf_test.py EBIN [--junit FILE]
  EBIN  the folder with mod_stox_options.beam and mod_stox_worker.beam of a build

What only several options together make wrong, and what no pattern can tell, is the worker's to refuse: BY_THE_WORKER lists it.
"""
import argparse
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as xml

HERE = pathlib.Path(__file__).resolve().parent
BY_THE_WORKER = {"nested_xmpp_domains", "emergency_line", "tls.certificate", "peers.*.match.source", "peers.*.match.tls_name", "peers.*.auth",
                 "peers.*.auth.user"}


def rows(tried: dict) -> list:
    # xmpp_domains is an option of the module itself, with a type of ejabberd's own.
    return [(path, which, tried[path][which]) for path in tried if not path.startswith("engine ") and path != "xmpp_domains" for which in ("good", "bad")]


def verdicts(ebin: pathlib.Path, tried: list, folder: pathlib.Path) -> dict:
    """(option, good or bad) -> what was said."""
    (folder / "tried.yml").write_text(json.dumps(tried))
    libraries = {"ERL_LIBS": f"/usr/lib/{platform.machine()}-linux-gnu", "HOME": str(folder), "PATH": os.environ["PATH"]}
    subprocess.run(["erlc", "-Werror", "-o", str(folder), str(HERE / "econf_check.erl")], check=True, env=libraries)
    done = subprocess.run(["erl", "-noinput", "+S1", "-pa", str(ebin), str(folder), "-eval", f'econf_check:main("{folder / "tried.yml"}").'],
                          check=True, env=libraries, capture_output=True, text=True, timeout=60)
    said = {}
    for line in done.stdout.splitlines():
        which, option, verdict = line.split("\t", 2)
        said[option, which] = verdict
    return said


def problem(option: str, which: str, verdict: str, at: str) -> str | None:
    if which == "good" or option in BY_THE_WORKER:
        return None if verdict == "accepted" else f"the {which} value is {verdict}"
    if not verdict.startswith("refused: "):
        return "the bad value is accepted; if only the worker can judge it, say so in BY_THE_WORKER"
    # ejabberd writes a path as peers->a->kind, and the number of an entry of a list from 1.
    missing = [word for word in at.replace("[", ".").split(".")[:-1] if not word.endswith("]") and word not in verdict]
    return f"{missing} of its path is missing: {verdict}" if missing else None


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("ebin", type=pathlib.Path)
    arguments.add_argument("--junit", type=pathlib.Path)
    options = arguments.parse_args()
    tried = json.loads((HERE / "tried.json").read_text())
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="stox-econf-") as folder:
        said = verdicts(options.ebin.resolve(), rows(tried), pathlib.Path(folder))
    suite, failed = xml.Element("testsuite", name="econf", tests=str(len(rows(tried)))), 0
    for option, which, _ in rows(tried):
        verdict = said.get((option, which), "not tried")
        why = problem(option, which, verdict, tried[option]["at"])
        case = xml.SubElement(suite, "testcase", classname="econf", name=f"{option} {which}", time=f"{time.monotonic() - start:.3f}")
        if why:
            failed += 1
            print(f"FAILED {option}: {why}")
            xml.SubElement(case, "failure", message=why)
    unknown = BY_THE_WORKER - tried.keys()
    if unknown:
        failed += 1
        print(f"FAILED no such option: {sorted(unknown)}")
    if options.junit:
        options.junit.parent.mkdir(parents=True, exist_ok=True)
        xml.ElementTree(suite).write(options.junit, encoding="utf-8", xml_declaration=True)
    print(f"econf: {len(rows(tried))} values of {len(rows(tried)) // 2} options, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
