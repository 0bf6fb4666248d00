"""A machine inside this one: a real systemd is process 1 of namespaces of its own, on a copy of this machine's files that goes with it.

It shares the lane's network and /run/stox, so that the lane's chat server is its neighbour; process ids are the lane's.
"""
import os
import pathlib
import re
import signal
import subprocess
import tempfile

from processes import Failed, Program, children, run, wait_for

SYSTEMD = "/lib/systemd/systemd"
SHARED = pathlib.Path("/run/stox")
# Of the many units of a whole system the few that a service needs below it; nothing else of this machine is started again.
UNITS = ("basic.target", "sysinit.target", "multi-user.target", "sockets.target", "shutdown.target", "network.target", "time-sync.target",
         "systemd-journald.service", "systemd-journald.socket", "systemd-journald-dev-log.socket")
BEFORE_SYSTEMD = "the files are ready"

# $1: an empty directory; then units to be copied.
SET_UP = """set -e
base=$1; shift
mount --make-rprivate /
mount -t tmpfs -o mode=755 machine "$base"
mkdir "$base/upper" "$base/work" "$base/root" "$base/units"
mount -t overlay -o "lowerdir=/,upperdir=$base/upper,workdir=$base/work" machine "$base/root"
for unit; do cp "/lib/systemd/system/$unit" "$base/units/"; done
cd "$base/root"
mount --bind "$base/units" usr/lib/systemd/system
for none in etc/systemd/system etc/init.d usr/lib/systemd/system-generators; do mount -t tmpfs -o mode=755 machine "$none"; done
mkdir -p etc/systemd/journald.conf.d etc/systemd/system/sysinit.target.wants
ln -s /lib/systemd/system/systemd-journald.service etc/systemd/system/sysinit.target.wants/
rm -rf var/log/journal
printf '[Journal]\\nStorage=volatile\\nReadKMsg=no\\n' > etc/systemd/journald.conf.d/machine.conf
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 machine dev
for node in null zero full random urandom tty; do touch "dev/$node"; mount --bind "/dev/$node" "dev/$node"; done
ln -s /proc/self/fd dev/fd; ln -s pts/ptmx dev/ptmx
mkdir dev/shm
mount -t tmpfs -o mode=1777 machine dev/shm
mount -t tmpfs -o mode=1777 machine tmp
mount -t tmpfs -o mode=755 machine run
mkdir -p run/lock run/stox
mount --bind /run/stox run/stox
: > "$base/console"; touch dev/console; mount --bind "$base/console" dev/console
pivot_root . mnt
umount -l mnt
cd /
echo "BEFORE_SYSTEMD"
exec env -i container=stox LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD --system --unit=multi-user.target --log-target=journal
""".replace("BEFORE_SYSTEMD", BEFORE_SYSTEMD).replace("SYSTEMD", SYSTEMD)


class NoMachine(Exception):
    """What this environment lacks."""


