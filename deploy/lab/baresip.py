"""baresip as a phone: no registration, messages to one contact, driven over its TCP control and console."""
import json
import pathlib
import re
import socket
import threading
import time

from processes import Failed, Program, wait_for

CONFIGURATION = """
sip_listen {address}:{port}
module_path /usr/lib/baresip/modules
module account.so
module contact.so
module menu.so
module cons.so
module ctrl_tcp.so
module g711.so
cons_listen {address}:{console}
ctrl_tcp_listen {address}:{control}
"""
CONTROL, CONSOLE = 4444, 5555


class Baresip:
    """A phone whose address of record is `aor` and whose every request goes to `gateway`, "ip:port;transport=udp"."""

    name = "baresip"

    def __init__(self, folder: pathlib.Path, aor: str, address: str, gateway: str, contact: str, port: int = 5060, prefix: list | None = None,
                 certificate: pathlib.Path | None = None, root: pathlib.Path | None = None, watches: bool = False,
                 publishes: int = 0):
        """certificate: chain and key in one file, for TLS on port + 1; root: whom it trusts; watches: it subscribes to its contact's presence;
        publishes: it publishes its own, for so many seconds each time."""
        folder.mkdir(parents=True, exist_ok=True)
        text = CONFIGURATION.format(address=address, port=port, console=CONSOLE, control=CONTROL)
        text += f"sip_certificate {certificate}\n" if certificate else ""
        text += f"sip_cafile {root}\n" if root else ""
        text += "module_app presence.so\n" if watches or publishes else ""
        (folder / "config").write_text(text)
        (folder / "accounts").write_text(f'<sip:{aor}>;regint=0;pubint={publishes};outbound="sip:{gateway}"\n')
        (folder / "contacts").write_text(f'"Contact" <sip:{contact}>{";presence=p2p" if watches else ""}\n')
        self.received: list[tuple[str, str, float]] = []  # from, text, when (monotonic)
        self.program = Program(["baresip", "-f", folder], folder / "output.log", prefix=prefix)
        self.console = self.connect(address, CONSOLE)
        self.control = self.connect(address, CONTROL)
        threading.Thread(target=self.read_console, daemon=True).start()
        self.command("contact_next")

    def connect(self, address: str, port: int) -> socket.socket:
        def attempt():
            try:
                return socket.create_connection((address, port), timeout=5)
            except OSError:
                return None
        try:
            connection = wait_for("baresip's start", attempt, alive=self.program.alive)
        except Failed as failure:
            raise Failed(f"{failure}\n{self.program.log.read_text(errors='replace')[-2000:]}") from failure
        connection.settimeout(None)
        return connection

    def read_console(self) -> None:
        """The menu writes `sender: "text"` for each message; the text may hold line breaks."""
        pending = ""
        while data := self.octets():
            when = time.monotonic()
            pending += data.decode(errors="replace")
            while found := re.search(r'\r(\S+): "(.*?)"\n(?=\r|\Z)', pending, re.DOTALL):
                self.received.append((found[1], found[2], when))
                pending = pending[found.end():]

    def octets(self) -> bytes:
        try:
            return self.console.recv(65536)
        except OSError:  # closed by stop()
            return b""

    def command(self, name: str, parameters: str = "") -> str:
        octets = json.dumps({"command": name, "params": parameters}, ensure_ascii=False).encode()
        self.control.sendall(b"%d:%s," % (len(octets), octets))
        return self.control.recv(65536).decode(errors="replace")

    def send(self, text: str) -> float:
        """Writes to the contact; returns when it left (monotonic)."""
        when = time.monotonic()
        self.command("message", text)
        return when

    def wait_message(self, text: str) -> tuple[str, float]:
        """Sender and moment of the message with that text."""
        def found():
            return next(((sender, when) for sender, body, when in self.received if body == text), None)
        return wait_for(f"the message {text!r} at baresip", found, alive=self.program.alive)

    def stop(self) -> None:
        self.program.stop()
        self.console.close()
        self.control.close()
