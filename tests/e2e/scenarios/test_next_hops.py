"""A next hop that is dead is passed by: at once where nothing can be doubled, else as soon as its probes go unanswered."""
import pytest

from dnsmasq import Dnsmasq
from lane import PEER
from sip_peer import SipPeer, answer

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


def texts(peer: SipPeer) -> list[str]:
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