class Machine:
    def __init__(self, folder: pathlib.Path):
        self.folder, self.log = folder, folder / "machine.log"
        self.group = self.program = None
        self.pid = 0
        if not pathlib.Path(SYSTEMD).exists():
            raise NoMachine(f"{SYSTEMD} is not installed")
        (folder / "base").mkdir(parents=True, exist_ok=True)
        SHARED.mkdir(exist_ok=True)
        try:
            run("mount", "-t", "tmpfs", "-o", "mode=755", "machine", SHARED)
            self.group = control_group(folder / "cgroup")
            self.boot()
        except BaseException as failure:
            said = self.log.read_text(errors="replace").strip() if self.log.exists() else ""
            try:
                self.stop()
            except (Failed, OSError, subprocess.TimeoutExpired) as another:
                said = f"{said}; {another}"
            if not isinstance(failure, (Failed, OSError, subprocess.TimeoutExpired)):
                raise
            raise NoMachine(f"systemd does not start in namespaces here: {failure} {said}") from failure

    def boot(self) -> None:
        enter = f'echo $$ > "{self.group}/cgroup.procs" && exec unshare --mount --pid --cgroup --uts --ipc --fork --kill-child sh -c "$0" machine "$@"'
        self.program = Program(["sh", "-c", enter, SET_UP, self.folder / "base", *UNITS], self.log)
        wait_for("the machine's files", lambda: BEFORE_SYSTEMD in self.log.read_text(), 30, self.program.alive)
        self.pid = children(self.program.pid)[0]
        wait_for("systemd to be up", lambda: "running" in self.run("systemctl", "is-system-running", check=False), 30, self.program.alive)

    def path(self, inside: str) -> pathlib.Path:
        """A file of the machine."""
        return pathlib.Path(f"/proc/{self.pid}/root{inside}")

    def run(self, *command, check: bool = True) -> str:
        """As its root; what it wrote."""
        enter = ["nsenter", f"--target={self.pid}", "--mount", "--pid", "--uts", "--ipc", "--cgroup", "--root", "--wd", "env", "-i", "LC_ALL=C.UTF-8",
                 "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
        done = subprocess.run([*enter, *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
        if check and done.returncode:
            raise Failed(f"{' '.join(map(str, command))}: status {done.returncode}: {done.stdout.strip()}")
        return done.stdout

    def properties(self, unit: str, *names: str) -> dict[str, str]:
        lines = self.run("systemctl", "show", unit, *(f"--property={name}" for name in names)).splitlines()
        return dict(line.split("=", 1) for line in lines)

    def main_process(self, unit: str) -> int:
        """Its number among the lane's processes; 0: none runs."""
        inside = self.properties(unit, "MainPID")["MainPID"]
        if inside == "0":
            return 0
        group = self.group / self.properties(unit, "ControlGroup")["ControlGroup"].lstrip("/") / "cgroup.procs"
        for number in group.read_text().split():
            if re.search(rf"^NSpid:.*\t{inside}$", pathlib.Path(f"/proc/{number}/status").read_text(), re.MULTILINE):
                return int(number)
        return 0

    def journal(self, unit: str) -> str:
        return self.run("journalctl", "--no-pager", "--output=cat", f"--unit={unit}")

    def stop(self) -> None:
        """Process 1 takes all others along."""
        try:
            if self.pid:
                os.kill(self.pid, signal.SIGKILL)
            if self.program is not None:
                self.program.process.wait(20) if self.pid else self.program.stop()
            if self.group is not None:
                remove_group(self.group)
        finally:
            run("umount", "--lazy", SHARED, check=False)
            if self.group is not None:
                run("umount", "--lazy", self.folder / "cgroup", check=False)


def control_group(mounted: pathlib.Path) -> pathlib.Path:
    """A new one below ours, in the hierarchy of version 2, whatever else is mounted. Without one nothing stays mounted: who removes the
    folder would remove the groups of this machine."""
    mounted.mkdir(exist_ok=True)
    run("mount", "-t", "cgroup2", "cgroup2", mounted)
    try:
        ours = re.search(r"^0::/(.*)$", pathlib.Path("/proc/self/cgroup").read_text(), re.MULTILINE)
        if not ours or ".." in pathlib.PurePath(ours[1]).parts:
            raise Failed("our control group of version 2 is not to be seen here")
        return pathlib.Path(tempfile.mkdtemp(prefix="stox-machine-", dir=mounted / ours[1]))
    except BaseException:
        run("umount", "--lazy", mounted, check=False)
        raise


def remove_group(group: pathlib.Path) -> None:
    def gone() -> bool:
        try:
            for folder in sorted((path for path in group.rglob("*") if path.is_dir()), reverse=True):
                folder.rmdir()
            group.rmdir()
        except FileNotFoundError:
            pass
        except OSError:  # its last process is not reaped yet
            return False
        return True
    wait_for(f"{group} to be empty", gone, 20)
