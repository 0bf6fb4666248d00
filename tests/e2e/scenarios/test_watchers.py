"""SIP contacts that watch XMPP users: a watcher made for the purpose, then a phone."""
import os
import signal

import pytest
from baresip import Baresip
from conftest import COMPONENT, DOMAIN, PASSWORD, make_server, stop_server
from lane import GATEWAY, PEER
from processes import wait_for
from watcher import CLOSED, OPEN, Watcher
from xmpp_client import XmppClient

pytestmark = pytest.mark.gate(60)
PORT = 5107


class Watched(XmppClient):
    """A user who decides about each request."""

    def __init__(self, server, name: str, resource: str = "home"):
        super().__init__(f"{name}@{DOMAIN}/{resource}", PASSWORD, server.setup.address, server.setup.port)

        def decide(client):
            client.auto_authorize, client.auto_subscribe = None, False
        self.on_loop(decide)


@pytest.fixture
def paris():
    """A contact of its own for each scenario: what users said of one stays."""
    with Watcher(f"paris@{COMPONENT}") as phone:
        yield phone


def test_PRES_31_PRES_33_PRES_60_pending_approved_and_two_resources(server, paris):
    user, contact = f"benvolio@{DOMAIN}", f"paris@{COMPONENT}"
    home = Watched(server, "benvolio")
    try:
        watch = paris.watch(user)
        response = watch.subscribe(600)
        assert response.status == 200 and response.headers["expires"] == "600" and ";gr" in response.headers["contact"]
        pending = watch.wait_state("pending")
        assert pending.headers["content-length"] == "0" and pending.headers["event"] == "presence"
        home.wait_presence("subscribe", contact)
        home.present("subscribed", contact)
        watch.wait_state("active")
        watch.wait_body(OPEN, "ID-home", f"pres:{user}")
        phone = Watched(server, "benvolio", "phone")
        phone.present(show="away", status="on the way")
        both = watch.wait_body("ID-home", "ID-phone", "away", "on the way")
        assert both.body.count(OPEN) == 2
        seen = len(watch.notifies())
        phone.stop()
        watch.wait_body("ID-home", CLOSED, after=seen)
        assert watch.subscribe(600).status == 200
        seen = len(watch.notifies())
        home.present(show="dnd")
        one = watch.wait_body("dnd", after=seen)
        assert "ID-phone" not in one.body
        poll = paris.watch(user)
        assert poll.subscribe(0).headers["expires"] == "0"
        assert OPEN in poll.wait_state("terminated;reason=timeout").body
        seen = len(watch.notifies())
        assert watch.subscribe(0).status == 200
        last = watch.wait_state("terminated;reason=timeout", after=seen)
        assert CLOSED in last.body and OPEN not in last.body
        home.wait_presence("unavailable", contact)
        again = paris.watch(user)
        again.subscribe(600)
        assert again.wait_state("active")
        home.present("unsubscribed", contact)
        again.wait_state("terminated;reason=rejected")
        assert again.subscribe(600).status == 481
    finally:
        home.stop()


def test_PRES_38_PRES_40_denied_expired_and_polled_by_a_stranger(server):
    user = f"benvolio@{DOMAIN}"
    with Watcher(f"abram@{COMPONENT}") as phone:
        home = Watched(server, "benvolio", "tavern")
        try:
            poll = phone.watch(user)
            assert poll.subscribe(0).status == 200
            assert not poll.wait_state("terminated;reason=timeout").body
            watch = phone.watch(user)
            assert watch.subscribe(5).status == 423
            watch = phone.watch(user)
            watch.subscribe(600)
            watch.wait_state("pending")
            home.wait_presence("subscribe", phone.aor)
            home.present("unsubscribed", phone.aor)
            watch.wait_state("terminated;reason=rejected")
            missing = phone.watch(f"nobody@{DOMAIN}")
            assert missing.subscribe(600).status == 200
            missing.wait_state("pending")
        finally:
            home.stop()


def test_PRES_43_a_killed_worker_forgets_dialogs_and_no_approval(workspace):
    server = make_server(workspace / "watched", port=5361, api_port=15331, engine={"bind": [f"udp:{GATEWAY}:{PORT}"], "log_level": "debug"})
    user = f"romeo@{DOMAIN}"
    try:
        with Watcher(f"peter@{COMPONENT}", gateway_port=PORT) as phone:
            home = Watched(server, "romeo", "watched")
            watch = phone.watch(user)
            watch.subscribe(600)
            home.wait_presence("subscribe", phone.aor)
            home.present("subscribed", phone.aor)
            watch.wait_body(OPEN)
            since = server.log_size()
            os.kill(server.worker(), signal.SIGKILL)
            server.wait_attached(COMPONENT, since)
            assert watch.subscribe(600).status == 481
            again = phone.watch(user)
            again.subscribe(600)
            again.wait_state("active")
            again.wait_body(OPEN)
            home.stop()
    finally:
        stop_server(server)


def test_PRES_33_a_phone_sees_a_user_come_and_go(server, workspace):
    home = Watched(server, "benvolio", "desk")
    phone = Baresip(workspace / "watching", f"tybalt@{COMPONENT}", PEER, f"{GATEWAY}:5060;transport=udp", f"benvolio@{DOMAIN}", port=5074, watches=True)

    def shows(state: str):
        wait_for(f"{state} at the phone", lambda: state in phone.command("contacts"), alive=phone.program.alive)
    try:
        home.wait_presence("subscribe", f"tybalt@{COMPONENT}")
        home.present("subscribed", f"tybalt@{COMPONENT}")
        shows("Online")
        home.stop()
        shows("Offline")
    finally:
        phone.stop()
