"""kill -9 of the worker: chat goes on, the gateway is back, what could not be delivered is told."""
import os
import signal
import time

import pytest

from conftest import COMPONENT
from processes import wait_for
from sip_peer import SipPeer, message

pytestmark = pytest.mark.gate(90)


def test_killed_and_back(server, romeo, mercutio):
    old, since = server.worker(), server.log_size()
    gaps = []
    with SipPeer() as phone:
        os.kill(old, signal.SIGKILL)
        killed = time.monotonic()
        server.wait_log(r"worker .*restart in", since)
        romeo.send("juliet@capulet.test", "in between", ident="between")
        for number in range(20):
            sent = mercutio.send("romeo@montague.test", f"meanwhile {number}")
            gaps.append(romeo.wait_body(f"meanwhile {number}")[1] - sent)
        server.wait_attached(COMPONENT, since)
        print(f"attached again after {time.monotonic() - killed:.3f} s; longest chat delivery meanwhile {max(gaps) * 1000:.1f} ms")
        wait_for("a new worker", lambda: server.worker() not in (0, old))
        # The server answered for the missing gateway.
        error = romeo.wait_error("between")
        assert error["from"].bare == "juliet@capulet.test"
        romeo.send("juliet@capulet.test", "back again")
        assert phone.wait_request(lambda request: request.body == "back again")
    with SipPeer(port=5071) as phone:
        assert phone.ask(message(body="hello again", port=5071)).status == 202
    romeo.wait_body("hello again")
