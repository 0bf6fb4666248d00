"""Where the files of Prosody's module may be: its folder beside the rest of a build (as in all other scenarios), all in one folder, all in mod_stox/."""
import os
import pathlib

import pytest

from conftest import COMPONENT, DOMAIN, PASSWORD, make_server, stop_server
from lane import GATEWAY, PEER
from sip_peer import SipPeer
from xmpp_client import XmppClient

pytestmark = [pytest.mark.gate(60), pytest.mark.skipif(os.environ.get("STOX_SERVER") == "ejabberd", reason="Erlang has one layout")]
DIST, PORT = pathlib.Path(os.environ["STOX_BUILD"]) / "dist", 5121
PEERS = {"phones": {"match": {"source": [PEER]}, "next_hop": f"sip:{PEER}:{PORT}", "probe": False}}


@pytest.fixture(params=["", "mod_stox"], ids=["one folder", "the module's folder"])
def server(workspace, request):
    build = workspace / f"layout-{request.param}"
    folder = build / "dist" / request.param
    folder.mkdir(parents=True)
    for path in [*(DIST / "mod_stox").iterdir(), *(DIST / name for name in ("stox.so", "stoxd", "libstox_engine.so"))]:
        (folder / path.name).symlink_to(path)
    if request.param:
        (build / "dist" / "stox.so").write_text("")  # where the lab looks for a build; Prosody finds nothing in it
    running = make_server(workspace / f"layout-{request.param}-server", build=build, port=5352, api_port=15312, components={COMPONENT: {"peers": PEERS}},
                          engine={"bind": [f"udp:{GATEWAY}:{PORT}"], "log_level": "debug"})
    yield running
    stop_server(running)


def test_the_module_finds_its_parts_and_its_worker(server):
    client = XmppClient(f"romeo@{DOMAIN}/layout", PASSWORD, server.setup.address, server.setup.port)
    try:
        with SipPeer(port=PORT) as phone:
            client.send(f"juliet@{COMPONENT}", "wherever it is")
            assert phone.wait_request().body == "wherever it is"
    finally:
        client.stop()
    assert COMPONENT in server.ctl("domains").stdout
    assert "is held by the worker that runs" in server.ctl("doctor").stdout
