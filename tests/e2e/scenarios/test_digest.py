"""Digest authentication both ways: a phone from anywhere proves who it is; a carrier that asks is answered."""
import shutil

import pytest

from digest import authorization, ha1_line, parameters, proves
from lane import PEER, STRANGER
from presence_server import Presentity, PresenceServer, pidf
from processes import NOBODY, wait_for
from sip_peer import SipPeer, answer, message

pytestmark = pytest.mark.gate(60)
DOMAIN, USER = "verona.test", "romeo@montague.test"


def secret(server, name: str, text: str) -> str:
    """A file that the server's user alone may read."""
    path = server.folder / name
    path.write_text(text)
    path.chmod(0o600)
    shutil.chown(path, NOBODY, NOBODY)
    return str(path)


@pytest.fixture
def domain(server):
    def set_options(**options):
        since = server.log_size()
        server.set_component(DOMAIN, options)
        server.wait_attached(DOMAIN, since)
        return since
    yield set_options
    since = server.log_size()
    server.set_component(DOMAIN, None)
    server.wait_log(r"verona\.test:? removed", since)


@pytest.fixture
def phones(server, domain):
    lines = "".join(ha1_line("alice", DOMAIN, "open sesame", algorithm) for algorithm in ("MD5", "SHA-256"))
    return domain(digest={"ha1_file": secret(server, "phones.ha1", lines)}, peers={"phones": {"match": {"user": ["alice"]}, "kind": "phone"}})


def challenge_of(phone: SipPeer) -> str:
    response = phone.ask(message(USER, f"nurse@{DOMAIN}", source=STRANGER))
    assert response.status == 401, response.text
    return response.headers["www-authenticate"]


def test_CORE_64_a_phone_from_anywhere_proves_who_it_is(server, romeo, phones):
    with SipPeer(address=STRANGER) as phone:
        challenge = challenge_of(phone)
        assert parameters(challenge)["realm"] == DOMAIN and parameters(challenge)["algorithm"] == "SHA-256"
        for count in (1, 2):
            proof = authorization(challenge, "alice", "open sesame", f"sip:{USER}", count=count)
            assert phone.ask(message(USER, f"nurse@{DOMAIN}", f"it is me {count}", source=STRANGER, headers=proof)).status == 202
            stanza, _ = romeo.wait_body(f"it is me {count}")
            assert stanza["from"].bare == f"nurse@{DOMAIN}"
        # The same proof once more is somebody who listened.
        again = phone.ask(message(USER, f"nurse@{DOMAIN}", "replayed", source=STRANGER, headers=proof))
        assert again.status == 401
    server.wait_log(r"security event=refused.*replay", phones)
    assert not [stanza for stanza, _ in romeo.messages if stanza["body"] == "replayed"]


def test_CORE_65_wrong_credentials_are_refused_with_a_line(server, romeo, phones):
    with SipPeer(address=STRANGER) as phone:
        challenge = challenge_of(phone)
        for user, password in (("alice", "open barley"), ("nobody", "open sesame")):
            proof = authorization(challenge, user, password, f"sip:{USER}")
            assert phone.ask(message(USER, f"nurse@{DOMAIN}", "let me in", source=STRANGER, headers=proof)).status == 401
        assert phone.ask(message(USER, f"nurse@{DOMAIN}", source=STRANGER, method="REGISTER", body="")).status == 403
    server.wait_log(r"security event=refused.*src=10\.77\.0\.3.*wrong credentials", phones)
    assert not [stanza for stanza, _ in romeo.messages if stanza["body"] == "let me in"]
    assert "open barley" not in server.log_text() and "open sesame" not in server.log_text()


