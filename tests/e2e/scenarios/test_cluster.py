"""Two nodes of an ejabberd cluster: one attaches, the other stands by and takes its place."""
import os
import pathlib
import time

import pytest

from conftest import COMPONENT, DOMAIN, FAILED, PASSWORD, make_server, stop_server
from ejabberd import Ejabberd
from lane import GATEWAY, PEER
from processes import Program, wait_for
from server import Setup
from service import GROUP, Service
from sip_peer import SipPeer, message
from xmpp_client import XmppClient

pytestmark = [pytest.mark.gate(240), pytest.mark.skipif(os.environ.get("STOX_SERVER") != "ejabberd", reason="Prosody has no clusters")]
PORT = 5105
SHARED = {"components": {COMPONENT: {"peers": {"phones": {"match": {"source": [PEER]}, "next_hop": f"sip:{PEER}:{PORT}", "probe": False}}}},
          "engine": {"bind": [f"udp:{GATEWAY}:{PORT}"], "log_level": "debug"}}


@pytest.fixture
def names(workspace):
    """Where the nodes find each other."""
    program = Program(["epmd", "-address", "127.0.0.1"], workspace / "epmd.log", unprivileged=True)
    yield program
    program.stop()


@pytest.fixture
def nodes(workspace, names):
    first = make_server(workspace / "first", node="first", port=5343, api_port=15305, **SHARED)
    second = Ejabberd(Setup(folder=folder_of(workspace), build=first.setup.build, domain=DOMAIN, node="second", port=5344, api_port=15307, **SHARED))
    second.start()
    second.wait_attached(COMPONENT)  # not in the cluster yet: a server of its own
    since = second.log_size()
    join(second, first)
    second.wait_log("stands by, first@localhost has it", since)
    wait_for("the second node's worker to end", lambda: second.worker() == 0)
    yield first, second
    for node in (second, first):
        stop_server(node)


def ask(node, call: str) -> str:
    """By another node, which is in no cluster."""
    question = f"io:format('~0p', [rpc:call('{node.setup.node}@localhost', {call})]), halt()."
    command = ["erl", "-sname", "asks@localhost", "-setcookie", "lab", "-start_epmd", "false", "-hidden", "-noinput", "-eval", question]
    program = Program(command, node.folder / "ask.log", unprivileged=True, cwd=node.folder, env={"HOME": str(node.folder)})
    assert program.process.wait(60) == 0, program.log.read_text()
    return program.log.read_text()


def join(node, other) -> None:
    """As ejabberdctl does it; over HTTP the node would end its own question, for it restarts."""
    assert ask(node, f"ejabberd_cluster, join, ['{other.setup.node}@localhost']") == "ok"


def folder_of(workspace):
    folder = workspace / "second"
    folder.mkdir()
    return folder


def client_of(node, name="romeo"):
    return XmppClient(f"{name}@{DOMAIN}/{node.setup.node}", PASSWORD, node.setup.address, node.setup.port)


def each_way(client, phone, text: str) -> None:
    client.send(f"juliet@{COMPONENT}", f"{text} out")
    phone.wait_request(lambda request: request.body == f"{text} out")
    assert phone.ask(message(body=f"{text} in", port=PORT), gateway_port=PORT).status == 202
    client.wait_body(f"{text} in")


def test_another_node_takes_the_place_of_one_that_is_gone(nodes, capsys):
    first, second = nodes
    romeo = client_of(second)
    with SipPeer(port=PORT) as phone:
        each_way(romeo, phone, "by the other node")

        since, killed = second.log_size(), time.monotonic()
        first.program.kill()
        second.wait_attached(COMPONENT, since)
        taken = time.monotonic() - killed
        each_way(romeo, phone, "by its own node")

        # Back, it stands by.
        since = first.log_size()
        first.start()
        first.wait_log("stands by, second@localhost has it", since)
        assert first.worker() == 0
        mercutio = client_of(first, "mercutio")
        mercutio.send(f"juliet@{COMPONENT}", "from the one that stands by")
        phone.wait_request(lambda request: request.body == "from the one that stands by")
        each_way(romeo, phone, "still by its own node")
        romeo.stop()

        since, stopped = first.log_size(), time.monotonic()
        second.stop()
        first.wait_attached(COMPONENT, since)
        with capsys.disabled():
            print(f"\nattached {taken:.1f} s after the leader was killed, {time.monotonic() - stopped:.1f} s after the stop of it began")
        mercutio.send(f"juliet@{COMPONENT}", "after the stop")
        phone.wait_request(lambda request: request.body == "after the stop")
        mercutio.stop()


@pytest.fixture
def services(workspace):
    running = [Service(workspace / f"{name}-service", pathlib.Path(os.environ["STOX_BUILD"])) for name in ("third", "fourth")]
    for service in running:
        service.start()
    yield running
    for service in running:
        assert service.stop() == 0
        if service.reports():
            FAILED.append("sanitizer")
        assert not service.reports(), service.reports()


