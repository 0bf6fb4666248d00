"""What was accepted outlives the worker and the server, a lost stream and a full disk."""
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time

import pytest

from conftest import COMPONENT, make_server, person, stop_server
from lane import GATEWAY, PEER
from processes import NOBODY, state, wait_for
from sip_peer import SipPeer, answer, message

pytestmark = pytest.mark.gate(150)
JULIET = "juliet@capulet.test"
PORT = 5093


def start(folder: pathlib.Path, **engine):
    """A server beside that of the other scenarios, on ports of its own."""
    peers = {"phones": {"match": {"source": [PEER]}, "next_hop": f"sip:{PEER}:{PORT}", "probe": False}}
    return make_server(folder, port=5324, api_port=15284, components={COMPONENT: {"peers": peers}},
                       engine={"bind": [f"udp:{GATEWAY}:{PORT}"], "log_level": "debug", **engine})


def ask(phone: SipPeer, body: str, headers: str = "") -> int:
    return phone.ask(message(body=body, headers=headers, port=PORT), gateway_port=PORT).status


@pytest.fixture(params=["worker killed", "server killed", "server stopped"])
def how(request):
    return request.param


def bodies(client, prefix: str) -> list[str]:
    return [stanza["body"] for stanza, _ in list(client.messages) if stanza["type"] != "error" and stanza["body"].startswith(prefix)]


def first_of_each(texts: list[str]) -> list[str]:
    return list(dict.fromkeys(texts))


def test_what_waits_for_a_phone_outlives_everybody_CORE_77(workspace, how):
    """A phone that does not answer: what waits for it is sent again by the next worker, same ids, higher CSeq, in order."""
    server = start(workspace / f"outbox {how}".replace(" ", "_"))
    romeo = person(server, "romeo")
    try:
        with SipPeer(port=PORT, policy=lambda request: None) as phone:
            for number in range(3):
                romeo.send(JULIET, f"wait {number}", ident=f"wait-{number}")
            early = phone.wait_request(lambda request: request.body == "wait 0")
            wait_for("the store to hold all of them", lambda: stored(server, "outbox") >= 3)
            since, old = server.log_size(), server.worker()
            romeo = end(server, how, romeo)
            wait_for("the end of the old worker", lambda: state(old) in "ZX")  # it takes an answer as long as it lives
            phone.policy = lambda request: answer(request, 200, "OK")
            server.wait_attached(COMPONENT, since)
            late = [phone.wait_request(lambda request, body=f"wait {number}": request.body == body and
                                       (request.headers["call-id"] != early.headers["call-id"] or cseq(request) > cseq(early)))
                    for number in range(3)]
        assert late[0].headers["call-id"] == early.headers["call-id"]
        assert re.search("tag=([^;]+)", late[0].headers["from"])[1] == re.search("tag=([^;]+)", early.headers["from"])[1]
        order = first_of_each([request.body for request in phone.requests if request.body.startswith("wait")])
        assert order == ["wait 0", "wait 1", "wait 2"]
        wait_for("an empty outbox", lambda: stored(server, "outbox") == 0)
        assert not [stanza for stanza, _ in romeo.messages if stanza["type"] == "error"]
    finally:
        romeo.stop()
        stop_server(server)


def cseq(request) -> int:
    return int(request.headers["cseq"].split()[0])


def end(server, how: str, romeo):
    """The worker or its server ends and is there again. Returns the client that is logged in then."""
    if how == "worker killed":
        os.kill(server.worker(), signal.SIGKILL)
        return romeo
    if how == "server killed":
        server.program.kill()
    else:
        server.stop()
    romeo.stop()
    server.start()
    return person(server, "romeo")


def state_dir(server) -> pathlib.Path:
    configured = server.setup.engine.get("state_dir")
    return pathlib.Path(configured) if configured else next(server.folder.glob("*/stox/state"))


