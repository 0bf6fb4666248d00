"""Profanity as a chat client, in a terminal of its own. What came and went is read from its log, which has every stanza."""
import pathlib
import re
import subprocess

from processes import Program, wait_for

ACCOUNT = """[{jid}]
enabled=true
jid={jid}
server={host}
port={port}
resource=profanity
password={password}
tls.policy=disable
presence.last=online
presence.login=online
"""
PREFERENCES = """[ui]
splash=false
[chatstates]
enabled=true
[receipts]
request={receipts}
send={receipts}
[notifications]
message=off
[otr]
policy=manual
"""
TMUX = ["tmux", "-f", "/dev/null"]


class Profanity:
    """One account, logged in. receipts: whether it asks for receipts and gives them."""

    name = "profanity"

    def __init__(self, folder: pathlib.Path, jid: str, password: str, host: str, port: int, receipts: bool = True):
        home = folder / "home"
        for part, text in (("data/profanity/accounts", ACCOUNT.format(jid=jid, host=host, port=port, password=password)),
                           ("config/profanity/profrc", PREFERENCES.format(receipts=str(receipts).lower()))):
            file = home / part
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        self.socket = folder / "terminal"
        self.log = home / "data" / "profanity" / "logs" / "profanity.log"
        environment = {"HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"), "XDG_DATA_HOME": str(home / "data"), "LC_ALL": "C.UTF-8",
                       "TERM": "xterm-256color"}
        # In the foreground: the terminal is a process of ours, and Profanity ends with it.
        self.program = Program([*TMUX, "-D", "-S", self.socket], folder / "terminal.log", env=environment)
        wait_for("the terminal", self.socket.exists, alive=self.program.alive)
        self.terminal("new-session", "-d", "-x", "200", "-y", "50", f"profanity -l DEBUG -a {jid}")
        wait_for(f"the login of {jid}", lambda: self.sent("<presence"), alive=self.program.alive)

    def terminal(self, *command: str) -> str:
        done = subprocess.run([*TMUX, "-S", str(self.socket), *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return done.stdout

    def screen(self) -> str:
        return self.terminal("capture-pane", "-p")

    def type(self, line: str) -> None:
        """A line at its prompt."""
        self.terminal("send-keys", "-l", line)
        self.terminal("send-keys", "Enter")

    def send(self, to: str, text: str) -> None:
        """Writes one line to somebody."""
        self.type(f'/msg {to} {text}')

    def stanzas(self, direction: str) -> list[str]:
        """What it logged as "RECV" or "SENT", the oldest first."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return re.findall(direction + r": (<.*)", text)

    def sent(self, *parts: str) -> str | None:
        return self.find("SENT", parts)

    def came(self, *parts: str) -> str | None:
        return self.find("RECV", parts)

    def find(self, direction: str, parts: tuple[str, ...]) -> str | None:
        return next((stanza for stanza in self.stanzas(direction) if all(part in stanza for part in parts)), None)

    def wait_came(self, *parts: str) -> str:
        """The first stanza to it with all of these in it."""
        return wait_for(f"{parts} at Profanity", lambda: self.came(*parts), alive=self.program.alive)

    def wait_sent(self, *parts: str) -> str:
        return wait_for(f"{parts} from Profanity", lambda: self.sent(*parts), alive=self.program.alive)

    def wait_shown(self, text: str) -> None:
        wait_for(f"{text!r} on Profanity's screen", lambda: text in self.screen(), alive=self.program.alive)

    def stop(self) -> None:
        self.type("/quit")
        self.program.stop()
