"""Installs the Debian packages that are missing, without letting one start a service."""
import contextlib
import pathlib
import subprocess

from runner import ROOT, root_prefix

POLICY = pathlib.Path("/usr/sbin/policy-rc.d")
MARK = "# placed by stox's tests/run for the time of an install"


def listed(*files: str) -> list[str]:
    lines = (line for file in files for line in (ROOT / "deploy" / file).read_text().splitlines())
    return [word for line in lines for word in line.split("#")[0].split()]


def missing(packages: list[str]) -> list[str]:
    query = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *packages],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    installed = {line.split()[0] for line in query.stdout.splitlines() if line.endswith(" installed")}
    return [package for package in packages if package not in installed]


@contextlib.contextmanager
def no_service_starts(root: list[str]):
    """Debian's maintainer scripts ask policy-rc.d before they start a daemon; an administrator's own file is left alone."""
    if POLICY.exists() and MARK not in POLICY.read_text():
        yield
        return
    subprocess.run([*root, "sh", "-c", f"printf '#!/bin/sh\\n%s\\nexit 101\\n' \"$1\" > {POLICY} && chmod 755 {POLICY}", "sh", MARK], check=True)
    try:
        yield
    finally:
        subprocess.run([*root, "rm", "-f", str(POLICY)], check=True)


def install(*files: str) -> bool:
    """True: every package of the lists is there now."""
    wanted = missing(listed(*files))
    if not wanted:
        return True
    root = root_prefix()
    if root is None:
        print(f"missing packages, and neither root nor sudo to install them: {' '.join(wanted)}", flush=True)
        return False
    print(f"installing {' '.join(wanted)}", flush=True)
    apt = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-o", "DPkg::Lock::Timeout=300"]
    with no_service_starts(root):
        updated = subprocess.run([*apt, "update"], stdout=subprocess.DEVNULL, check=False)
        done = subprocess.run([*apt, "install", "-y", "--no-install-recommends", *wanted], stdout=subprocess.DEVNULL, check=False)
    if updated.returncode or done.returncode:
        print("apt-get failed", flush=True)
    return not missing(wanted)
