"""kill -9 of the worker: chat goes on, the gateway is back, what could not be delivered is told."""
import itertools
import os
import signal
import time

import pytest

from conftest import COMPONENT
from processes import wait_for
from sip_peer import SipPeer, message

pytestmark = pytest.mark.gate(90)


def errors(client, prefix: str) -> list:
    return [stanza for stanza, _ in list(client.messages) if stanza["type"] == "error" and stanza["id"].startswith(prefix)]


def test_killed_and_back(server, romeo, mercutio):
    old, since = server.worker(), server.log_size()
    with SipPeer() as phone:
        os.kill(old, signal.SIGKILL)
        killed = time.monotonic()
        # What is written before the server has seen the stream break may be lost with it; from then on it answers itself. One now
        # and then: a server that was busy elsewhere takes a thousand at a stroke, and loses them.
        numbers = itertools.count()

        def error_for_another():
            number = next(numbers)
            romeo.send("juliet@capulet.test", f"in between {number}", ident=f"between-{number}")
            return errors(romeo, "between-")
        told = wait_for("the server's own error", error_for_another)[0]
        assert told["from"].bare == "juliet@capulet.test"

        gaps = []
        for number in range(20):
            sent = mercutio.send("romeo@montague.test", f"meanwhile {number}")
            gaps.append(romeo.wait_body(f"meanwhile {number}")[1] - sent)
        server.wait_attached(COMPONENT, since)
        print(f"attached again after {time.monotonic() - killed:.3f} s; longest chat delivery meanwhile {max(gaps) * 1000:.1f} ms")
        wait_for("a new worker", lambda: server.worker() not in (0, old))
        romeo.send("juliet@capulet.test", "back again")
        assert phone.wait_request(lambda request: request.body == "back again")
    with SipPeer(port=5071) as phone:
        assert phone.ask(message(body="hello again", port=5071)).status == 202
    romeo.wait_body("hello again")