def stored(server, kind: str) -> int:
    """How many rows of that kind the store holds."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("store.db", "store.db-wal"):
            if (state_dir(server) / name).exists():
                shutil.copy(state_dir(server) / name, folder)
        store = sqlite3.connect(f"{folder}/store.db")
        try:
            return sum(bytes(row[0]).startswith(f"{kind}/".encode()) for row in store.execute("SELECT collection FROM record"))
        except sqlite3.DatabaseError:  # copied in the middle of a checkpoint
            return -1
        finally:
            store.close()


def test_a_silent_server_costs_no_accepted_message_IM_29(workspace):
    """202 while the server stands still; then it is killed with everything that it had not read."""
    server = start(workspace / "silent")
    romeo = person(server, "romeo")
    try:
        with SipPeer(port=PORT) as phone:
            os.kill(server.pid, signal.SIGSTOP)
            for number in range(4):
                assert ask(phone, f"silence {number}") == 202
            since = server.log_size()
            server.program.kill()
            romeo.stop()
            server.start()
            server.wait_attached(COMPONENT, since)
            romeo = person(server, "romeo")
            romeo.wait_body("silence 3")
            assert first_of_each(bodies(romeo, "silence")) == [f"silence {number}" for number in range(4)]
    finally:
        romeo.stop()
        stop_server(server)


def test_without_a_stream_messages_are_accepted_and_come_later_in_order_IM_29(workspace):
    """The worker's socket to the server is out of the way: 202 all the same; when it is back they arrive, with the time they were sent."""
    server = start(workspace / "apart", state_dir=str(workspace / "apart" / "state"))
    romeo = person(server, "romeo")
    sockets = list(server.folder.glob("*/stox/*.sock"))
    assert sockets, "where is the gateway's private socket?"
    try:
        with SipPeer(port=PORT) as phone:
            for one in sockets:
                one.rename(one.with_suffix(".away"))
            os.kill(server.worker(), signal.SIGKILL)
            since = server.log_size()
            server.wait_log("detached: cannot connect to the server", since)
            for number in range(5):
                assert ask(phone, f"apart {number}") == 202
            for one in sockets:
                one.with_suffix(".away").rename(one)
            server.wait_attached(COMPONENT, since)
            last, _ = romeo.wait_body("apart 4")
            assert bodies(romeo, "apart") == [f"apart {number}" for number in range(5)]
            assert last.xml.find("{urn:xmpp:delay}delay") is not None
    finally:
        romeo.stop()
        stop_server(server)


def test_a_full_disk_refuses_and_loses_nothing(workspace):
    """8 MiB of room, filled up: new messages are refused both ways, what was accepted is delivered, and room helps within 5 s."""
    folder = workspace / "full"
    room = folder / "state"
    room.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size=8m,mode=0700,uid={NOBODY},gid={NOBODY}", "state", str(room)], check=True)
    try:
        play_full_disk(start(folder, state_dir=str(room)), room)
    finally:
        subprocess.run(["umount", "--lazy", str(room)], check=True)


def play_full_disk(server, disk: pathlib.Path) -> None:
    romeo = person(server, "romeo")
    large = "y" * 8_000  # more than what is left where a small row found no room
    try:
        with SipPeer(port=PORT) as phone:
            assert ask(phone, "first") == 202
            fill(disk / "ballast")
            phone.policy = lambda request: None  # what it gets stays in the store
            accepted = write_until_refused(romeo, server)
            refused = phone.ask(message(body=large, port=PORT), gateway_port=PORT)
            assert refused.status == 503 and "retry-after" in refused.headers
            phone.policy = lambda request: answer(request, 200, "OK")
            for body in accepted:
                phone.wait_request(lambda request, body=body: request.body == body)

            (disk / "ballast").unlink()
            room = time.monotonic()
            while ask(phone, f"{large} {time.monotonic()}") != 202:
                assert time.monotonic() - room < 30
            took = time.monotonic() - room
            romeo.send(JULIET, "room again")
            phone.wait_request(lambda request: request.body == "room again")
            print(f"accepted again {took:.2f} s after there was room; {len(accepted)} were accepted without any, all arrived")
            assert took < 5
    finally:
        romeo.stop()
        stop_server(server)


def write_until_refused(romeo, server) -> list[str]:
    """Messages to many contacts, none of which has so many that its own queue is full, and who answer nothing. Returns the bodies of
    those not refused."""
    sent: list[str] = []

    def refused() -> dict:
        return {stanza["id"]: stanza["error"]["condition"] for stanza, _ in list(romeo.messages) if stanza["type"] == "error"}
    while not refused():
        assert len(sent) < 400, "never refused"
        sent.append(f"filling {len(sent)} " + "x" * 800)
        romeo.send(f"juliet{len(sent) % 20}@{COMPONENT}", sent[-1], ident=f"fill-{len(sent) - 1}")
        time.sleep(0.02)
    wait_for("those that were on their way", lambda: stored(server, "outbox") + len(refused()) == len(sent))
    assert set(refused().values()) == {"resource-constraint"}
    return [body for number, body in enumerate(sent) if f"fill-{number}" not in refused()]


def fill(path: pathlib.Path) -> None:
    """All the room there is, to the last octet."""
    with open(path, "wb", buffering=0) as ballast:
        for size in (65536, 512, 1):
            try:
                while ballast.write(bytes(size)):
                    pass
            except OSError:
                pass
