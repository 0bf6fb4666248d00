#!/usr/bin/python3 -B
"""What the modules keep for a service: ejabberd's played with sockets (window_check.erl), Prosody's without (window_check.lua).

Usage: window_test.py DIST [--junit FILE]
  DIST  the folder of a build with both modules in it
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
CASES = {"ejabberd": 12, "prosody": 11}


def ejabberds(ebin: pathlib.Path, folder: str) -> str:
    libraries = {"ERL_LIBS": f"/usr/lib/{platform.machine()}-linux-gnu", "HOME": folder, "PATH": os.environ["PATH"]}
    subprocess.run(["erlc", "-Werror", "-o", folder, str(HERE / "window_check.erl")], check=True, env=libraries)
    return subprocess.run(["erl", "-noinput", "-pa", str(ebin), folder, "-s", "window_check", "main"], check=True, env=libraries, cwd=folder,
                          capture_output=True, text=True, timeout=120).stdout


def prosodys(part: pathlib.Path) -> str:
    return subprocess.run(["lua5.4", str(HERE / "window_check.lua"), str(part)], check=True, capture_output=True, text=True, timeout=120).stdout


def verdicts(dist: pathlib.Path, folder: str) -> list:
    """Of each case its module, what it is and how it went."""
    said = {"ejabberd": ejabberds(dist / "ejabberd" / "stox-0.1" / "ebin", folder), "prosody": prosodys(dist / "mod_stox" / "window.lib.lua")}
    lines = [(module, *line.split("\t", 1)) for module, output in said.items() for line in output.splitlines()]
    ran = {module: len(output.splitlines()) for module, output in said.items()}
    missing = [(module, f"{ran[module]} of {CASES[module]} ran", "all cases") for module in CASES if ran[module] != CASES[module]]
    return lines + missing


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("dist", type=pathlib.Path)
    arguments.add_argument("--junit", type=pathlib.Path)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="stox-window-") as folder:
        said = verdicts(options.dist.resolve(), folder)
    suite, failed = xml.Element("testsuite", name="window", tests=str(len(said))), 0
    for module, verdict, what in said:
        case = xml.SubElement(suite, "testcase", classname=f"window.{module}", name=what)
        if verdict != "ok":
            failed += 1
            print(f"FAILED {module}: {what}: {verdict[:2000]}")
            xml.SubElement(case, "failure", message=verdict[:2000])
    if options.junit:
        options.junit.parent.mkdir(parents=True, exist_ok=True)
        xml.ElementTree(suite).write(options.junit, encoding="utf-8", xml_declaration=True)
    print(f"window: {len(said)} cases, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
