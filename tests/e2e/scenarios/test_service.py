"""Isolation service: the worker runs as a user of its own; server, module and worker come and go, and no accepted message is lost."""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "ledger"))

from conftest import COMPONENT, DOMAIN, FAILED, PASSWORD, make_server  # noqa: E402
from entries import Kill  # noqa: E402
from kills import look_into_store, stand_still  # noqa: E402
from lane import GATEWAY, PEER  # noqa: E402
from play import Play  # noqa: E402
from processes import NOBODY, Failed, Program  # noqa: E402
from service import GROUP, Service  # noqa: E402
from sip_peer import SipPeer, message  # noqa: E402
from xmpp_client import XmppClient  # noqa: E402

PORT = 5096
PEERS = {"phones": {"match": {"source": [PEER]}, "next_hop": f"sip:{PEER}:{PORT}", "probe": False}}
# 503 while a domain is leaving and in the first minute of a service, which cannot know yet whether a server brings it.
NOT_SERVED = (404, 503)


@pytest.fixture(scope="module")
def service(workspace):
    running = Service(workspace / "service", pathlib.Path(os.environ["STOX_BUILD"]), return_within=3)
    running.start()
    yield running
    assert running.stop() == 0
    if running.reports():
        FAILED.append("sanitizer")
    assert not running.reports(), running.reports()


@pytest.fixture(scope="module")
def server(workspace, service):
    running = make_server(workspace / "service-server", isolation="service", control=str(service.control), groups=[GROUP], port=5327, api_port=15287,
                          components={COMPONENT: {"peers": PEERS}}, engine={"bind": [f"udp:{GATEWAY}:{PORT}"], "log_level": "debug"})
    yield running
    running.stop()


def client_of(server, name="romeo"):
    return XmppClient(f"{name}@{DOMAIN}/service", PASSWORD, server.setup.address, server.setup.port)


def each_way(server, phone, text: str, domain: str = COMPONENT) -> None:
    client = client_of(server)
    try:
        client.send(f"juliet@{domain}", f"{text} out")
        phone.wait_request(lambda request: request.body == f"{text} out")
        assert phone.ask(message(sender=f"juliet@{domain}", body=f"{text} in", port=PORT), gateway_port=PORT).status == 202
        client.wait_body(f"{text} in")
    finally:
        client.stop()


@pytest.mark.gate(120)
def test_messages_both_ways(server, service):
    assert server.worker() == 0, "the server has a worker of its own"
    with SipPeer(port=PORT) as phone:
        each_way(server, phone, "first")
    assert f"connected to the worker, pid {service.pid}" in server.log_text()


@pytest.mark.gate(60)
def test_the_doctor_is_for_the_services_own_user(server):
    """Who else looks would see other rights, and be told to change them."""
    if server.name == "ejabberd":
        with pytest.raises(Failed) as refused:
            server.api("stox_doctor")
        said = str(refused.value)
    else:
        said = server.ctl("doctor").stderr
    assert "the worker is a service" in said and "doctor --lines" in said, said


@pytest.mark.gate(120)
def test_the_server_stops_and_starts(server, service):
    server.stop()
    with SipPeer(port=PORT) as phone:
        assert phone.ask(message(body="while it is away", port=PORT), gateway_port=PORT).status == 202
        since = server.log_size()
        server.start()
        server.wait_attached(COMPONENT, since)
        client = client_of(server)
        try:
            client.wait_body("while it is away")
        finally:
            client.stop()
        each_way(server, phone, "after the stop")


@pytest.mark.gate(300)
def test_ledger_CORE_77(server, service, capsys):
    """Server and worker are killed while messages flow both ways: contract 1's ledger."""
    seed = int(time.time())
    ledger = Play(server, COMPONENT, service.folder / "state", PEER, PORT, GATEWAY, list(server.setup.accounts), DOMAIN, PASSWORD, seed, service)
    try:
        # The server once: killed again within seconds, ejabberd seems to hand out anew what its offline store had given already.
        ledger.run(1_000, 1, 1)
    finally:
        ledger.stop()
    verdict = ledger.verdict()
    with capsys.disabled():
        print(f"\nledger of 1,000 messages each way with a service, seed {seed}\n{verdict.table()}")
    assert not verdict.faults, "\n".join([f"{len(verdict.faults)} faults", *verdict.faults[:40], verdict.table()])


