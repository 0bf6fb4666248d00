"""SIP phones publish their presence to the gateway: sipp through every answer, baresip as it does, and a worker that is killed meanwhile."""
import itertools
import os
import signal
import time

import pytest
from baresip import Baresip
from conftest import COMPONENT, make_server, person, stop_server
from lane import GATEWAY, PEER
from presence_server import Presentity, pidf
from processes import wait_for
from sipp import Sipp

DOMAIN = "verona.test"
PORT = 5108
# Less close a match than that of the domain beside it, so that a host is told to one of them.
PHONES = {"peers": {"phones": {"match": {"source": ["10.77.0.0/31"]}, "next_hop": f"sip:{PEER}:5060", "probe": False}}, "presence": {"mode": "static"}}


@pytest.fixture
def phones(server):
    """A domain whose phones are asked for nothing."""
    since = server.log_size()
    server.set_component(DOMAIN, PHONES)
    server.wait_attached(DOMAIN, since)
    yield
    since = server.log_size()
    server.set_component(DOMAIN, None)
    server.wait_log(r"verona\.test:? removed", since)


def interested(client):
    """Servers give subscriptions to whom they have given the roster."""
    client.on_loop(lambda slixmpp: slixmpp.get_roster())
    return client


def shown(client, contact: str, since: int) -> list[str]:
    """"unavailable /desk", "available /desk dnd"; the same twice in a row (a server may probe) once."""
    def word(stanza) -> str:
        show = stanza.xml.findtext(f"{{{stanza.namespace}}}show") or ""
        return f"{stanza.xml.get('type', 'available')} /{stanza['from'].resource} {show}".strip()
    came = [word(stanza) for stanza, _ in list(client.presences)[since:] if stanza["from"].bare == contact]
    return [one for one, _ in itertools.groupby(came)]


@pytest.mark.gate(90)
@pytest.mark.parametrize("transport", ["u1", "t1"], ids=["udp", "tcp"])
def test_PRES_94_a_phone_publishes(server, romeo, workspace, phones, transport):
    user = f"nurse-{transport}"
    contact = f"{user}@{DOMAIN}"
    since = interested(romeo).present("subscribe", contact)
    romeo.wait_presence("available", f"{contact}/phone", since)
    since = len(romeo.presences)
    Sipp("publish", workspace / f"publish-{transport}", transport, port=5072, keys={"user": user, "domain": DOMAIN}).wait()
    romeo.wait_presence("available", f"{contact}/phone", since)
    states = [one for one in shown(romeo, contact, since) if "/desk" in one]
    assert states == ["available /desk away", "available /desk dnd", "unavailable /desk"]
    assert "unavailable /phone" in shown(romeo, contact, since), "nobody is pretended to be there whose state is known"


@pytest.mark.gate(90)
def test_PRES_94_baresip_publishes(server, romeo, workspace, phones):
    contact = f"peter@{DOMAIN}"
    since = interested(romeo).present("subscribe", contact)
    romeo.wait_presence("available", f"{contact}/phone", since)
    since = len(romeo.presences)
    phone = Baresip(workspace / "publishing", contact, PEER, f"{GATEWAY}:5060;transport=udp", "romeo@montague.test", port=5076, publishes=60)
    try:
        phone.command("presence_online")
        wait_for("the phone's own state", lambda: any(one.startswith("available /") and "/phone" not in one for one in shown(romeo, contact, since)),
                 alive=phone.program.alive)
        romeo.wait_presence("unavailable", f"{contact}/phone", since)
        phone.command("presence_offline")
        wait_for("that it is away", lambda: any(one.startswith("unavailable /") and "/phone" not in one for one in shown(romeo, contact, since)),
                 alive=phone.program.alive)
    finally:
        phone.stop()


@pytest.mark.gate(120)
def test_PRES_94_a_killed_worker_forgets_and_the_phone_publishes_anew(workspace):
    server = make_server(workspace / "publishing", port=5362, api_port=15332, components={COMPONENT: PHONES},
                         engine={"bind": [f"udp:{GATEWAY}:{PORT}"], "log_level": "debug"})
    romeo, phone = None, Presentity("juliet", COMPONENT, gateway=GATEWAY, gateway_port=PORT)
    try:
        romeo = interested(person(server, "romeo"))
        since = romeo.present("subscribe", phone.address)
        phone.publish(pidf(f"sip:{phone.address}", ("ID-desk", "open", "at my desk")), expires=3600)
        assert romeo.wait_presence("available", f"{phone.address}/desk", since)["status"] == "at my desk"
        time.sleep(1.5)  # what was granted is on the disk by then
        since, log = len(romeo.presences), server.log_size()
        os.kill(server.worker(), signal.SIGKILL)
        server.wait_attached(COMPONENT, log)
        assert phone.published_anew == 0
        phone.publish(pidf(f"sip:{phone.address}", ("ID-desk", "open", "still here")), expires=3600)
        assert phone.published_anew == 1, "412, and then it begins again"
        wait_for("what it publishes now", lambda: any(stanza["status"] == "still here" for stanza, _ in list(romeo.presences)[since:]))
        assert not any(one.startswith("unsubscribed") for one in shown(romeo, phone.address, since))
        since = len(romeo.presences)
        phone.publish("", expires=0)
        romeo.wait_presence("unavailable", f"{phone.address}/desk", since)
        romeo.wait_presence("available", f"{phone.address}/phone", since)
    finally:
        phone.stop()
        if romeo:
            romeo.stop()
        stop_server(server)
