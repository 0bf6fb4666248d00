"""What collectors of metrics get: from the worker over HTTP, read by a parser of others, and from Prosody's own page."""
import json
import os
import pathlib
import socket
import urllib.error
import urllib.request

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from conftest import COMPONENT, DOMAIN, FAILED, PASSWORD, make_server, stop_server
from lane import GATEWAY, PEER
from processes import wait_for
from service import GROUP, Service
from sip_peer import SipPeer, message
from xmpp_client import XmppClient

pytestmark = pytest.mark.gate(90)
PORT, PAGES, PROSODYS, OF_SERVICE, STATSD = 5102, 9516, 9517, 9518, 9519
OPENMETRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}
PEERS = {"phones": {"match": {"source": [PEER]}, "next_hop": f"sip:{PEER}:{PORT}", "probe": True}}
IS_EJABBERD = os.environ.get("STOX_SERVER") == "ejabberd"


@pytest.fixture(scope="module")
def server(workspace):
    running = make_server(workspace / "metrics", port=5338, api_port=15298, ctl=True, metrics_port=0 if IS_EJABBERD else PROSODYS,
                          components={COMPONENT: {"peers": PEERS}}, engine={"bind": [f"udp:{GATEWAY}:{PORT}"], "metrics": {"listen": f"127.0.0.1:{PAGES}"}})
    yield running
    stop_server(running)


def get(target: str, port: int = PAGES, headers: dict | None = None) -> tuple[int, str, str]:
    """Status, type and body."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{target}", headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, response.headers["Content-Type"], response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read().decode()


def samples(families) -> dict:
    """(name, labels in their order) -> value."""
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


def counted(port: int = PAGES) -> dict:
    return samples(read_openmetrics(get("/metrics", port, OPENMETRICS)[2]))


def test_a_parser_of_others_reads_both_formats(server):
    status, kind, text = get("/metrics", headers=OPENMETRICS)
    assert (status, kind) == (200, "application/openmetrics-text; version=1.0.0; charset=utf-8")
    families = {family.name: family for family in read_openmetrics(text)}
    assert families["stox_build"].type == "info" and families["stox_messages"].type == "counter"
    status, kind, older = get("/metrics")
    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert samples(read_text(older)).keys() == samples(families.values()).keys()
    assert all(family.documentation for family in families.values())


def test_messages_are_counted_by_direction_and_result(server):
    """And the log, the domains and the peers are as they are."""
    client = XmppClient(f"romeo@{DOMAIN}/metrics", PASSWORD, server.setup.address, server.setup.port)
    try:
        with SipPeer(PEER, PORT) as phone:
            wait_for("the peer to be up", lambda: counted().get(("stox_peer_up", COMPONENT, "phones")) == 1)
            client.send(f"juliet@{COMPONENT}", "out")
            phone.wait_request(lambda request: request.body == "out")
            assert phone.ask(message(body="in", port=PORT), gateway_port=PORT).status == 202
            client.wait_body("in")
            for direction in ("to_sip", "to_xmpp"):
                wait_for(f"one message {direction}", lambda: counted().get(("stox_messages_total", COMPONENT, direction, "delivered")) == 1)
    finally:
        client.stop()
    now = counted()
    assert now["stox_messages_total", COMPONENT, "to_sip", "failed"] == 0
    assert now["stox_sip_responses_total", COMPONENT, "sent", "202"] == 1
    assert now["stox_component_up", COMPONENT] == 1
    assert now["stox_sip_datagrams_total", "received", "passed"] >= 2
    shown = json.loads(server.stoxctl("counters", "--json").stdout)["traffic"]
    assert {"domain": COMPONENT, "direction": "to_sip", "result": "delivered", "messages_total": 1} in shown


def test_health(server):
    assert get("/healthz")[0::2] == (200, "ok\n")
    assert get("/elsewhere")[0] == 404


def test_the_doctor_knows_the_port(server):
    done = server.ctl("stox_doctor" if IS_EJABBERD else "doctor")
    assert f"tcp:127.0.0.1:{PAGES} is held by the worker that runs" in done.stdout, done.stdout


@pytest.mark.skipif(IS_EJABBERD, reason="Debian's ejabberd has no such page")
def test_prosodys_own_page_has_the_same(server):
    # Its UNIT lines without a unit are not for the strict parser.
    def prosodys():
        return samples(read_text(get("/metrics", PROSODYS)[2].replace("# EOF\n", "")))
    def names(page, prefix):
        return {name[0].removeprefix(prefix) for name in page if name[0].startswith(prefix)}
    # They are renewed every ten seconds.
    wait_for("the worker's numbers on Prosody's page", lambda: prosodys().get(("prosody_mod_stox__component_up", COMPONENT)) == 1)
    wait_for("all of them", lambda: names(counted(), "stox_") - {"left_out_samples"} <= names(prosodys(), "prosody_mod_stox__"))
    wait_for("the message on Prosody's page", lambda: prosodys().get(("prosody_mod_stox__messages_total", COMPONENT, "to_xmpp", "delivered")) == 1)


@pytest.mark.skipif(IS_EJABBERD, reason="Debian's ejabberd has no such page")
def test_prosodys_page_forgets_a_worker_that_ended(server):
    def prosodys():
        return samples(read_text(get("/metrics", PROSODYS)[2].replace("# EOF\n", "")))
    up, delivered = ("prosody_mod_stox__component_up", COMPONENT), ("prosody_mod_stox__messages_total", COMPONENT, "to_xmpp", "delivered")
    assert prosodys()[up] == 1
    assert server.ctl("stop").returncode == 0
    wait_for("the end of the worker on Prosody's page", lambda: prosodys()[up] == 0)
    assert prosodys()[delivered] == 1, "what was counted stays"
    server.reload()
    wait_for("the next worker on Prosody's page", lambda: prosodys()[up] == 1)
    assert prosodys()[delivered] == 0


@pytest.fixture
def statsd():
    """What came there: a function that gives all lines so far as name -> values."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as collector:
        collector.bind(("127.0.0.1", STATSD))
        collector.setblocking(False)
        came: dict[str, list[str]] = {}

        def lines() -> dict[str, list[str]]:
            while True:
                try:
                    name, _, value = collector.recv(65536).decode().partition(":")
                except BlockingIOError:
                    return came
                came.setdefault(name, []).append(value)
        yield lines


