#!/usr/bin/python3
"""What the shipped binaries must look like; stox.so lives in the chat server's process and may bring no library into it.

Usage: tests/hardening_test.py DIST [--junit FILE]
  DIST  folder with stox.so, libstox_engine.so, stoxd and stoxctl of a release build
"""
import argparse
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as xml
from typing import NamedTuple


class Elf(NamedTuple):
    dynamic: str   # readelf -d
    segments: str  # readelf -l
    header: str    # readelf -h
    symbols: str   # readelf --dyn-syms


def read(file: pathlib.Path) -> Elf:
    def readelf(option: str) -> str:
        return subprocess.run(["readelf", "-W", option, file], check=True, capture_output=True, text=True).stdout
    return Elf(readelf("-d"), readelf("-l"), readelf("-h"), readelf("--dyn-syms"))


def needed(elf: Elf) -> list[str]:
    return re.findall(r"\(NEEDED\).*\[(.*)\]", elf.dynamic)


def segment_flags(elf: Elf, kind: str) -> str | None:
    line = re.search(rf"^\s*{kind}\s+(?:0x\w+\s+){{5}}([RWE ]{{3}})", elf.segments, re.MULTILINE)
    return line[1] if line else None


# name, what is wrong with the file or None
def bind_now(elf: Elf) -> str | None:
    return None if re.search(r"\(BIND_NOW\)|\(FLAGS\).*BIND_NOW|\(FLAGS_1\).*\bNOW\b", elf.dynamic) else "symbols are bound lazily"


def relro(elf: Elf) -> str | None:
    return None if segment_flags(elf, "GNU_RELRO") else "no RELRO segment"


def no_exec_stack(elf: Elf) -> str | None:
    flags = segment_flags(elf, "GNU_STACK")
    return None if flags and "E" not in flags else f"stack flags {flags}"


def no_text_relocations(elf: Elf) -> str | None:
    return "text relocations" if "(TEXTREL)" in elf.dynamic else None


def position_independent(elf: Elf) -> str | None:
    return None if re.search(r"Type:\s+DYN", elf.header) else "fixed address"


def stack_protector(elf: Elf) -> str | None:
    return None if "__stack_chk_fail" in elf.symbols else "no stack protector"


def no_search_path_outside(elf: Elf) -> str | None:
    paths = [path for line in re.findall(r"\((?:RPATH|RUNPATH)\).*\[(.*)\]", elf.dynamic) for path in line.split(":")]
    return f"library search path {paths}" if any(not path.startswith("$ORIGIN") for path in paths) else None


def libc_alone(elf: Elf) -> str | None:
    return None if needed(elf) == ["libc.so.6"] else f"needs {needed(elf)}"


def server_symbols_weak(elf: Elf) -> str | None:
    strong = re.findall(r"GLOBAL\s+\S+\s+UND\s+((?:lua|enif)_?\w+)", elf.symbols)
    return f"needs {strong[:3]} of one server to load in the other" if strong else None


def no_sanitizer(elf: Elf) -> str | None:
    return "built with a sanitizer" if re.search(r"__(asan|ubsan|tsan)_", elf.symbols) else None


def own_allocator(elf: Elf) -> str | None:
    return None if any(name.startswith("libjemalloc.") for name in needed(elf)) else "takes its memory from libc"


COMMON = (bind_now, relro, no_exec_stack, no_text_relocations, position_independent, no_search_path_outside, no_sanitizer)
CHECKS = {"stox.so": (*COMMON, libc_alone, server_symbols_weak), "libstox_engine.so": (*COMMON, stack_protector), "stoxd": (*COMMON, own_allocator), "stoxctl": COMMON}


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("dist", type=pathlib.Path)
    arguments.add_argument("--junit", type=pathlib.Path)
    options = arguments.parse_args()
    suite, failed = xml.Element("testsuite", name="hardening"), 0
    for name, checks in CHECKS.items():
        elf = read(options.dist / name) if (options.dist / name).exists() else None
        for check in checks:
            case = xml.SubElement(suite, "testcase", classname="hardening", name=f"{name}.{check.__name__}")
            if problem := check(elf) if elf else "not built":
                failed += 1
                print(f"FAILED {name}: {problem}")
                xml.SubElement(case, "failure", message=problem)
    if options.junit:
        xml.ElementTree(suite).write(options.junit, encoding="utf-8", xml_declaration=True)
    print(f"hardening: {len(suite) - failed} of {len(suite)} passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
