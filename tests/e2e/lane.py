"""Inside the namespaces of one lane: makes its network, then runs the scenarios. Usage: lane.py SERVER BUILD JUNIT gate|full [NAME ...]"""
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
# The peer's address, the gateway's, one that belongs to no peer, and a proxy's.
PEER, GATEWAY, STRANGER, PROXY = "10.77.0.1", "10.77.0.2", "10.77.0.3", "10.77.0.4"


def make_network() -> None:
    commands = ["link set lo up", "link add lab type bridge", *(f"address add {address}/24 dev lab" for address in (PEER, GATEWAY, STRANGER, PROXY)),
                "link set lab up", f"route add default via {PEER}"]
    for command in commands:
        subprocess.run(["ip", *command.split()], check=True)
    # Namespaces are made in a folder of the host's, under process numbers that other lanes have as well.
    os.makedirs("/run/netns", exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "lane", "/run/netns"], check=True)
    # A scenario that needs names starts a server for them there; what asks for one without it hears so at once.
    resolver = pathlib.Path("/run/stox-lane-resolv.conf")
    resolver.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    subprocess.run(["mount", "--bind", str(resolver), os.path.realpath("/etc/resolv.conf")], check=True)


def main() -> int:
    server, build, junit, kind, *names = sys.argv[1:]
    make_network()
    os.environ.update(STOX_SERVER=server, STOX_BUILD=build, PYTHONDONTWRITEBYTECODE="1")
    import pytest
    arguments = [str(HERE / "scenarios"), "-q", "--rootdir", str(HERE), "-c", str(HERE / "pytest.ini"), f"--junitxml={junit}", "-o",
                 f"junit_suite_name=e2e_{server}", "-p", "no:cacheprovider"]
    if kind == "gate":
        arguments += ["-m", "gate"]
    if names:
        arguments += ["-k", " or ".join(names)]
    return pytest.main(arguments)


if __name__ == "__main__":
    sys.exit(main())
