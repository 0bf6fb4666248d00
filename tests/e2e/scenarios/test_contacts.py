"""XMPP users watch SIP contacts whose presence Kamailio knows: all states, kill -9 of the worker, its graceful stop."""
import contextlib
import itertools
import os
import signal
import time

import pytest

from conftest import COMPONENT, make_server, person, stop_server
from lane import GATEWAY, PEER
from presence_server import Presentity, PresenceServer, pidf
from processes import wait_for

WATCHED = 20


@contextlib.contextmanager
def presence_server(folder):
    running = PresenceServer(folder, COMPONENT)
    try:
        yield running
    finally:
        running.stop()


@contextlib.contextmanager
def presentity(user: str):
    phone = Presentity(user, COMPONENT)
    try:
        yield phone
    finally:
        phone.stop()


def publish(phone: Presentity, *tuples: tuple[str, str, str], activity: str = "") -> None:
    phone.publish(pidf(f"pres:{phone.address}", *tuples, activity=activity))


def interested(client):
    """Servers give subscriptions to whom they have given the roster."""
    client.on_loop(lambda slixmpp: slixmpp.get_roster())
    return client


def kinds(client, sender: str, since: int) -> list[str]:
    """What came from that bare address, resource or not; the same twice in a row (a server may probe) once."""
    came = [stanza.xml.get("type", "available") for stanza, _ in list(client.presences)[since:] if stanza["from"].bare == sender]
    return [kind for kind, _ in itertools.groupby(came)]


@pytest.mark.gate(120)
def test_PRES_12_PRES_13_PRES_23_through_all_states(server, romeo, workspace):
    contact = f"juliet@{COMPONENT}"
    interested(romeo)
    with presence_server(workspace / "states") as kamailio, presentity("juliet") as phone:
        publish(phone, ("ID-balcony", "open", "hello"))
        since = romeo.present("subscribe", contact)
        wait_for("a SUBSCRIBE", kamailio.subscribes)
        wait_for("the pending NOTIFY", lambda: "NOTIFY sip:romeo" in kamailio.log())
        assert kinds(romeo, contact, since) == [], "pending says nothing"
        kamailio.decide("juliet", "allow")
        romeo.wait_presence("subscribed", contact, since)
        first = romeo.wait_presence("available", f"{contact}/balcony", since)
        assert first["status"] == "hello"
        assert kinds(romeo, contact, since)[0] == "subscribed"

        for activity, show in (("away", "away"), ("busy", "dnd"), ("vacation", "xa")):
            publish(phone, ("ID-balcony", "open", ""), activity=activity)
            romeo.wait_presence("available", f"{contact}/balcony", since, show)
        publish(phone, ("ID-balcony", "open", ""), ("ID-garden", "open", ""))
        romeo.wait_presence("available", f"{contact}/garden", since)
        before = len(romeo.presences)
        publish(phone, ("ID-garden", "open", ""))
        romeo.wait_presence("unavailable", f"{contact}/balcony", before)
        publish(phone, ("ID-garden", "closed", ""))
        romeo.wait_presence("unavailable", f"{contact}/garden", before)
        publish(phone, ("ID-garden", "open", ""))
        romeo.wait_presence("available", f"{contact}/garden", before)
        assert kinds(romeo, contact, since).count("subscribed") == 1

        before = romeo.present("unsubscribe", contact)
        romeo.wait_presence("unavailable", f"{contact}/garden", before)
        wait_for("the end of the dialog", lambda: "expires 0" in kamailio.log())


@pytest.mark.gate(120)
def test_PRES_T3_denied_and_PRES_15_asked_again(server, romeo, workspace):
    contact = f"paris@{COMPONENT}"
    interested(romeo)
    with presence_server(workspace / "denied") as kamailio, presentity("paris") as phone:
        publish(phone, ("ID-tomb", "open", ""))
        kamailio.decide("paris", "allow")
        since = romeo.present("subscribe", contact)
        romeo.wait_presence("available", f"{contact}/tomb", since)
        kamailio.decide("paris", "block")
        romeo.wait_presence("unsubscribed", contact, since)
        assert kinds(romeo, contact, since) == ["subscribed", "available", "unavailable", "unsubscribed"]
        kamailio.decide("paris", "allow")
        since = romeo.present("subscribe", contact)
        romeo.wait_presence("subscribed", contact, since)
        romeo.wait_presence("available", f"{contact}/tomb", since)
        before = romeo.present("unsubscribe", contact)
        romeo.wait_presence("unavailable", f"{contact}/tomb", before)
        wait_for("the end of the dialog", lambda: "expires 0" in kamailio.log())


