"""The worker as a service of a user of its own, with the directories that deploy/units makes on a machine."""
import os
import pathlib
import shutil

from processes import Failed, Program, wait_for

USER, GROUP = 65532, 65533   # the service's user; its group, in which the chat servers' users are too


class Service:
    def __init__(self, folder: pathlib.Path, build: pathlib.Path, *, environment: dict | None = None, return_within: int = 60):
        self.folder, self.environment, self.return_within = folder, dict(environment or {}), return_within
        self.control, self.log = folder / "run" / "control", folder / "service.log"
        self.program = None
        for name, mode in {"": 0o755, "run": 0o3770, "state": 0o700, "dist": 0o755, "reports": 0o700}.items():
            path = folder / name
            path.mkdir(parents=True, exist_ok=True)
            shutil.chown(path, USER, GROUP)
            path.chmod(mode)
        for name in ("stoxd", "libstox_engine.so"):
            shutil.copy(build / "dist" / name, folder / "dist" / name)

    def start(self) -> None:
        reports = {name: ":".join(filter(None, [os.environ.get(name), f"log_path={self.folder}/reports/sanitizer"]))
                   for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS")}
        self.program = Program(["setpriv", f"--reuid={USER}", f"--regid={GROUP}", "--clear-groups", self.folder / "dist" / "stoxd",
                                "--listen", self.control, "--allow-group", str(GROUP), "--return-within", str(self.return_within)],
                               self.log, env={"STATE_DIRECTORY": str(self.folder / "state"), **reports, **self.environment}, cwd=self.folder)
        wait_for("the control socket", lambda: listens(self.control), alive=self.program.alive)

    @property
    def pid(self) -> int:
        return self.program.pid

    def kill(self) -> None:
        self.program.kill()

    def stop(self) -> int:
        return self.program.stop()

    def text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def wait_log(self, part: str, since: int = 0) -> None:
        try:
            wait_for(f"{part!r} in the log of the service", lambda: part in self.text()[since:], alive=self.program.alive)
        except Failed as failure:
            raise Failed(f"{failure}\n--- end of {self.log}\n{self.text()[-3000:]}") from failure

    def reports(self) -> str:
        """What a sanitizer found."""
        return "\n".join(path.read_text(errors="replace") for path in (self.folder / "reports").glob("sanitizer.*"))


def listens(path: pathlib.Path) -> bool:
    try:
        return any(line.split()[-1] == str(path) for line in pathlib.Path("/proc/net/unix").read_text().splitlines() if " 00010000 " in line)
    except (OSError, IndexError):
        return False
