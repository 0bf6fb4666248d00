"""SIP over TLS: a proxy with certificates on both sides, phones that check the gateway's chain and name, a certificate that changes."""
import os
import shutil

import pytest

from baresip import Baresip
from certificates import Authority
from conftest import COMPONENT, DOMAIN, PASSWORD, make_server, stop_server
from digest import ha1_line
from dnsmasq import Dnsmasq
from kamailio import Kamailio
from lane import GATEWAY, PEER, PROXY, STRANGER
from linphone import Linphone
from processes import NOBODY, wait_for
from sip_peer import SipPeer, message
from tls_peer import TlsListener, TlsPeer
from xmpp_client import XmppClient

pytestmark = pytest.mark.gate(120)
TLS_PORT, NAME, PROXY_NAME = 5061, "gateway.test", "kamailio.test"
ACCOUNT = {"user": "gateway", "password": "to the proxy"}


@pytest.fixture(scope="module")
def authority(workspace):
    return Authority(workspace / "authority")


@pytest.fixture(scope="module", autouse=True)
def names(workspace):
    running = Dnsmasq(workspace / "dns", {NAME: GATEWAY, PROXY_NAME: PROXY, "phone.test": PEER, "edge.elsewhere.test": PEER},
                      ["_sips._tcp.verona.test,edge.elsewhere.test,5083,10,0"])
    yield running
    running.stop()


@pytest.fixture(scope="module")
def server(workspace, authority, names):
    folder = workspace / "tls"
    folder.mkdir()
    chain, key = authority.leaf("gateway", f"DNS:{NAME}")
    for source, name in ((chain, "chain.pem"), (key, "key.pem")):
        shutil.copy(source, folder / name)
    (folder / "password").write_text(ACCOUNT["password"] + "\n")
    (folder / "password").chmod(0o600)
    shutil.chown(folder / "password", NOBODY, NOBODY)  # the server's user reads it
    peers = {
        "proxy": {"match": {"tls_name": [PROXY_NAME]}, "next_hop": f"sip:{PROXY_NAME}:5061;transport=tls", "default": True, "probe": False,
                  "auth": {"user": ACCOUNT["user"], "password_file": str(folder / "password")}},
        "phones": {"kind": "phone", "match": {"source": [PEER]}},
    }
    # A phone that listens for TLS, and whose certificate is for its name.
    phone = {"tls": {"trust": str(authority.root)}, "peers": {"baresip": {"kind": "phone", "next_hop": "sip:phone.test:5082;transport=tls",
                                                                          "probe": False}}}
    options = {"peers": peers, "tls": {"certificate": str(folder / "chain.pem"), "key": str(folder / "key.pem"), "trust": str(authority.root),
                                       "verify_client": "optional"}}
    carrier = {"tls": {"trust": str(authority.root)}, "peers": {"carrier": {"next_hop": "sips:verona.test", "probe": False}}}
    running = make_server(folder / "server", port=5324, api_port=15283, components={COMPONENT: options, "baresip.test": phone, "carrier.test": carrier},
                          engine={"bind": [f"udp:{GATEWAY}:5064", f"tcp:{GATEWAY}:5064", f"tls:{GATEWAY}:{TLS_PORT}"], "log_level": "debug"})
    running.wait_attached("baresip.test")
    running.wait_attached("carrier.test")
    yield running
    stop_server(running)


@pytest.fixture(scope="module")
def romeo(server):
    client = XmppClient(f"romeo@{DOMAIN}/tls", PASSWORD, server.setup.address, server.setup.port)
    yield client
    client.stop()


def proxy(workspace, authority, name: str, **options) -> Kamailio:
    identity = authority.leaf("kamailio", f"DNS:{PROXY_NAME}")
    return Kamailio(workspace / name, PROXY, f"{GATEWAY}:{TLS_PORT}", NAME, f"{PEER}:5060", identity, authority.root, **options)


# What a request may carry that any proxy and phone understands (RFC 3261 §20, RFC 3428, RFC 5393).
ORDINARY = {"via", "from", "to", "call-id", "cseq", "max-forwards", "content-type", "content-length", "content-language", "subject", "route",
            "record-route", "user-agent", "date", "expires", "allow", "accept", "supported", "max-breadth"}


