"""Kamailio with its xmpp module as a component of the server under measurement."""
import pathlib
import platform

from processes import Program, children

MODULES = pathlib.Path(f"/usr/lib/{platform.machine()}-linux-gnu/kamailio/modules")
CONFIGURATION = """
debug=0
log_stderror=yes
children=1
disable_tcp=yes
auto_aliases=no
listen=udp:{address}:5060

mpath="{modules}/"
loadmodule "kex.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "xmpp.so"

modparam("xmpp", "backend", "component")
modparam("xmpp", "domain_separator", "*")
modparam("xmpp", "gateway_domain", "gateway.test")
modparam("xmpp", "xmpp_domain", "{domain}")
modparam("xmpp", "xmpp_host", "{host}")
modparam("xmpp", "xmpp_port", {port})
modparam("xmpp", "xmpp_password", "{secret}")
modparam("xmpp", "outbound_proxy", "sip:{phone}")

request_route {{
    if (method=="MESSAGE") {{
        if (xmpp_send_message()) {{
            sl_send_reply("202", "Accepted");
        }} else {{
            sl_send_reply("503", "Service Unavailable");
        }}
        exit;
    }}
    sl_send_reply("405", "Method Not Allowed");
}}
"""


def missing() -> str:
    """Why it cannot be had; empty: it can."""
    return "" if (MODULES / "xmpp.so").exists() else "the package kamailio-xmpp-modules is not installed"


class Kamailio:
    """server: "address:port" of its component port. shim: what its module needs to live, see kamailio_shim.c."""

    def __init__(self, folder: pathlib.Path, shim: pathlib.Path, address: str, server: str, domain: str, secret: str, phone: str):
        folder.mkdir()
        host, _, port = server.rpartition(":")
        words = {"address": address, "modules": MODULES, "domain": domain, "host": host, "port": port, "secret": secret, "phone": phone}
        (folder / "kamailio.cfg").write_text(CONFIGURATION.format(**words))
        self.program = Program(["kamailio", "-f", folder / "kamailio.cfg", "-DD", "-E", "-m", "256", "-M", "32", "-w", folder, "-Y", folder],
                               folder / "output.log", cwd=folder, env={"LD_PRELOAD": str(shim)})

    def pids(self) -> list[int]:
        return [self.program.pid, *children(self.program.pid)]

    def stop(self) -> None:
        self.program.stop()
