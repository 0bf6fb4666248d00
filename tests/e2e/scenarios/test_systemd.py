"""deploy/units as docs/loading.md installs them, run by a real systemd: the worker works inside its sandbox and is kept up.

Skipped, with the reason, where systemd cannot be process 1 of namespaces; tests/units_test.py reads the unit everywhere.
"""
import os
import pathlib
import re
import shutil
import stat
import time

import pytest

from conftest import COMPONENT, DOMAIN, PASSWORD, make_server
from lane import GATEWAY, PEER
from machine import Machine, NoMachine
from processes import wait_for
from sip_peer import SipPeer, message
from xmpp_client import XmppClient

ROOT, RELEASE = pathlib.Path(__file__).resolve().parents[3], pathlib.Path(os.environ["STOX_RELEASE"])
UNIT, PORT, CONTROL, STATE = "stoxd.service", 5120, pathlib.Path("/run/stox/control"), "/var/lib/stox"
PEERS = {"phones": {"match": {"source": [PEER]}, "next_hop": f"sip:{PEER}:{PORT}", "probe": False}}
CAP_SYS_RESOURCE = 24
WORST_EXPOSURE = 1.5  # of 10, as systemd-analyze counts what a service could do to the machine


@pytest.fixture(scope="module")
def machine(workspace):
    try:
        running = Machine(workspace / "machine")
    except NoMachine as lacking:
        pytest.skip(str(lacking))
    try:
        install(running)
        yield running
    finally:
        running.stop()


def install(machine: Machine) -> None:
    """What docs/loading.md says, and what a package does: the release build, for a sanitizer does not live in a sandbox."""
    units = ROOT / "deploy" / "units"
    for source, target in ((units / "stoxd.service", "/etc/systemd/system/stoxd.service"), (units / "stox.sysusers", "/etc/sysusers.d/stox.conf"),
                           (units / "stox.tmpfiles", "/etc/tmpfiles.d/stox.conf"), (RELEASE / "dist" / "stoxd", "/usr/libexec/stox/stoxd"),
                           (RELEASE / "dist" / "libstox_engine.so", "/usr/libexec/stox/libstox_engine.so"),
                           (RELEASE / "dist" / "stoxctl", "/usr/bin/stoxctl")):
        machine.path(target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, machine.path(target))
    machine.run("systemd-sysusers", "/etc/sysusers.d/stox.conf")
    machine.run("systemd-tmpfiles", "--create", "/etc/tmpfiles.d/stox.conf")
    machine.run("systemctl", "daemon-reload")
    said = machine.run("systemctl", "enable", "--now", UNIT, check=False)
    assert machine.properties(UNIT, "ActiveState")["ActiveState"] == "active", f"{said}\n{machine.journal(UNIT)}"
    wait_for("the control socket", CONTROL.is_socket)


def numbers(machine: Machine) -> tuple[int, int]:
    """User and group of the service."""
    return int(machine.run("id", "-u", "stox")), int(machine.run("id", "-g", "stox"))


@pytest.fixture(scope="module")
def server(workspace, machine):
    running = make_server(workspace / "systemd-server", isolation="service", control=str(CONTROL), groups=[numbers(machine)[1]], port=5350, api_port=15310,
                          components={COMPONENT: {"peers": PEERS}}, engine={"bind": [f"udp:{GATEWAY}:{PORT}", f"tcp:{GATEWAY}:{PORT}"], "log_level": "debug"})
    yield running
    running.stop()


def each_way(server, text: str) -> None:
    client = XmppClient(f"romeo@{DOMAIN}/systemd", PASSWORD, server.setup.address, server.setup.port)
    try:
        with SipPeer(port=PORT) as phone:
            client.send(f"juliet@{COMPONENT}", f"{text} out")
            phone.wait_request(lambda request: request.body == f"{text} out")
            assert phone.ask(message(body=f"{text} in", port=PORT), gateway_port=PORT).status == 202
            client.wait_body(f"{text} in")
    finally:
        client.stop()


