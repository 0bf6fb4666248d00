"""Many messages each way arrive once each and in order."""
import pytest

from processes import wait_for
from sip_peer import SipPeer, message

pytestmark = pytest.mark.gate(60)
COUNT = 100


def test_IM_12_CORE_77_to_sip_one_at_a_time_and_in_order(server, romeo):
    texts = [f"to sip {number}" for number in range(COUNT)]
    with SipPeer() as phone:
        for part in (texts[:COUNT // 2], texts[COUNT // 2:]):  # 50 may wait for one contact
            before = len(phone.requests)
            for text in part:
                romeo.send("juliet@capulet.test", text)
            wait_for("all messages", lambda: len(phone.requests) >= before + len(part))
        assert [request.body for request in phone.requests] == texts
        assert len({request.headers["call-id"] for request in phone.requests}) == COUNT


def test_CORE_77_from_sip_in_order(server, romeo):
    texts = [f"ordered {number}" for number in range(COUNT)]
    with SipPeer(port=5071) as phone:
        for text in texts:
            phone.send(message(body=text, port=5071))
        wait_for("all answers", lambda: len(phone.responses) >= COUNT)
        assert {response.status for response in phone.responses} == {202}
    romeo.wait_body(texts[-1])
    assert [stanza["body"] for stanza, _ in romeo.messages if stanza["body"].startswith("ordered ")] == texts
