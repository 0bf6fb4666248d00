"""A network namespace for the phone, joined to ours by a pair of virtual interfaces."""
import ipaddress
import json
import os

from processes import Failed, run


def used_networks() -> list[ipaddress.IPv4Network]:
    addresses = json.loads(run("ip", "-j", "-4", "address"))
    routes = json.loads(run("ip", "-j", "-4", "route", "show", "table", "all"))
    networks = [ipaddress.ip_network(f"{entry['local']}/{entry['prefixlen']}", strict=False) for link in addresses
                for entry in link.get("addr_info", []) if "local" in entry]
    return networks + [ipaddress.ip_network(route["dst"], strict=False) for route in routes if route.get("dst", "default") != "default"]


def free_network() -> ipaddress.IPv4Network:
    """A /30 of 10.77.0.0/16 that nothing here uses."""
    used = used_networks()
    for candidate in ipaddress.ip_network("10.77.0.0/16").subnets(new_prefix=30):
        if not any(candidate.overlaps(network) for network in used):
            return candidate
    raise Failed("no free network in 10.77.0.0/16 for the phone")


class Namespace:
    """`here` is our end's address, `there` the phone's. Everything goes with remove()."""

    def __init__(self):
        self.name = f"stox-phone-{os.getpid()}"
        self.link = f"stox{os.getpid() % 1_000_000}"
        here, there = list(free_network().hosts())
        self.here, self.there = str(here), str(there)
        try:
            run("ip", "netns", "add", self.name)
            run("ip", "link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns", self.name)
            run("ip", "address", "add", f"{here}/30", "dev", self.link)
            run("ip", "link", "set", self.link, "up")
            for arguments in (["address", "add", f"{there}/30", "dev", "eth0"], ["link", "set", "eth0", "up"], ["link", "set", "lo", "up"],
                              ["route", "add", "default", "via", self.here]):
                run("ip", "-n", self.name, *arguments)
        except BaseException:  # an interrupt too
            self.remove()
            raise

    def prefix(self) -> list[str]:
        """Before a command that shall run inside."""
        return ["ip", "netns", "exec", self.name]

    def remove(self) -> None:
        run("ip", "link", "delete", self.link, check=False)
        run("ip", "netns", "delete", self.name, check=False)
