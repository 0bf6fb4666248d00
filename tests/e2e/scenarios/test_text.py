"""Text arrives octet by octet as it was written, either way; line ends are those of each side: LF in XML, CRLF in SIP."""
import pytest

from sip_peer import SipPeer, message

pytestmark = pytest.mark.gate(60)
TEXTS = {"scripts": "tschüß — 你好 🌹", "joined": "👩\u200d👩\u200d👧 🇩🇪 e\u0301 \u202eשלום", "lines": "first line\nsecond line\n\nfourth",
         "spaces": "  spaces around  ", "markup": "a < b & c > d \"q\" ']]>"}


@pytest.mark.parametrize("name", TEXTS)
def test_IM_09_exact_each_way(server, romeo, name):
    text = TEXTS[name]
    on_sip = text.replace("\n", "\r\n").encode()
    seen = len(romeo.messages)
    with SipPeer() as phone:
        romeo.send("juliet@capulet.test", text)
        assert phone.wait_request().octets == on_sip
        assert phone.ask(message(body=on_sip)).status == 202
    stanza, _ = romeo.wait_message("the text", lambda stanza: stanza in [one for one, _ in romeo.messages[seen:]])
    assert stanza["type"] == "chat" and stanza["body"] == text
