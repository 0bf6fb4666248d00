#!/usr/bin/python3
"""What deploy/units promises: the service is shut into a sandbox in which it can still do its work.

Usage: tests/units_test.py [--junit FILE]
Where systemd-analyze is installed it reads the unit as well: an unknown directive or a value that does not parse fails.
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

UNITS = pathlib.Path(__file__).resolve().parents[1] / "deploy" / "units"


def directives(text: str) -> dict[str, list[str]]:
    """The [Service] section; a name that stands more than once has all its values."""
    section = re.search(r"^\[Service\]$(.*?)(?=^\[|\Z)", text, re.MULTILINE | re.DOTALL)[1]
    found: dict[str, list[str]] = {}
    for line in section.splitlines():
        if line.strip() and not line.startswith("#"):
            name, equals, value = line.partition("=")
            assert equals and re.fullmatch(r"[A-Z][A-Za-z]+", name), f"no directive: {line}"
            found.setdefault(name, []).append(value)
    return found


def unit() -> dict[str, list[str]]:
    return directives((UNITS / "stoxd.service").read_text())


def sandboxed() -> str | None:
    wanted = {"ProtectSystem": "strict", "NoNewPrivileges": "yes", "CapabilityBoundingSet": "", "PrivateDevices": "yes", "StateDirectory": "stox",
              "StateDirectoryMode": "0700", "User": "stox", "Restart": "on-failure", "LimitCORE": "0", "TasksMax": "64"}
    wrong = [name for name, value in wanted.items() if unit().get(name) != [value]]
    return f"not as promised: {wrong}" if wrong else None


def can_do_its_work() -> str | None:
    """Sockets of these families, many descriptors, the sight of other processes' users."""
    found = unit()
    families = set(found["RestrictAddressFamilies"][0].split())
    if not {"AF_UNIX", "AF_INET", "AF_INET6"} <= families:
        return f"address families {families}"
    if int(found["LimitNOFILE"][0]) < 65_536:
        return "too few descriptors"
    return "PrivateUsers hides who connects" if "PrivateUsers" in found else None


# What each line of the sandbox may say, and what stoxd needs that it leaves.
SANDBOX = {
    "NoNewPrivileges": ("yes", "it starts no other program"),
    "CapabilityBoundingSet": ("", "ports from 1024 on; the state is its own"),
    "AmbientCapabilities": ("", "likewise"),
    "ProtectSystem": ("strict", "it writes in its state and beside its socket: StateDirectory, ReadWritePaths"),
    "ProtectHome": ("yes", "secrets and certificates stand where the user stox can read them"),
    "ProtectProc": ("invisible", "who connects is told by the socket; of processes it reads only itself"),
    "ProtectClock": ("yes", "it reads clocks"),
    "ProtectControlGroups": ("yes", "none"),
    "ProtectHostname": ("yes", "none"),
    "ProtectKernelLogs": ("yes", "none"),
    "ProtectKernelModules": ("yes", "none"),
    "ProtectKernelTunables": ("yes", "none"),
    "PrivateDevices": ("yes", "getrandom needs no device"),
    "PrivateTmp": ("yes", "SQLite's temporary files are seen by nobody else"),
    "LimitCORE": ("0", "a core would hold passwords; an operator raises it by prlimit"),
    "TasksMax": ("64", "threads of its own: the loop, the store, resolvers"),
    "LockPersonality": ("yes", "none"),
    "KeyringMode": ("private", "none"),
    "MemoryDenyWriteExecute": ("yes", "no part makes code at run time"),
    "RemoveIPC": ("yes", "none of System V's"),
    "RestrictAddressFamilies": ("AF_UNIX AF_INET AF_INET6 AF_NETLINK", "servers, SIP, name servers, and the choice of source addresses"),
    "RestrictNamespaces": ("yes", "none"),
    "RestrictRealtime": ("yes", "its threads have the ordinary priority"),
    "RestrictSUIDSGID": ("yes", "the directory's mode is made by tmpfiles"),
    "SystemCallArchitectures": ("native", "none"),
    "SystemCallFilter": ("@system-service", "SYSTEM_CALLS"),
    "SystemCallErrorNumber": ("EPERM", "a library's needless wish is no reason to end"),
}
# It would tell no user of another process from another, reach no peer or no socket of a module; or its state would be nobody's.
NEVER = {"PrivateUsers", "PrivateNetwork", "IPAddressDeny", "DynamicUser", "RootDirectory"}
WORK = {"Type", "ExecStart", "Restart", "RestartSec", "TimeoutStopSec", "User", "Group", "UMask", "LimitNOFILE", "StateDirectory", "StateDirectoryMode",
        "ReadWritePaths"}
