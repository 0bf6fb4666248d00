"""Programs of the lab: started with a log of their own, ended by their process id, never by name."""
import contextlib
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


class Interrupts:
    """SIGINT, SIGTERM and SIGHUP as KeyboardInterrupt, once; held back while what is started has no owner yet."""

    held = pending = False

    @classmethod
    def install(cls) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, cls.take)

    @classmethod
    def take(cls, _number, _frame) -> None:
        if cls.held:
            cls.pending = True
            return
        cls.ignore()
        raise KeyboardInterrupt

    @classmethod
    def ignore(cls) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)

    @classmethod
    @contextlib.contextmanager
    def hold(cls):
        outer, cls.held = cls.held, True
        try:
            yield
        finally:
            cls.held = outer
        if cls.pending and not outer:
            cls.pending = False
            cls.take(0, None)


class Program:
    """One process with its output in a file, leader of a session of its own."""

    started: list["Program"] = []

    def __init__(self, arguments: list, log: pathlib.Path, *, unprivileged: bool = False, user: int = NOBODY, groups: list | None = None,
                 env: dict | None = None, cwd: pathlib.Path | None = None, prefix: list | None = None):
        command = [str(part) for part in [*(prefix or []), *arguments]]
        if unprivileged and os.geteuid() == 0:
            further = f"--groups={','.join(map(str, groups))}" if groups else "--clear-groups"
            command = ["setpriv", f"--reuid={user}", f"--regid={user}", further, *command]
        self.log = log
        with open(log, "ab") as output, Interrupts.hold():
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                                            env={**os.environ, **(env or {})}, cwd=cwd, start_new_session=True)
            Program.started.append(self)

    @property
    def pid(self) -> int:
        return self.process.pid

    def alive(self) -> bool:
        return self.process.poll() is None

    def signal(self, number: int) -> None:
        if self.alive():
            self.process.send_signal(number)

    def stop(self, seconds: float = 10.0) -> int:
        """Asks politely, then kills what is left of it and of its group."""
        if self.process.returncode is not None:
            return self.process.returncode
        os.kill(self.pid, signal.SIGTERM)
        end = time.monotonic() + seconds
        # Not reaped before the group is killed: until then nobody else can get its number.
        while os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None and time.monotonic() < end:
            time.sleep(0.01)
        os.killpg(self.pid, signal.SIGKILL)
        return self.process.wait()

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.process.wait()

    @classmethod
    def stop_all(cls) -> None:
        """Ends every program that still runs, also one whose start was interrupted before its owner had it."""
        while cls.started:
            cls.started.pop().stop()


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


def state(pid: int) -> str:
    """As proc(5) has it: T stopped, Z dead and not reaped yet; X gone."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def thread_states(pid: int) -> list[str]:
    """The same of each of its threads; none: it is gone."""
    states = []
    for path in pathlib.Path(f"/proc/{pid}/task").glob("*/stat"):
        try:
            states.append(path.read_text().rpartition(")")[2].split()[0])
        except OSError:  # ended meanwhile
            pass
    return states


def descendants(pid: int, name: str) -> list[int]:
    """Process ids below that process whose command has the name."""
    below = children(pid)
    return [child for child in below if command_name(child) == name] + [deep for child in below for deep in descendants(child, name)]
