"""Runs parts one after another: a log, JUnit results and a time limit for each, a table and the counts at the end."""
import os
import pathlib
import shutil
import signal
import subprocess
import time
import xml.etree.ElementTree as xml
from typing import Callable, NamedTuple

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build"
JUNIT = BUILD / "junit"
LOGS = BUILD / "logs"
HEARTBEAT_S = 60
TERMINATION_S = 15  # a stopped part may end its servers and network namespaces itself
TAIL_LINES = 40


def root_prefix() -> list[str] | None:
    """What to put before a command that needs root; None: no way to be root."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    allowed = sudo and subprocess.run([sudo, "-n", "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0
    return [sudo, "-n", "-E"] if allowed else None


class Part(NamedTuple):
    name: str
    work: Callable[["Steps"], None]  # runs its steps; what a step gave is recorded by the step
    minutes: float
    needs_root: bool = False


class Counts:
    def __init__(self, folder: pathlib.Path):
        self.passed, self.skipped, self.failures = 0, 0, []
        for file in sorted(folder.rglob("*.xml")):
            try:
                cases = list(xml.parse(file).getroot().iter("testcase"))
            except xml.ParseError:
                self.failures.append(f"{file.relative_to(folder)} is no XML")
                continue
            for case in cases:
                if case.find("failure") is not None or case.find("error") is not None:
                    self.failures.append(f"{case.get('classname', '')}.{case.get('name', '')}")
                elif case.find("skipped") is not None or case.get("status") == "notrun" or case.get("result") == "skipped":
                    self.skipped += 1
                else:
                    self.passed += 1

    @property
    def total(self) -> int:
        return self.passed + self.skipped + len(self.failures)


class Steps:
    """The commands of one part. Each has a folder for its JUnit files; one that writes none counts as one test case itself."""

    def __init__(self, part: str, deadline: float):
        self.part, self.deadline = part, deadline
        self.folder, self.log = JUNIT / part, LOGS / f"{part}.log"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        LOGS.mkdir(parents=True, exist_ok=True)
        self.log.write_text("")

    def junit(self, step: str) -> pathlib.Path:
        folder = self.folder / step
        folder.mkdir(exist_ok=True)
        return folder

    def run(self, step: str, argv: list, env: dict[str, str] | None = None, as_root: bool = False) -> bool:
        prefix = root_prefix() or [] if as_root else []
        argv = [*prefix, *map(str, argv)]
        began = self.log.stat().st_size
        code = self._execute(argv, {**os.environ, **(env or {})}, kill=[*prefix, "kill"])
        counts = Counts(self.junit(step))
        if counts.total == 0 or (code != 0 and not counts.failures):
            self.record(step, None if code == 0 else f"{' '.join(argv)}: " + ("out of time" if code is None else f"exit status {code}"))
        good = code == 0 and not counts.failures
        if not good:
            output = self.log.read_bytes()[began:].decode(errors="replace").splitlines()[-TAIL_LINES:]
            print("".join(f"   | {line}\n" for line in output), end="", flush=True)
        return good

    def record(self, step: str, failure: str | None = None, skipped: str | None = None) -> None:
        """One test case of our own."""
        suite = xml.Element("testsuite", name=self.part)
        case = xml.SubElement(suite, "testcase", classname="gate", name=step if step == self.part else f"{self.part}.{step}")
        if failure or skipped:
            xml.SubElement(case, "failure" if failure else "skipped", message=failure or skipped)
            print(f"   {failure or skipped}", flush=True)
        xml.ElementTree(suite).write(self.junit(step) / "step.xml", encoding="utf-8", xml_declaration=True)

    def _execute(self, argv: list[str], env: dict[str, str], kill: list[str]) -> int | None:
        """Exit status, or None when the time was over."""
        if time.monotonic() >= self.deadline:
            return None
        with self.log.open("a") as log:
            log.write(f"$ {' '.join(argv)}\n")
            log.flush()
            try:
                process = subprocess.Popen(argv, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
            except OSError as error:
                log.write(f"{error}\n")
                return 127
            try:
                return self._wait(process)
            finally:
                if process.poll() is None:
                    stop_group(process, kill)

    def _wait(self, process: subprocess.Popen) -> int | None:
        while (left := self.deadline - time.monotonic()) > 0:
            try:
                return process.wait(min(HEARTBEAT_S, left))
            except subprocess.TimeoutExpired:
                print(f"   ... {last_line(self.log)[:120]}", flush=True)
        return None


def stop_group(process: subprocess.Popen, kill: list[str]) -> None:
    subprocess.run([*kill, "-TERM", "--", f"-{process.pid}"], stderr=subprocess.DEVNULL, check=False)
    try:
        process.wait(TERMINATION_S)
    except subprocess.TimeoutExpired:
        pass
    subprocess.run([*kill, "-KILL", "--", f"-{process.pid}"], stderr=subprocess.DEVNULL, check=False)
    process.wait()


def last_line(file: pathlib.Path) -> str:
    lines = file.read_text(errors="replace").splitlines()
    return lines[-1] if lines else ""


def run_parts(parts: list[Part], limit_minutes: float | None) -> int:
    """Runs them all, also after a failure. Returns the exit status: 0 only when nothing failed and nothing had to be left out."""
    start = time.monotonic()
    end = start + limit_minutes * 60 if limit_minutes else float("inf")
    rows, left_out, failures = [], [], []
    totals = [0, 0]
    for part in parts:
        print(f"== {part.name}", flush=True)
        began = time.monotonic()
        steps = Steps(part.name, min(end, began + part.minutes * 60))
        if part.needs_root and root_prefix() is None:
            left_out.append(part.name)
            steps.record(part.name, skipped="needs root, or sudo without a password")
        else:
            part.work(steps)
        counts = Counts(steps.folder)
        minutes = (time.monotonic() - began) / 60
        rows.append((part.name, minutes, counts.passed, len(counts.failures), counts.skipped))
        totals[0] += counts.passed
        totals[1] += counts.skipped
        failures += [f"{part.name}: {name}" for name in counts.failures]
        print(f"   {'FAILED' if counts.failures else 'ok'}, {minutes:.1f} minutes, log in {steps.log.relative_to(ROOT)}", flush=True)
    return conclude(rows, totals, failures, left_out, (time.monotonic() - start) / 60, limit_minutes)


def conclude(rows: list, totals: list[int], failures: list[str], left_out: list[str], minutes: float, limit: float | None) -> int:
    if limit and minutes > limit:
        failures.append(f"the whole took {minutes:.1f} minutes, {limit:.0f} at most")
    print(f"\n{'part':<28}{'minutes':>8}{'passed':>8}{'failed':>8}{'skipped':>8}")
    for name, spent, passed, failed, skipped in [*rows, ("all", minutes, totals[0], len(failures), totals[1])]:
        print(f"{name:<28}{spent:>8.1f}{passed:>8}{failed:>8}{skipped:>8}")
    print("".join(f"FAILED {failure}\n" for failure in failures), end="")
    if left_out:
        print(f"LEFT OUT without root: {' '.join(left_out)}")
    print(f"{totals[0]} passed, {len(failures)} failed, {totals[1]} skipped", flush=True)
    return 1 if failures or left_out else 0


def stop_on_signals() -> None:
    """Ctrl-C and kill end the running part and undo what was placed, by way of the finally clauses."""
    def leave(number: int, _frame) -> None:
        raise SystemExit(128 + number)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
