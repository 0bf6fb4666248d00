"""A start that fails for where the component socket would stand is tried again, without anybody's doing."""
import os
import pathlib

import pytest

from conftest import COMPONENT, DOMAIN, PASSWORD, PEERS
from lane import GATEWAY
from prosody import Prosody
from server import Setup

pytestmark = [pytest.mark.full(120), pytest.mark.skipif(os.environ.get("STOX_SERVER") == "ejabberd", reason="ejabberd's module listens by itself")]


def test_a_start_that_failed_is_tried_again(workspace):
    folder = workspace / "again"
    private = folder / "data" / "stox"
    private.mkdir(parents=True)
    private.chmod(0o755)
    server = Prosody(Setup(folder=folder, build=pathlib.Path(os.environ["STOX_BUILD"]), domain=DOMAIN, accounts={"romeo": PASSWORD},
                           components={COMPONENT: {"peers": PEERS}}, port=5354, api_port=15314, engine={"bind": [f"udp:{GATEWAY}:5123"]}))
    try:
        server.start()
        server.wait_log("must be readable by its owner only.*; trying again")
        private.chmod(0o700)
        server.wait_attached(COMPONENT)
    finally:
        server.stop()
