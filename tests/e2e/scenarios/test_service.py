"""Isolation service: the worker runs as a user of its own; server, module and worker come and go, and no accepted message is lost."""
import json
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time

import pytest

from conftest import COMPONENT, DOMAIN, FAILED, PASSWORD, make_server
from lane import GATEWAY, PEER
from processes import NOBODY, Program, wait_for
from service import GROUP, Service
from sip_peer import SipPeer, message
from xmpp_client import XmppClient

pytestmark = pytest.mark.gate(180)
PORT = 5096
PEERS = {"phones": {"match": {"source": [PEER]}, "next_hop": f"sip:{PEER}:{PORT}", "probe": False}}


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


def each_way(server, phone, text: str) -> None:
    client = client_of(server)
    try:
        client.send(f"juliet@{COMPONENT}", f"{text} out")
        phone.wait_request(lambda request: request.body == f"{text} out")
        assert phone.ask(message(body=f"{text} in", port=PORT), gateway_port=PORT).status == 202
        client.wait_body(f"{text} in")
    finally:
        client.stop()


def test_messages_both_ways(server, service):
    assert server.worker() == 0, "the server has a worker of its own"
    with SipPeer(port=PORT) as phone:
        each_way(server, phone, "first")
    assert f"pid {service.pid}" in server.log_text() or f"pid {service.pid}\n" in server.log_text()


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


def test_the_server_is_killed_while_messages_flow_CORE_77(server, service):
    accepted, stop = [], threading.Event()
    with SipPeer(port=PORT) as phone:
        def flow():
            number = 0
            while not stop.is_set():
                if phone.ask(message(body=f"flow {number}", port=PORT), gateway_port=PORT).status == 202:
                    accepted.append(f"flow {number}")
                number += 1
        client = client_of(server)
        thread = threading.Thread(target=flow)
        thread.start()
        try:
            wait_for("messages that flow", lambda: len(accepted) > 50)
            at_kill = len(accepted)
            server.program.kill()
            got = {stanza["body"] for stanza, _ in list(client.messages)}
            client.stop()
            wait_for("messages while there is no server", lambda: len(accepted) > at_kill + 20)
            since = server.log_size()
            server.start()
            server.wait_attached(COMPONENT, since)
        finally:
            stop.set()
            thread.join()
        client = client_of(server)
        try:
            def missing():
                return [text for text in accepted if text not in got | {stanza["body"] for stanza, _ in list(client.messages)}]
            wait_for("every accepted message", lambda: not missing(), 40)
        finally:
            client.stop()
        each_way(server, phone, "after the kill")


def test_the_worker_is_killed_and_its_supervisor_starts_it_again(server, service):
    with SipPeer(port=PORT) as phone:
        since = server.log_size()
        service.kill()
        service.start()
        server.wait_attached(COMPONENT, since)
        each_way(server, phone, "after the worker's end")


def test_the_module_is_reloaded(server, service):
    since = server.log_size()
    if server.name == "Prosody":
        command = ["prosodyctl", "--config", str(server.folder / "prosody.cfg.lua"), "shell", "module", "reload", "stox", COMPONENT]
        Program(command, server.folder / "shell.log", unprivileged=True, cwd=server.folder).process.wait(timeout=30)
    else:
        server.set_component(COMPONENT, {"peers": PEERS, "name": "another"})
        server.set_component(COMPONENT, {"peers": PEERS})
    if server.name == "Prosody":
        server.wait_attached(COMPONENT, since)
    with SipPeer(port=PORT) as phone:
        each_way(server, phone, "after the reload")


def test_a_domain_that_is_not_handed_over_again_goes(server, service):
    server.stop()
    server.setup.components["gone.test"] = {"peers": PEERS}
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
        assert phone.ask(message("x@gone.test", port=PORT), gateway_port=PORT).status in (403, 404)
        each_way(server, phone, "and the other one stays")


STRANGER = """import socket, sys
connection = socket.socket(socket.AF_UNIX)
connection.settimeout(10)
try:
    connection.connect(sys.argv[1])
    print("octets", len(connection.recv(100)))
except PermissionError:
    print("not even connected")
"""


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
    time.sleep(0.2)
    assert service.program.alive()
