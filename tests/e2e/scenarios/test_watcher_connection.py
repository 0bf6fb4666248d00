"""A phone behind an address translator watches a user: it is reached by the connection that it opened, however long nothing is said."""
import socket

import pytest

from conftest import COMPONENT, DOMAIN, PASSWORD
from lane import GATEWAY, PEER
from processes import wait_for
from sip_peer import Message, message
from tls_peer import TlsPeer
from watcher import ok
from xmpp_client import XmppClient

NOWHERE = "192.168.77.9:5999"  # what a translator hides


class Phone(TlsPeer):
    """The same over plain TCP. NOTIFYs are answered as they come."""

    def __init__(self, name: str):
        self.socket, self.pending = socket.create_connection((GATEWAY, 5060), timeout=60, source_address=(PEER, 0)), b""
        self.aor = f"{name}@{COMPONENT}"

    def subscribe(self, user: str, expires: int) -> None:
        text = message(user, self.aor, "", method="SUBSCRIBE", headers=f"Contact: <sip:{self.aor.partition('@')[0]}@{NOWHERE};transport=tcp>\r\n"
                       f"Event: presence\r\nAccept: application/pidf+xml\r\nExpires: {expires}\r\n")
        self.socket.sendall(text.replace(b"SIP/2.0/UDP", b"SIP/2.0/TCP"))

    def wait_notify(self, *parts: str) -> Message:
        """The first that has all of these in it."""
        while True:
            came = self.read()
            if came.status:
                assert came.status < 300, came.text
                continue
            self.socket.sendall(ok(came))
            if all(part in came.text for part in parts):
                return came


@pytest.fixture
def benvolio(server):
    """Lets everybody watch."""
    client = XmppClient(f"benvolio@{DOMAIN}/wall", PASSWORD, server.setup.address, server.setup.port)
    yield client
    client.stop()


@pytest.mark.gate(60)
def test_a_watcher_is_told_by_the_connection_that_it_opened(benvolio):
    phone = Phone("samson")
    phone.subscribe(f"benvolio@{DOMAIN}", 600)
    phone.wait_notify("active", "ID-wall")
    benvolio.present(show="away")
    phone.wait_notify("away")
    phone.close()


@pytest.mark.full(300)
def test_a_connection_that_dialogs_need_outlives_silence(benvolio):
    phone, idle = Phone("gregory"), Phone("gregory")
    phone.subscribe(f"benvolio@{DOMAIN}", 600)
    phone.wait_notify("active", "ID-wall")
    idle.socket.settimeout(200)
    wait_for("the end of a connection that nobody needs", lambda: idle.socket.recv(1) == b"")
    benvolio.present(show="xa")
    phone.wait_notify("xa")
    phone.close()