def status_of(pid: int) -> dict[str, list[str]]:
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.split() for name, _, value in (line.partition(":") for line in lines)}


def capable(pid: int, capability: int) -> bool:
    return bool(int(status_of(pid)["CapEff"][0], 16) >> capability & 1)


def most_files(pid: int) -> tuple[int, int]:
    """How many descriptors it may have, soft and hard."""
    found = re.search(r"^Max open files +(\d+) +(\d+)", pathlib.Path(f"/proc/{pid}/limits").read_text(), re.MULTILINE)
    return int(found[1]), int(found[2])


@pytest.mark.gate(60)
def test_it_runs_as_its_own_user_with_nothing_to_gain(machine):
    user, group = numbers(machine)
    assert machine.properties(UNIT, "ActiveState", "SubState", "Result", "NRestarts") == \
        {"ActiveState": "active", "SubState": "running", "Result": "success", "NRestarts": "0"}, machine.journal(UNIT)
    pid = machine.main_process(UNIT)
    status = status_of(pid)
    assert status["Uid"] == [str(user)] * 4 and status["Gid"] == [str(group)] * 4
    assert all(int(status[which][0], 16) == 0 for which in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"))
    assert status["NoNewPrivs"] == ["1"] and status["Seccomp"] == ["2"], "no filter of system calls"
    # Where process 1 itself may not raise it (no CAP_SYS_RESOURCE), its own limit is the most.
    most = 65_536 if capable(machine.pid, CAP_SYS_RESOURCE) else min(65_536, most_files(machine.pid)[1])
    assert most_files(pid) == (most, most)


@pytest.mark.gate(60)
def test_its_socket_and_its_state_are_its_own(machine, server):
    user, group = numbers(machine)
    for path, kind, mode in ((CONTROL, stat.S_IFSOCK, 0o660), (CONTROL.parent, stat.S_IFDIR, 0o3770), (machine.path(STATE), stat.S_IFDIR, 0o700)):
        there = path.stat()
        assert (there.st_uid, there.st_gid, stat.S_IFMT(there.st_mode), stat.S_IMODE(there.st_mode)) == (user, group, kind, mode), path
    wait_for("the store", (machine.path(STATE) / "store.db").exists)
    for path in machine.path(STATE).iterdir():
        assert (path.stat().st_uid, stat.S_IMODE(path.stat().st_mode) & 0o077) == (user, 0), path


def inside(machine: Machine, command: str) -> str:
    """A shell of our making in the worker's view of the files, as root: what it cannot do there nobody can."""
    return machine.run("nsenter", f"--target={machine.properties(UNIT, 'MainPID')['MainPID']}", "--mount", "sh", "-c", command, check=False)


@pytest.mark.gate(60)
def test_it_sees_and_writes_only_what_it_needs(machine):
    for place in ("/etc/stox", "/usr/stox", "/var/stox", "/opt/stox", "/var/lib/stox.new",
                  "/proc/sys/vm/swappiness", "/proc/sys/kernel/domainname", "/sys/fs/cgroup/cgroup.procs"):
        assert "Read-only file system" in inside(machine, f": >> {place}"), place
    for folder in ("/home", "/root"):
        assert inside(machine, f"ls -A {folder} | wc -l").strip() == "0", folder
    assert inside(machine, "ls /dev/kmsg /dev/mem 2>&1 | grep -c 'No such file'").strip() == "2"
    for folder in (STATE, "/run/stox", "/tmp"):
        assert inside(machine, f"touch {folder}/.probe && rm {folder}/.probe && echo written").strip() == "written", folder
    machine.run("sh", "-c", ": > /tmp/of-another")
    assert inside(machine, "ls /tmp/of-another").startswith("ls: cannot access"), "its /tmp is not private"


@pytest.mark.gate(60)
def test_what_systemd_thinks_of_its_sandbox(machine, capsys):
    said = machine.run("systemd-analyze", "security", "--no-pager", UNIT)
    exposure = re.search(r"Overall exposure level for stoxd\.service: (\d+\.\d+) (\w+)", said)
    with capsys.disabled():
        print(f"\n{exposure[0]}")
    assert float(exposure[1]) <= WORST_EXPOSURE, said


@pytest.mark.gate(120)
def test_messages_go_both_ways_through_it(machine, server):
    assert server.worker() == 0, "the server has a worker of its own"
    each_way(server, "by systemd")
    assert f"{COMPONENT}: attached" in machine.journal(UNIT)
    assert COMPONENT in machine.run("stoxctl", "domains")


@pytest.mark.gate(120)
def test_it_wants_no_system_call_that_is_refused(machine, server):
    """With a drop-in one of those would be its end, where the unit has it fail quietly."""
    strict = machine.path(f"/etc/systemd/system/{UNIT}.d/strict.conf")
    strict.parent.mkdir()
    strict.write_text("[Service]\nSystemCallErrorNumber=\n")
    since = server.log_size()
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", UNIT)
    pid = machine.main_process(UNIT)
    server.wait_attached(COMPONENT, since)
    each_way(server, "strictly")
    assert machine.main_process(UNIT) == pid
    strict.unlink()
    since = server.log_size()
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", UNIT)
    server.wait_attached(COMPONENT, since)
    assert "SYS" not in machine.journal(UNIT), "it ended by a signal of the filter's"


@pytest.mark.gate(60)
def test_a_reload_reaches_it(machine, server):
    pid = machine.main_process(UNIT)

    def code() -> int:
        with SipPeer(port=PORT) as phone:
            return phone.ask(message(f"benvolio@{DOMAIN}", port=PORT), gateway_port=PORT).status
    assert code() == 202
    server.set_component(COMPONENT, {"peers": PEERS, "message_accept_code": 200})
    wait_for("the new code", lambda: code() == 200)
    server.set_component(COMPONENT, {"peers": PEERS})
    wait_for("the old code", lambda: code() == 202)
    assert machine.main_process(UNIT) == pid


@pytest.mark.gate(120)
def test_it_is_started_again_however_often_it_is_killed(machine, server):
    """Six times within ten seconds or so: systemd's own limit, five in ten seconds, would have it stay down."""
    before = int(machine.properties(UNIT, "NRestarts")["NRestarts"])
    for number in range(6):
        since, pid = server.log_size(), machine.main_process(UNIT)
        machine.run("systemctl", "kill", "--signal=KILL", UNIT)
        wait_for("another process", lambda: machine.main_process(UNIT) not in (0, pid))  # noqa: B023
        wait_for("the restart to be counted", lambda: int(machine.properties(UNIT, "NRestarts")["NRestarts"]) == before + number + 1)  # noqa: B023
    server.wait_attached(COMPONENT, since)
    each_way(server, "after the kills")


@pytest.mark.gate(120)
def test_it_stops_in_time_and_keeps_what_waits(machine, server):
    server.stop()
    with SipPeer(port=PORT) as phone:
        assert phone.ask(message(body="while both are away", port=PORT), gateway_port=PORT).status == 202
    begun = time.monotonic()
    machine.run("systemctl", "stop", UNIT)
    took = time.monotonic() - begun
    shown = machine.properties(UNIT, "ActiveState", "Result", "ExecMainStatus", "TimeoutStopUSec")
    assert shown == {"ActiveState": "inactive", "Result": "success", "ExecMainStatus": "0", "TimeoutStopUSec": "10s"} and took < 5, (took, shown)
    assert not CONTROL.exists() and machine.path(STATE).stat().st_uid == numbers(machine)[0]
    machine.run("systemctl", "start", UNIT)
    since = server.log_size()
    server.start()
    server.wait_attached(COMPONENT, since)
    client = XmppClient(f"romeo@{DOMAIN}/systemd", PASSWORD, server.setup.address, server.setup.port)
    try:
        client.wait_body("while both are away")
    finally:
        client.stop()
    assert not re.search(r"permitted|permission|denied|seccomp", machine.journal(UNIT), re.IGNORECASE), "the sandbox was in its way"
