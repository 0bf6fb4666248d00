"""A next hop that is dead is passed by: at once where nothing can be doubled, else as soon as its probes go unanswered."""
import subprocess
import time

import pytest

from dnsmasq import Dnsmasq
from lane import PEER
from sip_peer import SipPeer, answer
from stream_peer import Hangup, Silent, StreamPeer

DOMAIN = "verona.test"


@pytest.fixture
def domain(server):
    """Sets a domain whose only peer has the given next hops; gone again at the end."""
    def set_hops(hops, **options):
        since = server.log_size()
        server.set_component(DOMAIN, {"peers": {"pair": {"match": {"source": ["10.77.0.0/31"]}, "next_hop": hops, **options}}})
        server.wait_attached(DOMAIN, since)
        return since
    yield set_hops
    since = server.log_size()
    server.set_component(DOMAIN, None)
    server.wait_log(r"verona\.test:? removed", since)


def texts(peer: SipPeer | StreamPeer) -> list[str]:
    return [request.body for request in peer.requests if request.first.startswith("MESSAGE")]


@pytest.mark.gate(60)
def test_IM_12_a_busy_next_hop_hands_over_to_the_second(server, romeo, domain):
    with SipPeer(port=5081, policy=lambda request: answer(request, 503)) as busy, SipPeer(port=5082) as second:
        domain([f"sip:{PEER}:5081", f"sip:{PEER}:5082"], probe=False)
        for number in range(3):
            romeo.send(f"nurse@{DOMAIN}", f"number {number}")
        second.wait_request(lambda request: request.body == "number 2")
        assert texts(second) == [f"number {number}" for number in range(3)] == texts(busy), "each once to each, in order"
        assert busy.requests[0].headers["call-id"] == second.requests[0].headers["call-id"], "it is the same message"


@pytest.mark.gate(60)
def test_CORE_55_a_next_hop_without_listener_hands_over_to_the_second(server, romeo, domain):
    with SipPeer(port=5082) as second:
        domain([f"sip:{PEER}:5081", f"sip:{PEER}:5082"], probe=False)
        romeo.send(f"nurse@{DOMAIN}", "anybody?")
        second.wait_request(lambda request: request.body == "anybody?")
        assert texts(second) == ["anybody?"]


@pytest.fixture(scope="module")
def hole():
    """An address from which nothing ever comes back: a neighbour that is known and does not exist, on a bridge without ports."""
    address = "192.0.2.1"
    for command in ("link add hole type bridge", "link set hole up", f"route add {address}/32 dev hole",
                    f"neighbour add {address} lladdr 02:00:00:00:00:01 dev hole nud permanent"):
        subprocess.run(["ip", *command.split()], check=True)
    yield address
    subprocess.run(["ip", "link", "delete", "hole"], check=True)


def handed_over(domain, romeo, first: str, text: str, transport: str = "udp") -> float:
    """Seconds until a message was with the second next hop, once, when the first one is of no use."""
    peer = StreamPeer(5082) if transport == "tcp" else SipPeer(port=5082)
    with peer as second:
        domain([first, f"sip:{PEER}:5082;transport={transport}"], probe=False)
        begin = time.monotonic()
        romeo.send(f"nurse@{DOMAIN}", text)
        second.wait_request(lambda request: request.body == text)
        took = time.monotonic() - begin
        romeo.send(f"nurse@{DOMAIN}", f"after {text}")
        second.wait_request(lambda request: request.body == f"after {text}")
        assert texts(second) == [text, f"after {text}"], "each once"
    print(f"{text}: with the second next hop after {took:.2f} s")
    return took


@pytest.mark.gate(60)
@pytest.mark.parametrize("second", ["udp", "tcp"])
@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_CORE_55_a_connection_that_is_refused_hands_over_at_once(server, romeo, domain, transport, second):
    assert handed_over(domain, romeo, f"sip:{PEER}:5081;transport={transport}", f"refused {transport} {second}", second) < 4


@pytest.mark.gate(60)
def test_CORE_55_a_tls_handshake_that_fails_hands_over_at_once(server, romeo, domain):
    with Hangup(5081):
        assert handed_over(domain, romeo, f"sip:{PEER}:5081;transport=tls", "no handshake") < 4


@pytest.mark.gate(90)
@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_CORE_55_an_address_that_swallows_connections_hands_over_within_4_seconds(server, romeo, domain, hole, transport):
    # Each of the two messages waits for a connection of its own.
    assert 3 < handed_over(domain, romeo, f"sip:{hole};transport={transport}", f"swallowed {transport}") < 20