@pytest.mark.gate(240)
def test_ledger_of_a_restart_CORE_77(server, service, capsys):
    """The server is stopped and started as its operator would, while messages flow both ways."""
    state, seed = service.folder / "state", int(time.time())

    def restarted(play, _numbers) -> None:
        since, kill = server.log_size(), Kill("server", time.monotonic())
        server.stop()
        stand_still(service.pid)
        look_into_store(state, kill)
        os.kill(service.pid, signal.SIGCONT)
        server.start()
        play.xmpp.log_in()
        play.ledger.kills.append(kill)
        server.wait_attached(COMPONENT, since)
        kill.back = time.monotonic()

    ledger = Play(server, COMPONENT, state, PEER, PORT, GATEWAY, list(server.setup.accounts), DOMAIN, PASSWORD, seed, service)
    try:
        ledger.run_through([restarted], 500, quiet_s=10)
    finally:
        ledger.stop()
    verdict = ledger.verdict()
    with capsys.disabled():
        print(f"\nledger of a restart of the server, seed {seed}\n{verdict.table()}")
    assert not verdict.faults, "\n".join([f"{len(verdict.faults)} faults", *verdict.faults[:40], verdict.table()])


@pytest.mark.gate(180)
def test_what_a_killed_worker_had_not_read_is_given_again(server, service, capsys):
    """It stands still while messages come, and is killed: what the server had written to its socket is not lost, and nothing is doubled."""
    state, since = service.folder / "state", len(server.log_text())

    def unread(play, numbers) -> None:
        begun = server.log_size()
        stand_still(service.pid)
        kill = Kill("worker", time.monotonic())
        look_into_store(state, kill)
        for _ in range(100):
            play.send_each_way(numbers)
        service.kill()
        service.start()
        play.ledger.kills.append(kill)
        server.wait_attached(COMPONENT, begun)
        kill.back = time.monotonic()
    seed = int(time.time())
    play = Play(server, COMPONENT, state, PEER, PORT, GATEWAY, list(server.setup.accounts), DOMAIN, PASSWORD, seed, service)
    try:
        play.run_through([unread, "worker", unread], 100, quiet_s=20)
    finally:
        play.stop()
    verdict, again = play.verdict(), re.findall(r"(\d+) stanzas are given to the worker again", server.log_text()[since:])
    with capsys.disabled():
        print(f"\nseed {seed}; given again: {again}\n{verdict.table()}")
    assert not verdict.faults, "\n".join([f"{len(verdict.faults)} faults", *verdict.faults[:40], verdict.table()])
    assert verdict.counts["XMPP to SIP: never read by us"] == 0
    assert sum(int(number) >= 100 for number in again) == 2


@pytest.mark.gate(180)
def test_copies_are_kept_of_1024_stanzas_and_no_more(server, service):
    most, more, since = 1_024, 6, len(server.log_text())
    client = client_of(server)
    try:
        with SipPeer(port=PORT) as phone:
            client.send(f"juliet@{COMPONENT}", "the last one that is read")
            phone.wait_request()  # what the worker has taken, this one too, stands in the store with the commit of it
            begun = server.log_size()
            stand_still(service.pid)
            for number in range(most + more):
                client.send(f"juliet{number % 100}@{COMPONENT}", f"copy {number}")
            client.iq(DOMAIN, "get", "<ping xmlns='urn:xmpp:ping'/>")  # the server has routed them all
            service.kill()
            service.start()
            server.wait_attached(COMPONENT, begun)
            for number in range(more, most + more):
                phone.wait_request(lambda request: request.body == f"copy {number}")  # noqa: B023
            texts = [request.body for request in phone.requests if request.body.startswith("copy ")]
            assert sorted(texts) == sorted(f"copy {number}" for number in range(more, most + more))
    finally:
        client.stop()
    assert f"{more} stanzas were too many to be kept" in server.log_text()[since:]
    assert f"{most} stanzas are given to the worker again" in server.log_text()[since:]


