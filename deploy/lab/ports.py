"""Addresses of this machine and ports that are free on them."""
import contextlib
import json
import socket

from processes import Failed, run


def host_addresses() -> list[str]:
    """The machine's IPv4 addresses, loopback left out."""
    links = json.loads(run("ip", "-j", "-4", "address", "show", "up", "scope", "global"))
    return [entry["local"] for link in links for entry in link.get("addr_info", []) if "local" in entry]


def usual_port(address: str) -> int:
    """5060, or another if somebody has it."""
    try:
        return free_port(address, first=5060)
    except Failed:
        return free_port(address)


def free_port(*addresses: str, first: int = 0) -> int:
    """A port that is free on all of them, for UDP and for TCP; `first` if one is given, else any."""
    for _ in range(50):
        with contextlib.ExitStack() as probes, contextlib.suppress(OSError):
            port = first
            for address in addresses:
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    probe = probes.enter_context(socket.socket(socket.AF_INET, kind))
                    probe.bind((address, port))
                    port = probe.getsockname()[1]
            return port
    raise Failed(f"no port is free on {', '.join(addresses)}")
