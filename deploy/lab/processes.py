"""Programs of the lab: started with a log of their own, ended by their process id, never by name."""
import os
import pathlib
import signal
import subprocess
import time

NOBODY = 65534


class Failed(Exception):
    """Something a person should read as one sentence."""


def wait_for(what: str, condition, seconds: float = 60.0, alive=None):
    """The first true value of condition(); Failed when none came, or when alive() turned false."""
    end = time.monotonic() + seconds
    while True:
        if value := condition():
            return value
        if alive is not None and not alive():
            raise Failed(f"it ended while waiting for {what}")
        if time.monotonic() > end:
            raise Failed(f"{what} did not happen within {seconds:.0f} s")
        time.sleep(0.01)


class Program:
    """One process with its output in a file."""

    def __init__(self, arguments: list, log: pathlib.Path, *, unprivileged: bool = False, env: dict | None = None,
                 cwd: pathlib.Path | None = None, prefix: list | None = None):
        command = [str(part) for part in [*(prefix or []), *arguments]]
        if unprivileged and os.geteuid() == 0:
            command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *command]
        self.log = log
        with open(log, "ab") as output:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                                            env={**os.environ, **(env or {})}, cwd=cwd, start_new_session=True)

    @property
    def pid(self) -> int:
        return self.process.pid

    def alive(self) -> bool:
        return self.process.poll() is None

    def signal(self, number: int) -> None:
        if self.alive():
            self.process.send_signal(number)

    def stop(self, seconds: float = 10.0) -> int:
        """Asks politely, then kills the whole session it leads."""
        self.signal(signal.SIGTERM)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(self.pid, signal.SIGKILL)
            self.process.wait()
        return self.process.returncode

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.process.wait()


def run(*arguments, check: bool = True) -> str:
    """A short command's output; its own words when it fails."""
    done = subprocess.run([str(part) for part in arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if check and done.returncode:
        raise Failed(f"{' '.join(str(part) for part in arguments)}: {done.stdout.strip()}")
    return done.stdout


def children(pid: int) -> list[int]:
    """Process ids whose parent is that process."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
        except OSError:
            continue
        if int(stat.rpartition(")")[2].split()[1]) == pid:
            found.append(int(entry.name))
    return found


def command_name(pid: int) -> str:
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def descendants(pid: int, name: str) -> list[int]:
    """Process ids below that process whose command has the name."""
    below = children(pid)
    return [child for child in below if command_name(child) == name] + [deep for child in below for deep in descendants(child, name)]
