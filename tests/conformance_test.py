#!/usr/bin/python3
"""What tests/conformance.py lets pass and what it does not, by small trees of rows and results.

Usage: tests/conformance_test.py [--junit FILE]
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

SCRIPT = pathlib.Path(__file__).resolve().parent / "conformance.py"
ROWS = "## 1. Rows\n\n| AB-01 | MUST | one |\n| AB-02 | MUST | two |\n| AB-03 | SHOULD | three |\n| CD-01 | MUST | four |\n"


def said(finished: str, *passed: str, skipped: str = "") -> tuple[int, str]:
    """Exit status and output, with the areas of that file and these tests."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for part in ("junit", "spec"):
            (folder / part).mkdir()
        (folder / "spec" / "rows.md").write_text(ROWS)
        (folder / "finished").write_text(finished)
        suite = xml.Element("testsuite")
        for test in passed:
            xml.SubElement(suite, "testcase", classname="Any", name=test)
        if skipped:
            xml.SubElement(xml.SubElement(suite, "testcase", classname="Any", name=skipped), "skipped")
        xml.ElementTree(suite).write(folder / "junit" / "one.xml")
        done = subprocess.run([sys.executable, SCRIPT, "--junit", folder / "junit", "--spec", folder / "spec", "--finished", folder / "finished",
                               "--write", folder / "page.md"], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


def check(passes: bool, word: str, outcome: tuple[int, str]) -> str | None:
    status, text = outcome
    return None if (status == 0) == passes and word in text else f"status {status}: {text}"


CHECKS = {
    "nothing_is_finished": lambda: check(True, "1 of 4", said("", "AB_01")),
    "every_must_is_proven": lambda: check(True, "", said("AB  # a word\n", "AB_01", "AB_02_x")),
    "a_must_without_test": lambda: check(False, "AB-02", said("AB\n", "AB_01")),
    "a_skipped_test_proves_nothing": lambda: check(False, "AB-02", said("AB\n", "AB_01", skipped="AB_02")),
    "an_excepted_row_may_wait": lambda: check(True, "", said("AB except AB-02  # for something\n", "AB_01")),
    "another_row_may_not": lambda: check(False, "AB-01", said("AB except AB-02\n")),
    "what_is_proven_is_no_exception": lambda: check(False, "which is proven", said("AB except AB-02\n", "AB_01", "AB_02")),
    "only_a_must_of_the_area_is_excepted": lambda: check(False, "excepts CD-01", said("AB except CD-01\n", "AB_01", "AB_02")),
    "a_should_needs_no_exception": lambda: check(False, "excepts AB-03", said("AB except AB-03\n", "AB_01", "AB_02")),
    "an_area_is_one_of_the_rows": lambda: check(False, "EF", said("EF\n")),
    "a_line_has_a_form": lambda: check(False, "neither", said("AB CD\n", "AB_01", "AB_02")),
    "an_exception_names_a_row": lambda: check(False, "neither", said("AB except\n", "AB_01")),
}


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--junit", type=pathlib.Path)
    options = arguments.parse_args()
    suite, failed = xml.Element("testsuite", name="conformance"), 0
    for name, run in CHECKS.items():
        case = xml.SubElement(suite, "testcase", classname="conformance", name=name)
        if problem := run():
            failed += 1
            print(f"FAILED {name}: {problem}")
            xml.SubElement(case, "failure", message=problem)
    if options.junit:
        xml.ElementTree(suite).write(options.junit, encoding="utf-8", xml_declaration=True)
    print(f"conformance.py: {len(suite) - failed} of {len(suite)} passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