SYSTEM_CALLS = set("""accept4 bind chmod clock_nanosleep clone3 connect epoll_ctl epoll_pwait epoll_wait eventfd2 exit_group fallocate fchmod fdatasync
    flock fsync ftruncate futex getpeername getrandom getsockname getsockopt listen lstat madvise mkdir mmap mprotect munmap newfstatat openat poll
    prctl pread64 prlimit64 pwrite64 recvfrom recvmsg rename rt_sigaction rt_sigprocmask sched_getaffinity sendmmsg sendmsg sendto setsockopt
    shutdown socket timerfd_create timerfd_settime unlink writev""".split())


def every_line_leaves_what_is_needed() -> str | None:
    found = unit()
    unknown = set(found) - set(SANDBOX) - WORK
    if unknown or NEVER & set(found):
        return f"what does stoxd need there: {sorted(unknown)}"
    wrong = {name: found.get(name) for name, (value, _) in SANDBOX.items() if found.get(name, [None])[0] != value}
    return f"not as judged: {wrong}" if wrong else None


def calls_of(group: str) -> set[str]:
    """The system calls of one of systemd's groups, and of those in it."""
    shown = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager", group], capture_output=True, text=True, check=True).stdout
    words = {line.strip() for line in shown.splitlines()[1:] if line.strip() and not line.strip().startswith("#")}
    return {call for word in words for call in (calls_of(word) if word.startswith("@") else {word})}


def no_call_it_makes_is_refused() -> str | None:
    if not shutil.which("systemd-analyze"):
        return None
    allowed, refused = unit()["SystemCallFilter"]
    left = set().union(*map(calls_of, allowed.split())) - set().union(*map(calls_of, refused.removeprefix("~").split()))
    return f"refused: {sorted(SYSTEM_CALLS - left)}" if SYSTEM_CALLS - left else None


def paths_fit() -> str | None:
    """The directory of the control socket is the one that tmpfiles makes, and both are writable."""
    found = unit()
    control = re.search(r"--listen (\S+)/control\b", found["ExecStart"][0])[1]
    line = re.search(r"^d (\S+) (\d+) (\S+) (\S+)", (UNITS / "stox.tmpfiles").read_text(), re.MULTILINE)
    if control != line[1] or found["ReadWritePaths"] != [control]:
        return f"{control}, {line[1]} and {found['ReadWritePaths']} differ"
    return None if line[2] == "3770" and line[3] == line[4] == found["User"][0] else "mode or owner of the directory"


def user_is_made() -> str | None:
    return None if re.search(rf"^u {unit()['User'][0]} - ", (UNITS / "stox.sysusers").read_text(), re.MULTILINE) else "no such user is made"


def systemd_reads_it() -> str | None:
    analyze = shutil.which("systemd-analyze")
    if not analyze:
        return None
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "stoxd.service"
        # The program, its user and the manual are installed by the packages.
        text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", (UNITS / "stoxd.service").read_text(), flags=re.MULTILINE)
        copy.write_text(re.sub(r"^Documentation=.*\n", "", text, flags=re.MULTILINE))
        done = subprocess.run([analyze, "verify", "--man=no", str(copy)], capture_output=True, text=True, check=False)
        said = "\n".join(line for line in (done.stdout + done.stderr).splitlines() if "stoxd.service" in line)
        return said or None


CHECKS = (sandboxed, can_do_its_work, every_line_leaves_what_is_needed, no_call_it_makes_is_refused, paths_fit, user_is_made, systemd_reads_it)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--junit", type=pathlib.Path)
    options = arguments.parse_args()
    suite, failed = xml.Element("testsuite", name="units"), 0
    for check in CHECKS:
        case = xml.SubElement(suite, "testcase", classname="units", name=check.__name__)
        if problem := check():
            failed += 1
            print(f"FAILED {check.__name__}: {problem}")
            xml.SubElement(case, "failure", message=problem)
    if options.junit:
        xml.ElementTree(suite).write(options.junit, encoding="utf-8", xml_declaration=True)
    print(f"units: {len(suite) - failed} of {len(suite)} passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
