"""What the server's archive (XEP-0313) shows of messages with SIP: each of them once."""
import pytest

from conftest import COMPONENT, DOMAIN, make_server, person, stop_server
from lane import GATEWAY, PEER
from processes import wait_for
from sip_peer import SipPeer, message

pytestmark = pytest.mark.gate(90)
PORT = 5085
PEERS = {"phones": {"match": {"source": [PEER]}, "next_hop": f"sip:{PEER}:{PORT}", "probe": False}}
MAM, FORM = "urn:xmpp:mam:2", "jabber:x:data"


@pytest.fixture(scope="module")
def server(workspace):
    running = make_server(workspace / "archive", archive=True, port=5331, api_port=15291, components={COMPONENT: {"peers": PEERS}},
                          engine={"bind": [f"udp:{GATEWAY}:{PORT}"], "log_level": "debug"})
    yield running
    stop_server(running)


def archived(client, query: str) -> list[str]:
    """The bodies that the archive has of juliet, in order."""
    answer = client.iq(f"romeo@{DOMAIN}", "set", f"<query xmlns='{MAM}' queryid='{query}'><x xmlns='{FORM}' type='submit'><field var='FORM_TYPE' "
                       f"type='hidden'><value>{MAM}</value></field><field var='with'><value>juliet@{COMPONENT}</value></field></x></query>")
    assert answer["type"] == "result", answer
    results = [stanza.xml.find(f"{{{MAM}}}result") for stanza, _ in list(client.messages)]
    return [body.text for result in results if result is not None and result.get("queryid") == query for body in result.iter("{jabber:client}body")]


def test_IM_18_the_archive_has_each_message_once(server):
    romeo = person(server, "romeo")
    try:
        with SipPeer(port=PORT) as phone:
            romeo.send(f"juliet@{COMPONENT}", "to be kept")
            phone.wait_request(lambda one: one.body == "to be kept")
            assert phone.ask(message(body="kept as well", port=PORT), gateway_port=PORT).status == 202
            romeo.wait_body("kept as well")
            wait_for("both in the archive", lambda: len(archived(romeo, f"q{len(romeo.messages)}")) >= 2)
            # What the archive answers came through the gateway's domain for nobody.
            romeo.send(f"juliet@{COMPONENT}", "the fence")
            phone.wait_request(lambda one: one.body == "the fence")
            assert [one.body for one in phone.requests] == ["to be kept", "the fence"]
        wait_for("all in the archive", lambda: archived(romeo, f"p{len(romeo.messages)}") == ["to be kept", "kept as well", "the fence"])
        assert [stanza["body"] for stanza, _ in romeo.messages].count("kept as well") == 1
    finally:
        romeo.stop()
