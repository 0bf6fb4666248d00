"""What the two chat servers have in common: a private folder, a log, accounts, components, a worker below them."""
import contextlib
import dataclasses
import os
import pathlib
import re
import shutil
import subprocess

from processes import NOBODY, Failed, descendants, wait_for


@dataclasses.dataclass
class Setup:
    """A server to be, in the words of the gateway's options."""
    folder: pathlib.Path                 # private; everything the server reads and writes is below it
    build: pathlib.Path                  # a build folder with dist/ in it
    domain: str = "montague.test"        # of the XMPP users
    accounts: dict[str, str] = dataclasses.field(default_factory=dict)             # user name -> password
    components: dict[str, dict] = dataclasses.field(default_factory=dict)          # domain -> domain options
    engine: dict = dataclasses.field(default_factory=dict)                          # engine options
    admins: list[str] = dataclasses.field(default_factory=list)                     # bare JIDs that administer the server
    domain_admins: list[str] = dataclasses.field(default_factory=list)              # and those of each gateway alone
    ctl: bool = False                    # whether the server's own command line reaches it (ejabberdctl needs a port for that)
    node: str = ""                       # of an ejabberd cluster: its name on this host
    isolation: str = "process"
    control: str = ""                    # with isolation service: the worker's control socket
    groups: list[int] = dataclasses.field(default_factory=list)                     # further ones of the server's process
    archive: bool = False                # whether the server keeps what its users write and get (XEP-0313)
    address: str = "127.0.0.1"           # where XMPP clients connect
    port: int = 5222
    environment: dict[str, str] = dataclasses.field(default_factory=dict)           # of the server and its worker, on top of ours
    metrics_port: int = 0                # Prosody's own metrics over HTTP, on loopback; 0: none
    statsd_port: int = 0                 # Prosody's statistics go there over UDP, on loopback; 0: nowhere
    api_port: int = 15280                # on loopback, where a server is administered over HTTP


class Server:
    """One private chat server. Subclasses write its configuration and start it."""

    name = ""

    def __init__(self, setup: Setup):
        self.setup = setup
        self.folder = setup.folder
        self.log = self.folder / "server.log"
        self.program = None
        self.stage()

    # for subclasses
    def configure(self) -> None:
        raise NotImplementedError

    def start(self) -> None:
        raise NotImplementedError

    def reload(self) -> None:
        raise NotImplementedError

    def stage(self) -> None:
        """Copies what the server loads to where its unprivileged user can read it."""
        dist = self.setup.build / "dist"
        if not (dist / "stox.so").exists():
            raise Failed(f"{dist} holds no stox.so; build it first")
        shutil.copytree(dist, self.folder / "dist", symlinks=False, dirs_exist_ok=True)
        self.own()

    def own(self) -> None:
        """The server's user gets its folder."""
        self.folder.chmod(0o755)
        for path in [self.folder, *self.folder.rglob("*")]:
            with contextlib.suppress(FileNotFoundError):  # a worker that ends takes its sockets along
                shutil.chown(path, NOBODY, NOBODY)

    # for everybody
    @property
    def pid(self) -> int:
        return self.program.pid

    def alive(self) -> bool:
        return self.program is not None and self.program.alive()

    def log_text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def log_size(self) -> int:
        return self.log.stat().st_size if self.log.exists() else 0

    def wait_log(self, pattern: str, since: int = 0, seconds: float = 60.0) -> re.Match:
        """The first match of the pattern in the log after that offset in octets."""
        def match():
            with open(self.log, "rb") as log:
                log.seek(since)
                return re.search(pattern, log.read().decode(errors="replace"))
        try:
            return wait_for(f"/{pattern}/ in the log of {self.name}", lambda: self.log.exists() and match(), seconds, self.alive)
        except Failed as failure:
            raise Failed(f"{failure}\n--- end of {self.log}\n{self.tail()}") from failure

    def tail(self, lines: int = 25) -> str:
        return "\n".join(self.log_text().splitlines()[-lines:])

    def worker(self) -> int:
        """The worker's process id; 0 while there is none."""
        return next(iter(descendants(self.pid, "stoxd")), 0)

    def wait_attached(self, domain: str, since: int = 0) -> None:
        self.wait_log(rf"{re.escape(domain)}.*\battached\b|\battached\b.*{re.escape(domain)}", since)

    def stoxctl(self, *words: str) -> subprocess.CompletedProcess:
        """The gateway's command line, as the server's user."""
        socket = next(self.folder.glob("*/stox/state")) / "admin.sock"
        return self.command([self.folder / "dist" / "stoxctl", "--socket", socket, *words])

    def command(self, command: list, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess:
        """Runs it as the server's user; what it wrote is in stdout and stderr, its status in returncode."""
        return subprocess.run([str(part) for part in command], user=NOBODY, group=NOBODY, extra_groups=[], cwd=self.folder, timeout=60, check=False,
                              capture_output=True, text=True, env={"PATH": os.environ["PATH"], **self.setup.environment, **(environment or {})})

    def ctl(self, command: str, *words: str) -> subprocess.CompletedProcess:
        """The server's own command line for a command of the gateway."""
        raise NotImplementedError

    def set_component(self, domain: str, options: dict | None) -> None:
        """Adds, changes or (None) removes a component by configuration and reload."""
        if options is None:
            self.setup.components.pop(domain, None)
        else:
            self.setup.components[domain] = options
        self.configure()
        self.reload()

    def stop(self) -> None:
        if self.program is not None:
            self.program.stop()
            self.program = None