def test_CORE_54_a_carrier_that_asks_is_answered(server, romeo, domain):
    challenge = 'WWW-Authenticate: Digest realm="carrier.test", nonce="c2FsdA", algorithm=SHA-256, qop="auth"\r\n'

    def carrier(request):
        proof = request.headers.get("authorization", "")
        if not proof:
            return answer(request, 401, "Who is there", challenge)
        return answer(request, 200 if proves(proof, "gateway", "s3cr3t") else 403)
    with SipPeer(port=5081, policy=carrier) as peer:
        since = domain(peers={"carrier": {"match": {"source": ["10.77.0.0/31"]}, "next_hop": f"sip:{PEER}:5081", "probe": False, "auth": {
            "user": "gateway", "password_file": secret(server, "carrier.password", "s3cr3t\n"), "realms": ["carrier.test"]}}})
        for text in ("first", "second"):
            romeo.send(f"nurse@{DOMAIN}", text, ident=f"digest-{text}")
            peer.wait_request(lambda request, text=text: request.body == text and "authorization" in request.headers)
        first, repeated, second = peer.requests
        assert first.headers["call-id"] == repeated.headers["call-id"] and repeated.headers["cseq"] == "2 MESSAGE"
        assert parameters(second.headers["authorization"])["nc"] == "00000002", "asked once, remembered"
        # A message after the others tells that those were delivered and nobody got an error.
        assert not [stanza for stanza, _ in romeo.messages if stanza["id"] in ("digest-first", "digest-second")]
        # The password is changed under the gateway: its author hears, and the operator.
        secret(server, "carrier.password", "wrong\n")
        server.configure()
        server.reload()
        peer.policy = lambda request: answer(request, 401, "Who is there", challenge)
        romeo.send(f"nurse@{DOMAIN}", "third", ident="digest-third")
        error = romeo.wait_error("digest-third").xml.find("{jabber:client}error")
        assert error.find("{urn:stox:sip:0}sip-code").text == "401"
        server.wait_log(r"peer=carrier challenge not answered", since)
    assert "s3cr3t" not in server.log_text()


@pytest.mark.gate(90)
@pytest.mark.parametrize("asks", ["www", "proxy"], ids=["401", "407"])
def test_PRES_17_PRES_20_a_presence_server_that_asks_is_answered(server, romeo, workspace, domain, asks):
    kamailio, phone = PresenceServer(workspace / f"asks-{asks}", DOMAIN, max_expires=40, asks=asks, password="wherefore"), Presentity("nurse", DOMAIN)
    try:
        since = domain(peers={"presence": {"match": {"source": ["10.77.0.0/31"]}, "next_hop": f"sip:{PEER}:5060", "probe": False, "auth": {
            "user": "gateway", "password_file": secret(server, "presence.password", "wherefore\n"), "realms": ["presence.test"]}}})
        phone.publish(pidf(f"pres:{phone.address}", ("ID-hall", "open", "")))
        kamailio.decide("nurse", "allow")
        romeo.on_loop(lambda client: client.get_roster())
        before = romeo.present("subscribe", phone.address)
        romeo.wait_presence("subscribed", phone.address, before)
        romeo.wait_presence("available", f"{phone.address}/hall", before)
        assert "challenged sip:romeo@montague.test" in kamailio.log(), "and it was asked first"
        begun = kamailio.subscribes()
        wait_for("a refresh that is taken", lambda: kamailio.subscribes() > begun)
        before = romeo.present("unsubscribe", phone.address)
        romeo.wait_presence("unavailable", f"{phone.address}/hall", before)
        wait_for("the end of the dialog", lambda: "expires 0" in kamailio.log())
        assert b"challenge not answered" not in server.log.read_bytes()[since:]
        assert "wherefore" not in server.log_text()
    finally:
        phone.stop()
        kamailio.stop()


def test_CORE_54_a_secret_that_cannot_be_read_refuses_the_configuration(server):
    since = server.log_size()
    server.set_component(DOMAIN, {"peers": {"carrier": {"next_hop": f"sip:{PEER}:5081", "auth": {"user": "gateway", "password_file": "/nowhere/password"}}}})
    try:
        server.wait_log(r"peers\.carrier\.auth\.password_file.*No such file", since)
    finally:
        server.set_component(DOMAIN, None)