@pytest.fixture
def nodes_with_services(workspace, names, services):
    """Each node's service listens on a port of its own."""
    def setup(number, name):
        return {"components": SHARED["components"], "engine": {**SHARED["engine"], "bind": [f"udp:{GATEWAY}:{PORT + number}"]}, "isolation": "service",
                "control": str(services[number].control), "groups": [GROUP], "node": name, "port": 5345 + number, "api_port": 15309 + 2 * number}
    third = make_server(workspace / "third", **setup(0, "third"))
    (workspace / "fourth").mkdir()
    fourth = Ejabberd(Setup(folder=workspace / "fourth", build=third.setup.build, domain=DOMAIN, **setup(1, "fourth")))
    fourth.start()
    fourth.wait_attached(COMPONENT)
    since = fourth.log_size()
    join(fourth, third)
    fourth.wait_log("stands by, third@localhost has it", since)
    yield third, fourth
    for node in (fourth, third):
        stop_server(node)


def test_a_service_leaves_a_domain_that_its_node_gave_up(nodes_with_services):
    """As when halves of a cluster meet again: the lead is told of a conflict until the other node has it."""
    third, fourth = nodes_with_services
    for _ in range(20):
        since, before = fourth.log_size(), third.log_size()
        ask(third, f'global, send, [{{mod_stox, <<"{COMPONENT}">>}}, {{global_name_conflict, none}}]')
        third.wait_log("the nodes of the cluster found each other again", before)
        third.wait_log(r"stands by, fourth@localhost has it|: attached", before)
        if "stands by, fourth@localhost has it" in third.log_text()[before:]:
            break
    fourth.wait_attached(COMPONENT, since)
    third.wait_log("removed", before)
    romeo = client_of(third)
    with SipPeer(port=PORT) as phone:
        for number in range(5):
            romeo.send(f"juliet@{COMPONENT}", f"{number} by the other node")
            phone.wait_request(lambda request: request.body == f"{number} by the other node")  # noqa: B023
    romeo.stop()


@pytest.fixture
def service(workspace):
    running = Service(workspace / "shared-service", pathlib.Path(os.environ["STOX_BUILD"]))
    running.start()
    yield running
    assert running.stop() == 0
    if running.reports():
        FAILED.append("sanitizer")
    assert not running.reports(), running.reports()


@pytest.fixture
def nodes_of_one_service(workspace, names, service):
    setups = [{**SHARED, "isolation": "service", "control": str(service.control), "groups": [GROUP], "node": name, "port": port, "api_port": api_port}
              for name, port, api_port in (("fifth", 5347, 15313), ("sixth", 5348, 15315))]
    fifth = make_server(workspace / "fifth", **setups[0])
    fifth.wait_attached(COMPONENT)
    (workspace / "sixth").mkdir()
    sixth = Ejabberd(Setup(folder=workspace / "sixth", build=fifth.setup.build, domain=DOMAIN, **setups[1]))
    sixth.start()
    sixth.wait_log("another chat server has it")  # not in the cluster yet
    since = sixth.log_size()
    join(sixth, fifth)
    sixth.wait_log("stands by, fifth@localhost has it", since)
    yield fifth, sixth
    for node in (sixth, fifth):
        stop_server(node)


def test_nodes_of_one_machine_share_a_service(nodes_of_one_service, capsys):
    """Whichever the service hears first: the node that takes the lead, or the one that gives it up or is gone."""
    fifth, sixth = nodes_of_one_service
    romeo = client_of(fifth)
    with SipPeer(port=PORT) as phone:
        each_way(romeo, phone, "by its own node")
        for _ in range(20):
            since, before = sixth.log_size(), fifth.log_size()
            ask(fifth, f'global, send, [{{mod_stox, <<"{COMPONENT}">>}}, {{global_name_conflict, none}}]')
            given_up = time.monotonic()
            fifth.wait_log("the nodes of the cluster found each other again", before)
            fifth.wait_log(r"stands by, sixth@localhost has it|: attached", before)
            if "stands by, sixth@localhost has it" in fifth.log_text()[before:]:
                break
        sixth.wait_log(f"{COMPONENT}: attached", since, 10)
        handed_over = time.monotonic() - given_up
        each_way(romeo, phone, "by the other node")
        since, killed = fifth.log_size(), time.monotonic()
        sixth.program.kill()
        fifth.wait_log(f"{COMPONENT}: attached", since, 10)
        taken = time.monotonic() - killed
        each_way(romeo, phone, "by its own node again")
        with capsys.disabled():
            print(f"\nattached {handed_over:.1f} s after the lead was given up, {taken:.1f} s after the leader was killed")
        for node, begun in ((fifth, before), (sixth, since)):
            assert "another chat server has it" not in node.log_text()[begun:]
    romeo.stop()
