"""The ledger of contract 1: kill -9 of the worker and of the server at random times, and no accepted message is lost."""
import pathlib
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "ledger"))

from conftest import COMPONENT, DOMAIN, PASSWORD, make_server, stop_server  # noqa: E402
from lane import GATEWAY, PEER  # noqa: E402
from play import Play  # noqa: E402

PORT = 5094


def play(workspace, capsys, messages: int, worker_kills: int, server_kills: int) -> None:
    folder = workspace / "ledger"
    state_dir = folder / "state"
    peers = {"phones": {"match": {"source": [PEER]}, "next_hop": f"sip:{PEER}:{PORT}", "probe": False}}
    server = make_server(folder, port=5325, api_port=15285, components={COMPONENT: {"peers": peers}},
                         engine={"bind": [f"udp:{GATEWAY}:{PORT}"], "log_level": "debug", "state_dir": str(state_dir)})
    names = list(server.setup.accounts)
    seed = int(time.time())
    ledger = Play(server, COMPONENT, state_dir, PEER, PORT, GATEWAY, names, DOMAIN, PASSWORD, seed)
    try:
        ledger.run(messages, worker_kills, server_kills)
    finally:
        ledger.stop()
        stop_server(server)
    verdict = ledger.verdict()
    with capsys.disabled():
        print(f"\nledger of {messages} messages each way, seed {seed}\n{verdict.table()}")
    assert not verdict.faults, "\n".join([f"{len(verdict.faults)} faults", *verdict.faults[:40], verdict.table()])


@pytest.mark.gate(300)
def test_ledger_IM_29_CORE_77(workspace, capsys):
    play(workspace, capsys, 1_000, 3, 1)


@pytest.mark.full(2_400)
def test_whole_ledger(workspace, capsys):
    play(workspace, capsys, 10_000, 50, 20)