@pytest.mark.gate(120)
def test_the_worker_is_killed_and_its_supervisor_starts_it_again(server, service):
    with SipPeer(port=PORT) as phone:
        since = server.log_size()
        service.kill()
        service.start()
        server.wait_attached(COMPONENT, since)
        each_way(server, phone, "after the worker's end")


def load_anew(server) -> None:
    """Another process of the module, or another chunk of it."""
    if server.name == "Prosody":
        command = ["prosodyctl", "--config", str(server.folder / "prosody.cfg.lua"), "shell", "module", "reload", "stox", COMPONENT]
        assert Program(command, server.folder / "shell.log", unprivileged=True, cwd=server.folder).process.wait(timeout=30) == 0
    else:
        assert server.api("restart_module", host=DOMAIN, module="mod_stox") in ("0", '{"res":0}')


@pytest.mark.gate(120)
def test_what_the_worker_had_not_read_outlives_the_module(server, service):
    texts = [f"unread {number}" for number in range(20)]
    client = client_of(server)
    try:
        with SipPeer(port=PORT) as phone:
            client.send(f"juliet@{COMPONENT}", "the last one that is read")
            phone.wait_request()  # it is taken
            stand_still(service.pid)
            for text in texts:
                client.send(f"juliet@{COMPONENT}", text)
            client.iq(DOMAIN, "get", "<ping xmlns='urn:xmpp:ping'/>")  # the server has routed them all
            load_anew(server)
            begun = server.log_size()
            service.kill()
            service.start()
            server.wait_attached(COMPONENT, begun)
            phone.wait_request(lambda request: request.body == texts[-1])
            assert [request.body for request in phone.requests if request.body.startswith("unread ")] == texts
    finally:
        client.stop()


@pytest.mark.gate(120)
def test_the_module_is_reloaded(server, service):
    since = server.log_size()
    if server.name == "Prosody":
        load_anew(server)
    else:
        server.set_component(COMPONENT, {"peers": PEERS, "name": "another"})
        server.set_component(COMPONENT, {"peers": PEERS})
    if server.name == "Prosody":
        server.wait_attached(COMPONENT, since)
    with SipPeer(port=PORT) as phone:
        each_way(server, phone, "after the reload")


@pytest.mark.gate(120)
def test_copies_that_go_with_the_server_are_told(server, service):
    client = client_of(server)
    since = server.log_size()
    try:
        stand_still(service.pid)
        for number in range(5):
            client.send(f"juliet@{COMPONENT}", f"unread {number}")
        client.iq(DOMAIN, "get", "<ping xmlns='urn:xmpp:ping'/>")  # the server has routed them all
    finally:
        client.stop()
    server.stop()
    told = re.findall(rf"{COMPONENT}.*the worker had not taken (\d+) stanzas", server.log_text()[since:])
    assert [int(number) >= 5 for number in told] == [True], told
    service.kill()
    service.start()
    server.start()
    server.wait_attached(COMPONENT, since)


@pytest.mark.gate(120)
def test_a_domain_that_is_not_handed_over_again_goes(server, service):
    server.stop()
    server.setup.components["gone.test"] = {"peers": {"phones": {**PEERS["phones"], "match": {"source": ["10.77.0.0/31"]}}}}
    since = server.log_size()
    server.start()
    server.wait_attached("gone.test", since)
    server.stop()
    del server.setup.components["gone.test"]
    since, noted = server.log_size(), len(service.text())
    server.start()
    server.wait_attached(COMPONENT, since)
    service.wait_log("gone.test: removed: its server is back", noted)
    with SipPeer(port=PORT) as phone:
        assert phone.ask(message("x@gone.test", port=PORT), gateway_port=PORT).status in NOT_SERVED
        each_way(server, phone, "and the other one stays")


