"""linphone-daemon as a phone, driven over its unix socket."""
import pathlib
import re
import secrets
import socket
import threading
import time

from processes import Program, wait_for

# verify_server_cn: the certificate must be good and carry the proxy's name.
CONFIGURATION = """
[sip]
sip_port=-1
sip_tcp_port=-1
sip_tls_port={port}
verify_server_certs=1
verify_server_cn=1
root_ca={root}
default_proxy=0
media_encryption=none
keepalive_period=30000
subscribe_presence_only_when_registered=0
register_only_when_network_is_up=0

[net]
mtu=1300

[proxy_0]
reg_proxy=<sip:{proxy};transport=tls>
reg_route=<sip:{proxy};transport=tls>
reg_identity=sip:{aor}
reg_sendregister={register}
reg_expires=3600
publish=0

[misc]
uuid=00000000-0000-4000-8000-000000000001
"""

FRIEND = """
[friend_0]
url="Watched" <sip:{watches}>
pol=accept
subscribe=1
"""


class Linphone:
    """A phone whose address of record is `aor` and whose every request goes to `proxy`, "name:port", over TLS. It takes no TLS connections
    from others: what is for it comes over its own, by which it registers."""

    name = "linphone"

    def __init__(self, folder: pathlib.Path, aor: str, proxy: str, root: pathlib.Path, port: int = 5071, register: bool = False,
                 watches: str = ""):
        """watches: whose presence it subscribes to when it starts."""
        home = folder / "home"
        (home / ".local" / "share" / "linphone").mkdir(parents=True, exist_ok=True)
        (folder / "linphonerc").write_text(CONFIGURATION.format(aor=aor, proxy=proxy, root=root, port=port, register=int(register)) +
                                          (FRIEND.format(watches=watches) if watches else ""))
        self.log = folder / "log"
        self.pipe = f"stox-linphone-{secrets.token_hex(6)}"  # under /tmp, which other lanes have as well
        self.lock, self.received, self.closing = threading.Lock(), [], False
        self.program = Program(["linphone-daemon", "--pipe", self.pipe, "--config", folder / "linphonerc", "--log", self.log],
                               folder / "output.log", cwd=folder, env={"HOME": str(home), "XDG_RUNTIME_DIR": str(home)})
        self.socket = wait_for("linphone's socket", self.connect, alive=self.program.alive)
        threading.Thread(target=self.watch, daemon=True).start()

    def connect(self) -> socket.socket | None:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(f"/tmp/{self.pipe}")
        except OSError:
            connection.close()
            return None
        connection.settimeout(10)
        return connection

    def command(self, line: str) -> str:
        """The answer to a command of the daemon: "Status: Ok" and what follows."""
        with self.lock:
            self.socket.sendall(line.encode() + b"\n")
            return self.socket.recv(65536).decode(errors="replace")

    def watch(self) -> None:
        """Events are asked for: the daemon queues them."""
        while not self.closing and self.program.alive():
            try:
                answer = self.command("pop-event")
            except OSError:
                return  # it has ended
            if match := re.search(r'Event-type: message-received\n.*?^From: (\S+)\n.*?^Content: "(.*)"\n', answer, re.DOTALL | re.MULTILINE):
                self.received.append((match[1], match[2], time.monotonic()))
            elif "Event-type" not in answer:
                time.sleep(0.02)

    def notified(self) -> list[str]:
        """Bodies of the NOTIFYs that came, as it logs them."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return [part.partition("\n\n")[2].partition("</presence>")[0] for part in text.replace("\r", "").split("\nNOTIFY ")[1:]]

    def send(self, to: str, text: str) -> float:
        when = time.monotonic()
        answer = self.command(f"message sip:{to} {text}")
        assert "Ok" in answer, answer
        return when

    def wait_message(self, text: str) -> tuple[str, float]:
        def found():
            return next(((sender, when) for sender, body, when in list(self.received) if body == text), None)
        return wait_for(f"the message {text!r} at linphone", found, alive=self.program.alive)

    def stop(self) -> None:
        self.closing = True
        self.program.stop()
        self.socket.close()
