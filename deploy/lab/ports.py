"""Addresses of this machine and ports that are free on them."""
import contextlib
import json
import socket

from processes import Failed, run


def host_addresses() -> list[str]:
    """The machine's IPv4 addresses, loopback left out."""
    links = json.loads(run("ip", "-j", "-4", "address", "show", "up", "scope", "global"))
    return [entry["local"] for link in links for entry in link.get("addr_info", []) if "local" in entry]


def free_port(*addresses: str) -> int:
    """A port that is free on all of them, for UDP and for TCP."""
    for _ in range(50):
        with contextlib.ExitStack() as probes, contextlib.suppress(OSError):
            port = 0
            for address in addresses:
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    probe = probes.enter_context(socket.socket(socket.AF_INET, kind))
                    probe.bind((address, port))
                    port = probe.getsockname()[1]
            return port
    raise Failed(f"no port is free on {', '.join(addresses)}")