def rename(server, before: str, after: str) -> None:
    """The same component under another name: of ejabberd's module the option `host` changes."""
    since = server.log_size()
    server.setup.components[after] = server.setup.components.pop(before)
    server.configure()
    server.reload()
    server.wait_attached(after, since)
    server.wait_log(rf"{re.escape(before)}:? removed", since)


@pytest.mark.gate(120)
def test_a_domain_gets_another_name(server, service):
    rename(server, COMPONENT, "renamed.test")
    with SipPeer(port=PORT) as phone:
        assert phone.ask(message(f"x@{COMPONENT}", port=PORT), gateway_port=PORT).status in NOT_SERVED
        each_way(server, phone, "under another name", "renamed.test")
    since = server.log_size()
    service.kill()
    service.start()
    server.wait_attached("renamed.test", since)
    with SipPeer(port=PORT) as phone:
        each_way(server, phone, "with another worker", "renamed.test")
        assert phone.ask(message(f"x@{COMPONENT}", port=PORT), gateway_port=PORT).status in NOT_SERVED
    rename(server, "renamed.test", COMPONENT)
    with SipPeer(port=PORT) as phone:
        assert phone.ask(message("x@renamed.test", port=PORT), gateway_port=PORT).status in NOT_SERVED
        each_way(server, phone, "as before")


STRANGER = """import socket, sys
connection = socket.socket(socket.AF_UNIX)
connection.settimeout(10)
try:
    connection.connect(sys.argv[1])
    print("octets", len(connection.recv(100)))
except PermissionError:
    print("not even connected")
"""


@pytest.mark.gate(120)
def test_a_stranger_is_refused(server, service):
    def tries() -> str:
        return subprocess.run(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", sys.executable, "-c", STRANGER,
                               str(service.control)], capture_output=True, text=True, timeout=30, check=True).stdout.strip()
    assert tries() == "not even connected"
    noted = len(service.text())
    (service.folder / "run").chmod(0o3777)  # as if somebody had opened the way: the worker itself refuses
    service.control.chmod(0o666)
    try:
        assert tries() == "octets 0"
        service.wait_log(f"control connection refused uid={NOBODY}", noted)
    finally:
        (service.folder / "run").chmod(0o3770)
        service.control.chmod(0o660)
    with SipPeer(port=PORT) as phone:
        each_way(server, phone, "nobody else noticed")


@pytest.mark.gate(120)
def test_the_servers_own_command_line(server, service):
    if server.name == "Prosody":
        command = Program(["prosodyctl", "--config", server.folder / "prosody.cfg.lua", "mod_stox", "overview"], server.folder / "command.log",
                          unprivileged=True, groups=[GROUP], cwd=server.folder)
        assert command.process.wait(timeout=30) == 0, command.log.read_text()
        shown = command.log.read_text()
    else:
        shown = server.api("stox_overview")
    assert COMPONENT in shown and str(service.pid) in shown, shown


@pytest.mark.gate(120)
def test_a_command_line_by_the_control_socket(server, service):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(str(service.control))
        lines = connection.makefile("rw", encoding="utf-8")
        assert json.loads(lines.readline())["stox"] == 1
        lines.write(json.dumps({"t": "admin", "command": "domains", "json": True}) + "\n")
        lines.flush()
        answer = json.loads(lines.readline())
        assert answer["code"] == 0 and COMPONENT in answer["output"]
        lines.write(json.dumps({"t": "admin", "command": "stop"}) + "\n")
        lines.flush()
        assert "systemctl stop stoxd" in json.loads(lines.readline())["output"]
    with SipPeer(port=PORT) as phone:
        each_way(server, phone, "it does not stop")  # one that stops begins nothing new
    assert service.program.alive()
