"""A message each way with baresip."""
import pytest

from baresip import Baresip
from lane import GATEWAY, PEER

pytestmark = pytest.mark.gate(60)


@pytest.fixture
def phone(server, workspace):
    running = Baresip(workspace / "baresip", "juliet@capulet.test", PEER, f"{GATEWAY}:5060;transport=udp", "romeo@montague.test")
    yield running
    running.stop()


def test_IM_09_each_way_with_any_script(phone, romeo):
    for text in ("Art thou not Romeo?", "tschüß — 你好 🌹", "a < b & c > d \"quoted\" 'so'"):
        romeo.send("juliet@capulet.test", text)
        sender, _ = phone.wait_message(text)
        assert sender == "sip:romeo@montague.test"
        phone.send(text + " back")
        stanza, _ = romeo.wait_body(text + " back")
        assert stanza["from"].bare == "juliet@capulet.test"
