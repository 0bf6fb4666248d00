#!/usr/bin/python3 -B
"""The manual pages: groff has no complaint, every option, command and switch has its place in them.

Usage: man_test.py BUILD [--junit FILE]
  BUILD  a build folder, in which the page of the options was made
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as xml

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "man"


def shown(page: pathlib.Path) -> str:
    """As a reader sees it, without line breaks."""
    done = subprocess.run(["groff", "-man", "-Tascii", "-P-c", "-rLL=500n", str(page)], check=True, capture_output=True, text=True)
    return " ".join(re.sub(r".\x08", "", done.stdout).split())


def lint(page: pathlib.Path) -> str | None:
    done = subprocess.run(["groff", "-ww", "-man", "-Tutf8", "-z", str(page)], check=False, capture_output=True, text=True)
    return done.stderr or (None if done.returncode == 0 else f"groff says {done.returncode}")


def options(made: pathlib.Path) -> str | None:
    """Each option with its help, and how it is written in either server."""
    text = shown(made)
    missing = []
    for option in json.loads((ROOT / "plugin" / "config" / "schema.json").read_text())["options"]:
        path = option["path"].replace("peers.*.", "")
        at = text.find(f" {path} {' '.join(option['help'].split())}. (")
        end = text.find(" Prosody: ", at)
        if at < 0 or option["type"] not in ("section", "map") and not re.match(r" Prosody: \S.* = \S", text[end:text.find(" ejabberd: ", at)]):
            missing.append(option["path"])
    return f"not as in the schema: {missing}" if missing else None


def commands(page: pathlib.Path) -> str | None:
    table = (ROOT / "plugin" / "engine" / "admin_command.cpp").read_text()
    words = re.findall(r'AdminCommand\{AdminVerb::\w+,\s+"([^"]+)"', table)
    text = shown(page)
    missing = [word for word in words if not re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text)]
    return f"missing: {missing}" if missing or not words else None


def switches(page: pathlib.Path, program: str) -> str | None:
    text = shown(page)
    known = set(re.findall(r'"(--[a-z-]+)"', (ROOT / "plugin" / "host" / program).read_text()))
    if program == "stoxd_main.cpp":
        known |= set(re.findall(r'"(--[a-z-]+)"', (ROOT / "plugin" / "host" / "service_options.cpp").read_text()))
    missing = [word for word in sorted(known) if word not in text]
    return f"missing: {missing}" if missing or not known else None


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("build", type=pathlib.Path)
    arguments.add_argument("--junit", type=pathlib.Path)
    given = arguments.parse_args()
    made = given.build / "dist" / "man" / "mod_stox.5"
    checks = [(f"lint {page.name}", lint, (page,)) for page in (*sorted(PAGES.iterdir()), made)]
    checks += [("options", options, (made,)), ("commands", commands, (PAGES / "stoxctl.8",)),
               ("stoxctl", switches, (PAGES / "stoxctl.8", "stoxctl_main.cpp")), ("stoxd", switches, (PAGES / "stoxd.8", "stoxd_main.cpp"))]
    suite, failed = xml.Element("testsuite", name="manuals", tests=str(len(checks))), 0
    for name, check, over in checks:
        start = time.monotonic()
        problem = check(*over)
        case = xml.SubElement(suite, "testcase", classname="manuals", name=name, time=f"{time.monotonic() - start:.3f}")
        if problem:
            failed += 1
            print(f"FAILED {name}\n{problem}")
            xml.SubElement(case, "failure", message=problem)
    if given.junit:
        given.junit.parent.mkdir(parents=True, exist_ok=True)
        xml.ElementTree(suite).write(given.junit, encoding="utf-8", xml_declaration=True)
    print(f"manuals: {len(checks) - failed} of {len(checks)} passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