@pytest.mark.skipif(IS_EJABBERD, reason="Debian's ejabberd has no such page")
def test_prosodys_statistics_may_go_to_statsd(workspace, statsd):
    """With the page of metrics loaded, which then has nothing to show."""
    port = 5105
    chat = make_server(workspace / "metrics-statsd", port=5353, api_port=15313, ctl=True, metrics_port=9520, statsd_port=STATSD,
                       components={COMPONENT: {"peers": {"phones": {**PEERS["phones"], "next_hop": f"sip:{PEER}:{port}"}}}},
                       engine={"bind": [f"udp:{GATEWAY}:{port}"]})
    of = f"prosody.prosody_mod_stox.{{}}.{COMPONENT.replace('.', '_')}".format
    try:
        with SipPeer(PEER, port) as phone:
            assert phone.ask(message(f"benvolio@{DOMAIN}", body="counted", port=port), gateway_port=port).status == 202
        delivered = of("messages") + ".to_xmpp.delivered"
        wait_for("the message", lambda: statsd().get(delivered))
        wait_for("the component", lambda: "1|g" in statsd().get(of("component_up"), []))
        assert [value for value in statsd()[delivered] if value != "0|c"] == ["1|c"]
        assert get("/metrics", 9520)[0] == 200
        # The next worker counts from 0, and what is added since goes out.
        since = chat.log_size()
        assert chat.ctl("stop").returncode == 0
        wait_for("the end of the worker", lambda: "0|g" in statsd()[of("component_up")])
        chat.reload()
        chat.wait_attached(COMPONENT, since)
        with SipPeer(PEER, port) as phone:
            assert phone.ask(message(f"benvolio@{DOMAIN}", body="counted again", port=port), gateway_port=port).status == 202
        wait_for("one more message", lambda: [value for value in statsd()[delivered] if value != "0|c"] == ["1|c", "1|c"])
    finally:
        stop_server(chat)
    assert "event of the worker:" not in chat.log_text(), chat.log_text()[-3000:]


def test_a_service_without_its_chat_server_is_unhealthy(workspace):
    service = Service(workspace / "metrics-service", pathlib.Path(os.environ["STOX_BUILD"]), return_within=60)
    service.start()
    chat = make_server(workspace / "metrics-chat", isolation="service", control=str(service.control), groups=[GROUP], port=5339, api_port=15300,
                       components={COMPONENT: {"peers": {"phones": {**PEERS["phones"], "next_hop": f"sip:{PEER}:5103"}}}},
                       engine={"bind": [f"udp:{GATEWAY}:5103"], "metrics": {"listen": f"127.0.0.1:{OF_SERVICE}", "link_down_s": 1}})
    try:
        wait_for("health", lambda: get("/healthz", OF_SERVICE)[0::2] == (200, "ok\n"))
        chat.stop()
        wait_for("a reason", lambda: f"{COMPONENT}: not attached for " in get("/healthz", OF_SERVICE)[2])
        assert get("/healthz", OF_SERVICE)[0] == 503
        wait_for("the metric", lambda: counted(OF_SERVICE)["stox_component_up", COMPONENT] == 0)
        chat.start()
        wait_for("health again", lambda: get("/healthz", OF_SERVICE)[0] == 200)
    finally:
        chat.stop()
        assert service.stop() == 0
    if service.reports():
        FAILED.append("sanitizer")
    assert not service.reports(), service.reports()
