"""A stanza over a limit of ours that the server passes on: its author hears so, nobody else notices."""
import base64
import socket

import pytest

from sip_peer import SipPeer

pytestmark = pytest.mark.gate(60)
STANZAS = "{urn:ietf:params:xml:ns:xmpp-stanzas}"
TO = "juliet@capulet.test"
HOSTILE = {
    "deep": "<x xmlns='urn:a'>" + "<a>" * 70 + "</a>" * 70 + "</x>",
    "children": "<x xmlns='urn:a'>" + "<a/>" * 5000 + "</x>",
    "attributes": "<x xmlns='urn:a' " + " ".join(f"a{i}=''" for i in range(140)) + "/>",
    # Six octets each once the server has written them: 360,000.
    "apostrophes": "<body>" + "'" * 60_000 + "</body>",
    # The server writes the namespace again with each of them, or all into one tag: tens of megabytes, or no need to.
    "namespaces": f"<r xmlns:p='urn:{'n' * 2000}'>" + "<p:a/>" * 5000 + "</r>",
}


def log_since(server, since):
    return server.log.read_bytes()[since:].decode(errors="replace")


def raw(person, *stanzas):
    """All of them before the client's loop does anything else."""
    person.on_loop(lambda client: [client.send_raw(stanza) for stanza in stanzas] and None)


def stanza(ident, inside):
    return f"<message to='{TO}' type='chat' id='{ident}'>{inside}</message>"


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_stanza_over_a_limit_costs_nobody_else_a_message(server, romeo, mercutio, kind):
    since, pid = server.log_size(), server.worker()
    with SipPeer() as phone:
        raw(mercutio, stanza(f"before-{kind}", f"<body>before {kind}</body>"))
        raw(romeo, stanza(f"first-{kind}", f"<body>first {kind}</body>"), stanza(f"bad-{kind}", HOSTILE[kind]),
            stanza(f"last-{kind}", f"<body>last {kind}</body>"))
        raw(mercutio, stanza(f"behind-{kind}", f"<body>behind {kind}</body>"))
        error = romeo.wait_error(f"bad-{kind}").xml.find("{jabber:client}error")
        for word in ("before", "first", "last", "behind"):
            phone.wait_request(lambda request: request.body == f"{word} {kind}")
    assert error.get("type") == "modify" and error.find(STANZAS + "policy-violation") is not None
    assert error.find(STANZAS + "text").text
    server.wait_log("stanza refused", since)
    assert "detached" not in log_since(server, since) and server.worker() == pid


class RawClient:
    """romeo with a stream header of our own."""

    def __init__(self, server, header):
        self.socket = socket.create_connection((server.setup.address, server.setup.port), 10)
        self.input = ""
        self.open(header)
        proof = base64.b64encode(b"\0romeo\0secret").decode()
        self.ask(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{proof}</auth>", "<success")
        self.open(header)
        self.ask("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>", "</bind>")

    def open(self, header):
        self.ask(f"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='montague.test' version='1.0' {header}>",
                 "</stream:features>")

    def ask(self, octets, until):
        """Sends, and returns what comes up to that text."""
        self.socket.sendall(octets.encode())
        while until not in self.input:
            got = self.socket.recv(65536)
            assert got, f"the server closed the connection after: {self.input}"
            self.input += got.decode()
        answer, _, self.input = self.input.partition(until)
        return answer + until

    def close(self):
        self.socket.close()


def test_a_prefix_that_only_its_authors_stream_declares(server, mercutio):
    """A server that passes it on as it came sends us one that nobody declared; one that resolves it sends an ordinary message."""
    since = server.log_size()
    romeo = RawClient(server, "xmlns:p='urn:p'")
    with SipPeer() as phone:
        romeo.socket.sendall(f"<message to='{TO}' id='prefixed'><body>prefixed</body><p:a/></message>"
                             f"<message to='{TO}' id='plain'><body>plain</body></message>".encode())
        mercutio.send(TO, "next to it")
        phone.wait_request(lambda request: request.body == "plain")
        phone.wait_request(lambda request: request.body == "next to it")
        if not any(request.body == "prefixed" for request in phone.requests):
            error = romeo.ask("", "</error>")
            assert "id='prefixed'" in error and "<bad-request" in error
    romeo.close()
    assert "detached" not in log_since(server, since)