@pytest.mark.gate(30)
def test_PRES_97_the_gateway_itself(server, romeo):
    since = interested(romeo).present("subscribe", COMPONENT)
    romeo.wait_presence("subscribed", COMPONENT, since)
    romeo.wait_presence("available", COMPONENT, since)
    before = romeo.present("unsubscribe", COMPONENT)
    romeo.wait_presence("unavailable", COMPONENT, before)


@contextlib.contextmanager
def watching(workspace, name: str, number: int):
    """A server of its own with a user who sees so many contacts."""
    peers = {"phones": {"match": {"source": [PEER]}, "next_hop": f"sip:{PEER}:5060", "probe": False}}
    port = 5110 + number
    server = make_server(workspace / name, port=5350 + number, api_port=15310 + number, components={COMPONENT: {"peers": peers}},
                         engine={"bind": [f"udp:{GATEWAY}:{port}"], "log_level": "debug"})
    with contextlib.ExitStack() as stack:
        stack.callback(stop_server, server)
        kamailio = stack.enter_context(presence_server(workspace / f"{name}_kamailio"))
        romeo = interested(person(server, "romeo"))
        stack.callback(romeo.stop)
        phones = [stack.enter_context(presentity(f"c{number}")) for number in range(WATCHED)]
        for phone in phones:
            publish(phone, ("ID-desk", "open", ""))
            kamailio.decide(phone.address.partition("@")[0], "allow")
        for phone in phones:
            romeo.present("subscribe", phone.address)
        for phone in phones:
            romeo.wait_presence("available", f"{phone.address}/desk")
        yield server, kamailio, romeo, phones


@pytest.mark.gate(180)
def test_PRES_02_killed_and_back(workspace):
    with watching(workspace, "killed", 0) as (server, kamailio, romeo, phones):
        old, log, subscribes, since = server.worker(), server.log_size(), kamailio.subscribes(), len(romeo.presences)
        os.kill(old, signal.SIGKILL)
        killed = time.monotonic()
        publish(phones[0], ("ID-desk", "closed", ""))
        publish(phones[1], ("ID-desk", "open", ""), activity="busy")
        server.wait_attached(COMPONENT, log)
        romeo.wait_presence("unavailable", f"{phones[0].address}/desk", since)
        romeo.wait_presence("available", f"{phones[1].address}/desk", since, "dnd")
        for phone in phones[2:]:
            romeo.wait_presence("available", f"{phone.address}/desk", since)
        assert time.monotonic() - killed < 60
        assert kamailio.subscribes() - subscribes == WATCHED, "one new dialog each"
        told = [kind for phone in phones for kind in kinds(romeo, phone.address, since)]
        assert "subscribed" not in told and "unsubscribed" not in told
        # The notifier still knows the old dialogs; what it says in them is nobody's.
        since = len(romeo.presences)
        for phone in phones:
            publish(phone, ("ID-desk", "open", ""), activity="away")
        for phone in phones:
            romeo.wait_presence("available", f"{phone.address}/desk", since, "away")
        for phone in phones:
            assert kinds(romeo, phone.address, since) == ["available"]


@pytest.mark.gate(120)
def test_a_graceful_stop_withdraws_what_is_shown(workspace):
    with watching(workspace, "stopped", 1) as (server, _, romeo, phones):
        since, log = len(romeo.presences), server.log_size()
        os.kill(server.worker(), signal.SIGTERM)
        for phone in phones:
            romeo.wait_presence("unavailable", f"{phone.address}/desk", since)
        server.wait_attached(COMPONENT, log)
        for phone in phones:
            romeo.wait_presence("available", f"{phone.address}/desk", since)
            assert kinds(romeo, phone.address, since) == ["unavailable", "available"]