@pytest.mark.gate(90)
def test_CORE_55_a_tls_peer_that_says_nothing_hands_over_within_4_seconds(server, romeo, domain):
    with Silent(5081):
        assert 3 < handed_over(domain, romeo, f"sip:{PEER}:5081;transport=tls", "silent") < 20


@pytest.mark.gate(60)
def test_CORE_55_a_connection_lost_after_the_message_left_doubles_nothing(server, romeo, domain):
    with Hangup(5081), SipPeer(port=5082) as second:
        domain([f"sip:{PEER}:5081;transport=tcp", f"sip:{PEER}:5082"], probe=False)
        romeo.send(f"nurse@{DOMAIN}", "perhaps there", ident="perhaps")
        error = romeo.wait_error("perhaps").xml.find("{jabber:client}error")
        assert "may have been delivered" in error.find("{urn:ietf:params:xml:ns:xmpp-stanzas}text").text
        assert texts(second) == []


@pytest.mark.full(120)
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_CORE_06_a_swallowing_address_is_down_and_passed_by_at_once(server, romeo, domain, hole, transport):
    with SipPeer(port=5082) as second:
        since = domain([f"sip:{hole};transport={transport}", f"sip:{PEER}:5082"])
        server.wait_log(rf"next hop down target={transport}:{hole}:5060", since)
        begin = time.monotonic()
        romeo.send(f"nurse@{DOMAIN}", "past the hole")
        second.wait_request(lambda request: request.body == "past the hole")
        print(f"down by {transport}: with the second next hop after {time.monotonic() - begin:.2f} s")
        assert texts(second) == ["past the hole"]


@pytest.mark.gate(60)
def test_CORE_06_a_next_hop_is_found_by_its_service_records(server, romeo, domain, workspace):
    names = Dnsmasq(workspace / "names", {"one.sip.test": PEER, "two.sip.test": PEER},
                    ["_sip._udp.sip.test,one.sip.test,5081,10,0", "_sip._udp.sip.test,two.sip.test,5082,20,0"])
    try:
        with SipPeer(port=5081, policy=lambda request: answer(request, 503)), SipPeer(port=5082) as second:
            domain("sip:sip.test", probe=False)
            romeo.send(f"nurse@{DOMAIN}", "by name")
            second.wait_request(lambda request: request.body == "by name")
    finally:
        names.stop()


@pytest.mark.gate(60)
def test_CORE_55_a_next_hop_that_is_nowhere_is_told_to_author_and_operator(server, romeo, domain):
    since = domain("sip:missing.test", probe=False)
    romeo.send(f"nurse@{DOMAIN}", "to nowhere", ident="nowhere")
    error = romeo.wait_error("nowhere").xml.find("{jabber:client}error")
    assert error.find("{urn:ietf:params:xml:ns:xmpp-stanzas}remote-server-not-found") is not None
    server.wait_log(r"next hop not located uri=sip:missing\.test reason=", since)


@pytest.mark.full(120)
def test_CORE_06_a_silent_next_hop_is_down_until_it_answers_a_probe(server, romeo, domain):
    replies = {"silent": True}
    with SipPeer(port=5081, policy=lambda request: None if replies["silent"] else answer(request, 200, "OK")) as first, \
            SipPeer(port=5082) as second:
        since = domain([f"sip:{PEER}:5081", f"sip:{PEER}:5082"])
        server.wait_log(rf"next hop down target=udp:{PEER}:5081 reason=\"no answer\"", since)
        romeo.send(f"nurse@{DOMAIN}", "to the second")
        second.wait_request(lambda request: request.body == "to the second")
        assert texts(first) == []
        replies["silent"] = False
        server.wait_log(rf"next hop up target=udp:{PEER}:5081", since)
        romeo.send(f"nurse@{DOMAIN}", "to the first again")
        first.wait_request(lambda request: request.body == "to the first again")
        assert texts(second) == ["to the second"]
        assert "next hop down target=udp:10.77.0.1:5082" not in server.log_text()


@pytest.mark.full(120)
def test_CORE_55_with_every_next_hop_down_the_author_hears_at_once(server, romeo, domain):
    since = domain([f"sip:{PEER}:5081"])
    server.wait_log(rf"next hop down target=udp:{PEER}:5081", since)
    romeo.send(f"nurse@{DOMAIN}", "anybody?", ident="all-down")
    error = romeo.wait_error("all-down").xml.find("{jabber:client}error")
    assert error.find("{urn:ietf:params:xml:ns:xmpp-stanzas}remote-server-timeout") is not None
    assert "next hop down" in error.find("{urn:ietf:params:xml:ns:xmpp-stanzas}text").text
