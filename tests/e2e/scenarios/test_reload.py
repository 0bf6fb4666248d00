"""The configuration is read again while messages flow: what is good is taken, what is bad is refused and named, and nobody is disturbed."""
import contextlib
import itertools
import json
import os
import pathlib
import re
import signal
import sys
import threading
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests" / "ledger"))

from conftest import COMPONENT, DOMAIN, PASSWORD, make_server, stop_server  # noqa: E402
from faults import resident_mib  # noqa: E402
from lane import GATEWAY, PEER  # noqa: E402
from mutations import Mutations  # noqa: E402
from play import Play  # noqa: E402
from processes import Failed, wait_for  # noqa: E402
from sip_peer import SipPeer, message  # noqa: E402

PORT, OTHER_PORT, ASKING = 5102, 5103, 5104
PEERS = {"phones": {"match": {"source": [PEER]}, "next_hop": f"sip:{PEER}:{PORT}", "probe": False}}
CODES = (200, 202)  # message_accept_code shows by each answer which configuration counts
WARM = 100  # messages each way, after which the worker has what an ordinary one has
MORE_MIB, OF_A_MESSAGE_KIB = 24, 4  # what a storm may leave behind in the worker; a sanitizer's own memory among it


@pytest.fixture
def server(workspace, request, monkeypatch):
    # What was freed comes back at once, or memory would grow by the sanitizer's own doing.
    monkeypatch.setenv("ASAN_OPTIONS", ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=1"])))
    running = make_server(workspace / request.node.name, port=5342, api_port=15303, components={COMPONENT: {"peers": PEERS}},
                          engine={"bind": [f"udp:{GATEWAY}:{PORT}"], "log_level": "debug"})
    yield running
    stop_server(running)


@contextlib.contextmanager
def traffic(server, capsys, carried: list[int] | None = None):
    """Messages both ways all the time, none of which may be missing, doubled or out of order at the end. carried: gets their number."""
    seed, ended = int(time.time()), threading.Event()
    play = Play(server, COMPONENT, next(server.folder.glob("*/stox/state")), PEER, PORT, GATEWAY, ["romeo", "mercutio"], DOMAIN, PASSWORD, seed)
    numbers = itertools.count()

    def flow() -> None:
        while not ended.is_set():
            play.send_each_way(numbers)
    thread = threading.Thread(target=flow, daemon=True)
    thread.start()
    try:
        yield seed
        ended.set()
        thread.join(60)
        play.settle(20)
    finally:
        ended.set()
        thread.join(60)
        play.stop()
    verdict = play.verdict()
    with capsys.disabled():
        print(f"\nseed {seed}\n{verdict.table()}")
    assert not verdict.faults, "\n".join([f"{len(verdict.faults)} faults", *verdict.faults[:40], verdict.table()])
    if carried is not None:
        carried.append(verdict.counts["SIP to XMPP: sent"] + verdict.counts["XMPP to SIP: sent"])
    for way in ("SIP to XMPP", "XMPP to SIP"):
        sent, arrived, copies = (verdict.counts[f"{way}: {what}"] for what in ("sent", "arrived", "copies"))
        assert sent == arrived and copies == 0, verdict.table()


def code(phone: SipPeer, domain: str = COMPONENT) -> int:
    """To somebody who is not there: the server keeps it."""
    return phone.ask(message(f"benvolio@{DOMAIN}", f"juliet@{domain}", "which?", port=ASKING), gateway_port=PORT).status


def reload_again(server) -> str:
    """What the server itself says against the new configuration."""
    server.configure()
    try:
        server.reload()
    except Failed as refused:
        return str(refused)
    return ""


def refusal(server, since: int, said: str, path: str, suggestion: str) -> None:
    """The worker's, or before it the server's own."""
    way = r"\W+(Unknown option: )?".join(map(re.escape, path.split(".")))
    pattern = re.compile(way + (rf".*[Dd]id you mean \W*{re.escape(suggestion)}\b" if suggestion else ""))
    wait_for(f"a refusal that names {path}{' and suggests ' + suggestion if suggestion else ''}",
             lambda: pattern.search(said.replace("\n", " ")) or pattern.search(server.log_text()[since:]))


def delivered(server) -> dict[str, int]:
    """Messages each way, as the worker counts them."""
    traffic = json.loads(server.stoxctl("counters", "--json").stdout)["traffic"]
    return {row["direction"]: row["messages_total"] for row in traffic if (row["domain"], row["result"]) == (COMPONENT, "delivered")}


def storm(server, capsys, count: int) -> None:
    """count configurations, each with another message_accept_code: what is answered tells which of them counts."""
    pid, worker, counts, carried = server.pid, server.worker(), {True: 0, False: 0}, []
    with traffic(server, capsys, carried) as seed, SipPeer(port=ASKING) as phone:
        mutations, current = Mutations({"peers": PEERS}, seed), 202
        wait_for(f"{WARM} messages each way", lambda: min(delivered(server).values()) >= WARM)
        before = resident_mib(worker)
        for _ in range(count):
            other = next(one for one in CODES if one != current)
            mutation = mutations.next({"message_accept_code": other})
            counts[mutation.valid] += 1
            server.setup.components[COMPONENT] = mutation.options
            since = len(server.log_text())
            said = reload_again(server)
            if mutation.valid:
                assert not said, f"{mutation.options}: {said}"
                wait_for(f"the configuration {mutation.options}", lambda: code(phone) == other)  # noqa: B023
                current = other
            else:
                refusal(server, since, said, mutation.path, mutation.suggestion)
                assert code(phone) == current, mutation.options
        server.setup.components[COMPONENT] = {"peers": PEERS, "message_accept_code": 200}
        reload_again(server)
        wait_for("the good configuration again", lambda: code(phone) == 200)
        during = resident_mib(worker)
    # What was held for copies of requests goes after 32 s, what a message leaves to find loops by after 5 minutes.
    most = before + MORE_MIB + carried[0] * OF_A_MESSAGE_KIB // 1024
    with capsys.disabled():
        print(f"{counts[True]} good and {counts[False]} bad configurations, {carried[0]} messages; worker {before} MiB before, {during} MiB at the end")
    wait_for(f"the worker to have {most} MiB again", lambda: resident_mib(worker) <= most, 90)
    assert server.pid == pid and server.worker() == worker
    assert all(counts.values()), counts
    assert "detached" not in server.log_text()


@pytest.mark.gate(240)
def test_a_storm_of_reloads(server, capsys):
    storm(server, capsys, 20)


@pytest.mark.full(1_800)
def test_a_long_storm_of_reloads(server, capsys):
    storm(server, capsys, 200)


@pytest.mark.gate(120)
def test_a_domain_comes_changes_and_goes_under_traffic(server, capsys):
    worker, others = server.worker(), {"phones": {**PEERS["phones"], "match": {"source": ["10.77.0.0/31"]}}}
    with traffic(server, capsys), SipPeer(port=ASKING) as phone:
        since = server.log_size()
        server.set_component("verona.test", {"peers": others})
        server.wait_attached("verona.test", since)
        ask = lambda: phone.ask(message("nurse@verona.test", "juliet@capulet.test", port=ASKING), gateway_port=PORT).status  # noqa: E731
        assert ask() != 404
        server.set_component("verona.test", {"peers": {"phones": {**others["phones"], "match": {"source": ["192.0.2.1"]}}}})
        wait_for("the peer to be none of that domain any more", lambda: ask() == 403)
        since = server.log_size()
        server.set_component("verona.test", None)
        server.wait_log(r"verona\.test:? removed", since)
        assert ask() == 404
    assert server.worker() == worker
    assert not re.search(r"capulet\.test\S*\s+\S*\s*detached", server.log_text())


def answers(port: int) -> bool:
    with SipPeer(port=ASKING) as phone:
        asked = message(f"benvolio@{DOMAIN}", "juliet@capulet.test", "", method="OPTIONS", port=ASKING)
        phone.send(asked, port)
        end = time.monotonic() + 2
        while time.monotonic() < end and not phone.responses:
            time.sleep(0.01)
        return bool(phone.responses)


def overview(server) -> dict:
    return json.loads(server.stoxctl("overview", "--json").stdout)


def keeps_what_it_had(server, broken: str) -> None:
    """Of a file that cannot be read: not what would count without it."""
    server.configure()
    with contextlib.ExitStack() as afterwards:
        file = server.folder / ("stox.yml" if server.name == "ejabberd" else "prosody.cfg.lua")
        afterwards.callback(file.write_text, file.read_text())
        file.write_text(broken)
        since = server.log_size()
        with contextlib.suppress(Failed):  # a server may say so to who asked
            server.reload()
        server.wait_log(re.escape(file.name), since)
        assert server.stoxctl("domains").returncode == 0  # what the worker was told before this, it has heard
        assert '"debug"' in json.dumps(overview(server)) and answers(PORT)


@pytest.mark.gate(120)
def test_each_class_of_options_does_what_the_schema_says(server):
    options = json.loads((ROOT / "plugin" / "config" / "schema.json").read_text())["options"]
    classes = {option["path"]: option["reload"] for option in options if option["scope"] == "engine"}
    assert (classes["log_level"], classes["bind"]) == ("live", "restart")
    # What counts for new connections alone is certificates: test_tls changes them under connections that live on.
    assert {option["reload"] for option in options} == {"live", "new-sessions", "restart"}, "a further class needs its case here"
    worker = server.worker()
    with SipPeer(port=ASKING) as phone:
        # live, of a domain and of the engine
        assert code(phone) == 202
        server.set_component(COMPONENT, {"peers": PEERS, "message_accept_code": 200})
        wait_for("the new code", lambda: code(phone) == 200)
        server.setup.engine["log_level"] = "warn"
        reload_again(server)
        wait_for("the new log level", lambda: '"warn"' in json.dumps(overview(server)))
    # restart
    since = server.log_size()
    server.setup.engine["bind"] = [f"udp:{GATEWAY}:{OTHER_PORT}"]
    reload_again(server)
    server.wait_log("bind is read at the start of the worker", since)
    assert answers(PORT) and not answers(OTHER_PORT) and server.worker() == worker
    # refused: what was before stays, whole
    since = len(server.log_text())
    server.setup.engine.update(log_level="debg")
    refusal(server, since, reload_again(server), "log_level", "debug")
    assert answers(PORT) and server.worker() == worker
    server.setup.engine.update(log_level="debug")
    reload_again(server)
    for broken in ("[", "words alone", *(("control: [a]", "{a: 1}: b") if server.name == "ejabberd" else ())):
        keeps_what_it_had(server, broken)
    since = server.log_size()
    os.kill(worker, signal.SIGKILL)
    server.wait_attached(COMPONENT, since)
    wait_for("the other port", lambda: answers(OTHER_PORT))
    assert not answers(PORT)
