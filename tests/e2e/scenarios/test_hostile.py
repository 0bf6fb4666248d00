"""Text that XML cannot hold, and garbage on the SIP port: the stream stays, chat goes on."""
import random

import pytest

from sip_peer import SipPeer, message

pytestmark = pytest.mark.gate(60)


def test_CORE_75_characters_that_xml_forbids(server, romeo):
    pid = server.worker()
    with SipPeer(port=5071) as phone:
        everything = bytes(range(0x20)) + "\ufffe\uffff".encode() + b"\xff\xc0\xaf</body></message>"
        assert phone.ask(message(body=everything, port=5071)).status in (202, 400, 415)
        assert phone.ask(message(body="still here", headers="Subject: a\x01b<&>\r\n", port=5071)).status == 202
    romeo.wait_body("still here")
    assert server.worker() == pid


def test_garbage_on_the_sip_port(server, romeo, mercutio):
    pid, dice = server.worker(), random.Random(7)
    with SipPeer(port=5071) as phone:
        for _ in range(500):
            octets = bytearray(message(port=5071))
            for _ in range(dice.randrange(1, 12)):
                octets[dice.randrange(len(octets))] = dice.randrange(256)
            phone.send(bytes(octets[:dice.randrange(len(octets))] if dice.random() < 0.3 else octets))
        assert phone.ask(message(body="after the garbage", port=5071)).status == 202
    romeo.wait_body("after the garbage")
    mercutio.send("romeo@montague.test", "chat goes on")
    romeo.wait_body("chat goes on")
    assert server.worker() == pid
