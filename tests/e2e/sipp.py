"""sipp with the scenarios of sipp/: a SIP peer written by others."""
import pathlib
import socket
import sys

from lane import GATEWAY, PEER
from processes import Failed, Program, wait_for

SCENARIOS = pathlib.Path(__file__).resolve().parent / "sipp"


class Sipp:
    """One run of one scenario. transport: "u1" UDP, "t1" TCP."""

    def __init__(self, scenario: str, folder: pathlib.Path, transport: str = "u1", port: int = 5060, calls: int = 1, keys: dict | None = None):
        folder.mkdir(parents=True, exist_ok=True)
        self.messages = folder / "messages.log"
        arguments = ["sipp", "-sf", SCENARIOS / f"{scenario}.xml", "-i", PEER, "-p", port, "-t", transport, "-m", calls, "-r", 50, "-nostdin",
                     "-timeout", "60s", "-timeout_error", "-trace_msg", "-message_file", self.messages, "-trace_err", "-error_file", folder / "errors.log"]
        for name, value in (keys or {}).items():
            arguments += ["-key", name, value]
        self.program = Program([*arguments, f"{GATEWAY}:5060"], folder / "output.log", cwd=folder)
        # The kernel writes the address as one number in the byte order of the machine.
        bound = f" {int.from_bytes(socket.inet_aton(PEER), sys.byteorder):08X}:{port:04X} "
        table = pathlib.Path("/proc/net/udp" if transport.startswith("u") else "/proc/net/tcp")
        wait_for("sipp's socket", lambda: bound in table.read_text() or not self.program.alive())

    def wait(self) -> str:
        """Waits for its end; the messages it saw. Failed when the scenario did not go as written."""
        status = self.program.process.wait(70)
        seen = self.messages.read_text(errors="replace") if self.messages.exists() else ""
        if status:
            raise Failed(f"sipp ended with status {status}:\n{self.program.log.read_text(errors='replace')[-1500:]}\n{seen[-3000:]}")
        return seen

    def stop(self) -> None:
        self.program.kill()