def test_CORE_02_each_way_through_a_stock_proxy_with_certificates(workspace, authority, server, romeo):
    running = proxy(workspace, authority, "kamailio")
    try:
        with SipPeer() as phone:
            romeo.send("juliet@capulet.test", "through the proxy")
            assert phone.wait_request(lambda request: request.body == "through the proxy")
            assert set(phone.requests[0].headers) <= ORDINARY, "nothing that only another gateway would know"
            assert f"verified=1 sni={PROXY_NAME}" in running.log()
            phone.socket.sendto(message(body="and back through it"), (PROXY, 5060))
            romeo.wait_body("and back through it")
    finally:
        running.stop()


def test_credentials_for_a_proxy_that_asks(workspace, authority, server, romeo):
    running = proxy(workspace, authority, "challenging", challenge=True, **ACCOUNT)
    try:
        with SipPeer() as phone:
            romeo.send("juliet@capulet.test", "with credentials")
            assert phone.wait_request(lambda request: request.body == "with credentials")
            assert "authorization" not in phone.requests[0].headers
    finally:
        running.stop()


def test_CORE_06_a_host_found_by_service_records_shows_the_certificate_of_the_domain(authority, server, romeo):
    # RFC 5922 §4: the name that was asked for counts, not the host that DNS made of it.
    with TlsListener(5083, authority.leaf("host", "DNS:edge.elsewhere.test")) as wrong:
        romeo.send("nurse@carrier.test", "to a host of that name", ident="wrong-name")
        romeo.wait_error("wrong-name")
        assert not wrong.requests
    with TlsListener(5083, authority.leaf("domain", "DNS:verona.test")) as right:
        romeo.send("nurse@carrier.test", "to the domain")
        wait_for("the message", lambda: any(request.body == "to the domain" for request in right.requests))
        assert right.names == ["verona.test"]


def test_baresip_checks_chain_and_name(workspace, authority, server, romeo):
    chain, key = authority.leaf("phone", "DNS:phone.test")
    identity = workspace / "phone.pem"
    identity.write_text(chain.read_text() + key.read_text())
    phone = Baresip(workspace / "baresip-tls", "juliet@capulet.test", PEER, f"{NAME}:{TLS_PORT};transport=tls", f"romeo@{DOMAIN}", port=5081,
                    certificate=identity, root=authority.root)
    try:
        phone.send("over TLS")
        assert romeo.wait_body("over TLS")[0]["from"].bare == "juliet@capulet.test"
        romeo.send("juliet@baresip.test", "and back over TLS")
        assert phone.wait_message("and back over TLS")[0].endswith(f"romeo@{DOMAIN}")
    finally:
        phone.stop()


def test_linphone_checks_chain_and_name(workspace, authority, server, romeo):
    phone = Linphone(workspace / "linphone", "juliet@capulet.test", f"{NAME}:{TLS_PORT}", authority.root)
    try:
        phone.send(f"romeo@{DOMAIN}", "over TLS from linphone")
        assert romeo.wait_body("over TLS from linphone")[0]["from"].bare == "juliet@capulet.test"
    finally:
        phone.stop()


def test_PRES_33_linphone_watches_over_the_connection_it_opened(workspace, authority, server, romeo):
    phone = Linphone(workspace / "linphone-watching", "tybalt@capulet.test", f"{NAME}:{TLS_PORT}", authority.root, port=5075,
                     watches=f"romeo@{DOMAIN}")

    def sees(*parts: str):
        wait_for(f"a NOTIFY with {parts}", lambda: any(all(part in body for part in parts) for body in phone.notified()), alive=phone.program.alive)
    try:
        sees("<basic>open</basic>", "ID-tls")
        romeo.present(show="dnd", status="in a duel")
        sees("dnd", "in a duel")
        romeo.present()
    finally:
        phone.stop()


def test_IM_41_linphone_each_way_over_tls(workspace, authority, server, romeo):
    running = proxy(workspace, authority, "registrar", client_certificates=False)
    try:
        phone = Linphone(workspace / "linphone-registered", "juliet@capulet.test", f"{PROXY_NAME}:5061", authority.root, port=5073, register=True)
        try:
            wait_for("linphone's registration", lambda: "registered sip:juliet@capulet.test over tls" in running.log(), alive=phone.program.alive)
            romeo.send("juliet@capulet.test", "to linphone over TLS")
            assert phone.wait_message("to linphone over TLS")[0] == f"sip:romeo@{DOMAIN}"
            phone.send(f"romeo@{DOMAIN}", "from linphone over TLS")
            assert romeo.wait_body("from linphone over TLS")[0]["from"].bare == "juliet@capulet.test"
            # It reads message/cpim and tells that it did, compressed.
            romeo.send("juliet@capulet.test", "tell me", ident="linphone-1", elements=["<request xmlns='urn:xmpp:receipts'/>"])
            assert phone.wait_message("tell me")[0] == f"sip:romeo@{DOMAIN}"
            receipt, _ = romeo.wait_message("linphone's receipt", lambda one: one.xml.find("{urn:xmpp:receipts}received") is not None)
            assert receipt.xml.find("{urn:xmpp:receipts}received").get("id") == "linphone-1"
        finally:
            phone.stop()
    finally:
        running.stop()


