"""Names in a lane: dnsmasq on 127.0.0.1, which the lane's resolv.conf names."""
import pathlib
import socket

from processes import Program, wait_for


class Dnsmasq:
    """addresses: name -> address. services: lines as --srv-host takes them, "_sip._udp.x.test,host.x.test,5060,10,5"."""

    def __init__(self, folder: pathlib.Path, addresses: dict[str, str], services: list[str] = ()):
        folder.mkdir(parents=True, exist_ok=True)
        lines = ["no-resolv", "no-hosts", "no-daemon", "listen-address=127.0.0.1", "bind-interfaces", "cache-size=0", "local=/test/"]
        lines += [f"host-record={name},{address}" for name, address in addresses.items()]
        lines += [f"srv-host={service}" for service in services]
        (folder / "dnsmasq.conf").write_text("\n".join(lines) + "\n")
        self.program = Program(["dnsmasq", "--conf-file=" + str(folder / "dnsmasq.conf"), "--user=root", "--pid-file="], folder / "output.log")
        wait_for("dnsmasq", self.listens, alive=self.program.alive)

    @staticmethod
    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", 53)) == 0

    def stop(self) -> None:
        self.program.stop()
