#!/usr/bin/env python3
"""What a chat server's process gets with stox.so: libc, no other library, and no name but ours."""
import re
import subprocess
import sys

NAMES = {"stox_abi", "stox_version", "stox_open", "stox_fd", "stox_next", "stox_command", "stox_close", "luaopen_stox", "nif_init"}


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def problems(path):
    dynamic = output("readelf", "-dW", path)
    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic))
    if needed != {"libc.so.6"}:
        yield "needs %s" % sorted(needed)
    for flag in ("NODELETE", "NOW"):
        if not re.search(r"\(FLAGS_1\).*\b%s\b" % flag, dynamic):
            yield "is not linked with -z " + flag.lower()
    names = {line.split()[-1] for line in output("nm", "-D", "--defined-only", path).splitlines()}
    if names - NAMES or (NAMES - {"nif_init"}) - names:
        yield "exports %s" % sorted(names)
    for line in output("nm", "-D", "--undefined-only", path).splitlines():
        kind, name = line.split()[-2:]
        if re.match(r"(lua|luaL|enif)_", name) and kind not in "wv":
            yield "%s is not weak: the other server has none" % name
    if not re.search(r"GNU_RELRO", output("readelf", "-lW", path)):
        yield "has no RELRO"


found = list(problems(sys.argv[1]))
for problem in found:
    print("%s %s" % (sys.argv[1], problem))
sys.exit(1 if found else 0)
