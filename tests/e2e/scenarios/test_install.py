"""What deploy/lab/install.sh puts in the way of services keeps those of our packages from starting, nobody else's, and goes."""
import os
import pathlib
import signal
import subprocess

import pytest

from processes import wait_for

pytestmark = pytest.mark.gate(60)
INSTALL = pathlib.Path(__file__).resolve().parents[3] / "deploy" / "lab" / "install.sh"
APT = """#!/bin/sh
[ "$4" = install ] || exit 0
/usr/sbin/policy-rc.d prosody start
echo $? > {folder}/verdict
[ ! -e {folder}/hang ] || { echo $$ > {folder}/hangs; exec sleep 600; }
"""


class Machine:
    """An apt-get that asks the policy as a maintainer script does, and an /usr/sbin of its own, empty, for those that run here."""

    def __init__(self, folder: pathlib.Path):
        self.folder, self.sbin, self.policy = folder, folder / "sbin", folder / "sbin" / "policy-rc.d"
        self.sbin.mkdir(parents=True)
        (folder / "missing").write_text("stox-no-such-package\n")
        (folder / "there").write_text("dpkg\n")
        (folder / "apt-get").write_text(APT.replace("{folder}", str(folder)))
        (folder / "apt-get").chmod(0o755)

    def start(self, *command) -> subprocess.Popen:
        words = " ".join(map(str, command))
        return subprocess.Popen(["unshare", "--mount", "sh", "-ec", f"mount --bind {self.sbin} /usr/sbin; exec {words}"],
                                env={**os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}"})

    def install(self, packages: str) -> int:
        return self.start(INSTALL, self.folder / packages).wait(50)

    def verdict(self) -> str:
        return (self.folder / "verdict").read_text().strip()


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path / "machine")


def test_no_service_of_ours_starts_and_the_policy_goes(machine):
    assert machine.install("missing") == 0
    assert machine.verdict() == "101"
    assert not machine.policy.exists()


def test_an_administrators_policy_stays(machine):
    machine.policy.write_text("#!/bin/sh\nexit 104\n")
    machine.policy.chmod(0o755)
    assert machine.install("missing") == 0
    assert machine.verdict() == "104"
    assert machine.policy.read_text().endswith("exit 104\n")


@pytest.mark.parametrize("packages", ["there", "missing"])
def test_what_kill_9_leaves_is_in_nobodys_way_and_the_next_run_removes_it(machine, packages):
    (machine.folder / "hang").touch()
    installing = machine.start(INSTALL, machine.folder / "missing")
    hangs = machine.folder / "hangs"
    wait_for("the install", lambda: hangs.exists() and hangs.read_text().strip(), alive=lambda: installing.poll() is None)
    installing.send_signal(signal.SIGKILL)
    installing.wait(50)
    os.kill(int(hangs.read_text()), signal.SIGKILL)
    assert machine.policy.exists()
    assert machine.start("/usr/sbin/policy-rc.d", "cron", "start").wait(50) == 0
    (machine.folder / "hang").unlink()
    assert machine.install(packages) == 0
    assert not machine.policy.exists()
