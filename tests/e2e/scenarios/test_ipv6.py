"""Peers on IPv6 beside one on IPv4: messages each way over UDP and TCP, and what the gateway says of itself and of them."""
import socket

import pytest

from conftest import COMPONENT, DOMAIN, PASSWORD, make_server, stop_server
from lane import GATEWAY, PEER
from sip_peer import Message, SipPeer, message
from stream_peer import StreamPeer
from xmpp_client import XmppClient

pytestmark = pytest.mark.gate(60)
# Of the gateway; of the peers by UDP, by TCP and by probes.
PORT, UDP_PORT, TCP_PORT, PROBED_PORT = 5066, 5086, 5087, 5088
HERE, OVER_TCP, OVER_IPV4, PROBED = "::1", "tcp.test", "ipv4.test", "probed.test"


def peer(source: str, next_hop: str) -> dict:
    return {"peers": {"phones": {"match": {"source": [source]}, "next_hop": next_hop, "probe": False}}}


@pytest.fixture(scope="module")
def server(workspace):
    # Requests come from one of them; the others are only sent to.
    components = {COMPONENT: peer(HERE, f"sip:[{HERE}]:{UDP_PORT}"), OVER_TCP: peer("2001:db8::1", f"sip:[{HERE}]:{TCP_PORT};transport=tcp"),
                  OVER_IPV4: peer("192.0.2.1", f"sip:{PEER}:{UDP_PORT}")}
    listeners = [f"{transport}:{address}:{PORT}" for transport in ("udp", "tcp") for address in (GATEWAY, f"[{HERE}]")]
    running = make_server(workspace / "ipv6", port=5326, api_port=15286, components=components, engine={"bind": listeners, "log_level": "debug"})
    running.wait_attached(OVER_TCP)
    running.wait_attached(OVER_IPV4)
    yield running
    stop_server(running)


@pytest.fixture(scope="module")
def romeo(server):
    client = XmppClient(f"romeo@{DOMAIN}/ipv6", PASSWORD, server.setup.address, server.setup.port)
    yield client
    client.stop()


def ask_over_tcp(octets: bytes) -> tuple[Message, int]:
    """The response, and the port that it was asked from."""
    with socket.create_connection((HERE, PORT), timeout=20) as connection:
        connection.sendall(octets.replace(b"SIP/2.0/UDP", b"SIP/2.0/TCP"))
        seen = b""
        while b"\r\n\r\n" not in seen:
            part = connection.recv(65536)
            assert part, "the gateway closed the connection"
            seen += part
        return Message(seen), connection.getsockname()[1]


def test_CORE_06_from_sip_over_udp(server, romeo):
    with SipPeer(HERE, UDP_PORT, gateway=HERE) as phone:
        response = phone.ask(message(sender=f"juliet@{COMPONENT}", body="by UDP", source=f"[{HERE}]", port=UDP_PORT), PORT)
    assert response.status == 202
    assert f"received={HERE}" in response.headers["via"] and f"rport={UDP_PORT}" in response.headers["via"]
    stanza, _ = romeo.wait_body("by UDP")
    assert stanza["from"].bare == f"juliet@{COMPONENT}"


def test_CORE_06_from_sip_over_tcp(server, romeo):
    response, port = ask_over_tcp(message(sender=f"juliet@{COMPONENT}", body="by TCP", source=f"[{HERE}]", port=TCP_PORT))
    assert response.status == 202
    assert f"received={HERE}" in response.headers["via"] and f"rport={port}" in response.headers["via"]
    stanza, _ = romeo.wait_body("by TCP")
    assert stanza["from"].bare == f"juliet@{COMPONENT}"


def test_CORE_06_to_sip(server, romeo):
    """Each request says the address of the listener that its peer can answer to."""
    with SipPeer(HERE, UDP_PORT, gateway=HERE) as by_udp, StreamPeer(TCP_PORT, HERE) as by_tcp, SipPeer(PEER, UDP_PORT) as by_ipv4:
        for phone, domain, via in ((by_udp, COMPONENT, f"UDP [{HERE}]:{PORT};"), (by_tcp, OVER_TCP, f"TCP [{HERE}]:{PORT};"),
                                   (by_ipv4, OVER_IPV4, f"UDP {GATEWAY}:{PORT};")):
            romeo.send(f"nurse@{domain}", f"to {domain}")
            request = phone.wait_request(lambda request, body=f"to {domain}": request.body == body)
            assert request.first == f"MESSAGE sip:nurse@{domain} SIP/2.0"
            assert request.headers["via"].startswith(f"SIP/2.0/{via}"), request.headers["via"]
            assert "contact" not in request.headers  # RFC 3428 §4: a MESSAGE makes no dialog


def test_of_another_address_is_refused(server):
    """A peer by its IPv6 address is nobody on IPv4."""
    with SipPeer(PEER, UDP_PORT) as phone:
        assert phone.ask(message(f"romeo%40{DOMAIN}@{COMPONENT}", f"juliet@{COMPONENT}", port=UDP_PORT), PORT).status == 403


def test_CORE_06_a_probe_asks_the_peer_by_its_address(server):
    """A URI without the brackets has another host, or none."""
    since = server.log_size()
    options = peer("2001:db8::2", f"sip:[{HERE}]:{PROBED_PORT}")
    options["peers"]["phones"]["probe"] = True
    with SipPeer(HERE, PROBED_PORT, gateway=HERE) as phone:
        server.set_component(PROBED, options)
        request = phone.wait_request()
        server.set_component(PROBED, None)
        server.wait_log(rf"{PROBED}:? removed", since)
    assert request.first == f"OPTIONS sip:[{HERE}]:{PROBED_PORT} SIP/2.0"
    assert f"<sip:[{HERE}]:{PROBED_PORT}>" in request.headers["to"]
    assert request.headers["via"].startswith(f"SIP/2.0/UDP [{HERE}]:{PORT};"), request.headers["via"]
