"""A domain comes and goes by a reload of the server's configuration; the others do not notice."""
import pytest

from lane import PEER
from sip_peer import SipPeer, message

pytestmark = pytest.mark.gate(90)


def test_added_and_removed_by_reload(server, romeo):
    pid, since = server.worker(), server.log_size()
    server.set_component("verona.test", {"peers": {"phones": {"match": {"source": ["10.77.0.0/31"]}, "next_hop": f"sip:{PEER}:5060", "probe": False}}})
    server.wait_attached("verona.test", since)
    with SipPeer() as phone:
        romeo.send("nurse@verona.test", "to the new domain")
        assert phone.wait_request().first == "MESSAGE sip:nurse@verona.test SIP/2.0"
        since = server.log_size()
        server.set_component("verona.test", None)
        server.wait_log(r"verona\.test:? removed", since)
        romeo.send("juliet@capulet.test", "to the old one")
        assert phone.wait_request(lambda request: request.body == "to the old one")
    with SipPeer(port=5071) as phone:
        assert phone.ask(message("nurse@verona.test", port=5071)).status == 404
    assert server.worker() == pid
