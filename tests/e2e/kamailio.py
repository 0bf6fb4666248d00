"""Kamailio as a proxy between the gateway and phones."""
import pathlib
import platform
import socket

from processes import Program, wait_for

TEMPLATE = pathlib.Path(__file__).resolve().parent / "kamailio" / "kamailio.cfg"
TLS = """
[server:default]
method = TLSv1.2+
certificate = {chain}
private_key = {key}
ca_list = {root}
verify_certificate = {verify}
require_certificate = {verify}

[client:default]
method = TLSv1.2+
certificate = {chain}
private_key = {key}
ca_list = {root}
verify_certificate = yes
require_certificate = yes
server_name = {gateway_name}
"""


class Kamailio:
    """gateway: "ip:port" of its TLS listener; gateway_name goes out as SNI. challenge: what comes from the gateway needs digest credentials.
    What comes from elsewhere goes to the gateway, with its own credentials if the gateway asks for them. What comes from the gateway goes to
    whoever has registered under that user name, over the connection that was registered by, else to `phone`."""

    def __init__(self, folder: pathlib.Path, address: str, gateway: str, gateway_name: str, phone: str, identity: tuple[pathlib.Path, pathlib.Path],
                 root: pathlib.Path, *, client_certificates: bool = True, challenge: bool = False, user: str = "proxy", password: str = "secret",
                 realm: str = "kamailio.test"):
        folder.mkdir(parents=True, exist_ok=True)
        words = {"address": address, "gateway": gateway, "gateway_address": gateway.rpartition(":")[0], "phone": phone, "folder": folder, "user": user, "password": password, "realm": realm,
                 "modules": f"/usr/lib/{platform.machine()}-linux-gnu/kamailio/modules/"}
        text = TEMPLATE.read_text()
        for word, value in words.items():
            text = text.replace(f"$({word})", str(value))
        (folder / "kamailio.cfg").write_text(("#!define CHALLENGE\n" if challenge else "") + text)
        (folder / "tls.cfg").write_text(TLS.format(chain=identity[0], key=identity[1], root=root, gateway_name=gateway_name,
                                                   verify="yes" if client_certificates else "no"))
        self.address = address
        self.program = Program(["kamailio", "-f", folder / "kamailio.cfg", "-DD", "-E", "-m", "64", "-M", "8", "-w", folder, "-Y", folder],
                               folder / "output.log", cwd=folder)
        wait_for("Kamailio's TLS listener", self.listens, alive=self.program.alive)

    def listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((self.address, 5061)) == 0

    def log(self) -> str:
        return self.program.log.read_text(errors="replace")

    def stop(self) -> None:
        self.program.stop()