@pytest.fixture
def strangers(server):
    """A domain that knows its peer by its credentials alone."""
    path = server.folder.parent / "kamailio.ha1"
    path.write_text(ha1_line("kamailio", "verona.test", "open sesame", "MD5"))  # all that its uac module can do
    path.chmod(0o600)
    shutil.chown(path, NOBODY, NOBODY)
    since = server.log_size()
    server.set_component("verona.test", {"digest": {"ha1_file": str(path)}, "peers": {"kamailio": {"match": {"user": ["kamailio"]}}}})
    server.wait_attached("verona.test", since)
    yield since
    since = server.log_size()
    server.set_component("verona.test", None)
    server.wait_log(r"verona\.test:? removed", since)


@pytest.mark.parametrize("password", ["open sesame", "open barley"])
def test_CORE_64_a_proxy_answers_our_challenge(workspace, authority, server, romeo, strangers, password):
    identity = authority.leaf("elsewhere", "DNS:elsewhere.test")
    running = Kamailio(workspace / password.replace(" ", "-"), PROXY, f"{GATEWAY}:{TLS_PORT}", NAME, f"{PEER}:5060", identity, authority.root,
                       user="kamailio", password=password)
    good, text = password == "open sesame", f"with {password}"
    try:
        with SipPeer() as phone:
            octets = message(sender="nurse@verona.test", body=text)
            phone.socket.sendto(octets, (PROXY, 5060))
            answers = wait_for("a final answer", lambda: [one for one in list(phone.responses) if one.status >= 200])
            assert answers[0].status == (202 if good else 401)
            if good:
                assert romeo.wait_body(text)[0]["from"].bare == "nurse@verona.test"
            else:
                server.wait_log(r"security event=refused.*src=10\.77\.0\.4.*wrong credentials", strangers)
                assert not [stanza for stanza, _ in romeo.messages if stanza["body"] == text]
    finally:
        running.stop()


def test_a_client_without_the_right_certificate_is_a_stranger(authority, server):
    other = authority.leaf("other", "DNS:other.test")
    for identity in (None, other):
        stranger = TlsPeer(GATEWAY, TLS_PORT, NAME, authority.root, identity, source=STRANGER)
        assert stranger.ask(message(source=STRANGER)).status == 403
        stranger.close()


def test_a_certificate_that_cannot_be_used_refuses_the_configuration(authority, server):
    before = TlsPeer(GATEWAY, TLS_PORT, NAME, authority.root).fingerprint
    key = server.folder.parent / "key.pem"
    good, (_, other) = key.read_text(), authority.leaf("unrelated", "DNS:unrelated.test")
    since = server.log_size()
    try:
        key.write_text(other.read_text())
        server.reload()
        server.wait_log(rf"tls\.key: {key} does not belong to .*the configuration before it stays", since)
        assert TlsPeer(GATEWAY, TLS_PORT, NAME, authority.root).fingerprint == before
    finally:
        key.write_text(good)
    since = server.log_size()
    server.set_component("verona.test", {"tls": {"certificate": "/nowhere/chain.pem", "key": str(key)}})
    try:
        server.wait_log(r"tls\.certificate: /nowhere/chain\.pem: No such file or directory", since)
    finally:
        server.set_component("verona.test", None)


def test_a_new_certificate_drops_no_connection(authority, server):
    flows = [TlsPeer(GATEWAY, TLS_PORT, NAME, authority.root) for _ in range(10)]
    before = {flow.fingerprint for flow in flows}
    assert len(before) == 1
    chain, key = authority.leaf("gateway", f"DNS:{NAME}")
    folder = server.folder.parent
    for source, name in ((chain, "chain.pem"), (key, "key.pem")):
        shutil.copy(source, folder / f"{name}.new")
        os.replace(folder / f"{name}.new", folder / name)
    since = server.log_size()
    server.reload()
    server.wait_log(r"certificate", since)
    fresh = TlsPeer(GATEWAY, TLS_PORT, NAME, authority.root)
    assert fresh.fingerprint not in before
    for flow in (*flows, fresh):
        assert flow.ask(message(method="OPTIONS", user="capulet.test", body="")).status == 200
        flow.close()
