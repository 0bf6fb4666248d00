"""Kills the worker or the server, and looks into the store as the kill left it."""
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import tempfile
import time

from entries import Kill, number_of
from processes import state, thread_states, wait_for

STOPPING_S = 30


def stand_still(worker: int) -> None:
    """All its threads: one that waits for the disk stops later than the first, and may be carrying the log over into the database."""
    os.kill(worker, signal.SIGSTOP)
    wait_for("the worker to stand still", lambda: all(thread in "TZX" for thread in thread_states(worker)))


def kill_worker(worker: int, state_dir: pathlib.Path) -> Kill:
    """Stopped first, so that what is copied is what the kill leaves."""
    stand_still(worker)
    kill = Kill("worker", time.monotonic())
    look_into_store(state_dir, kill)
    os.kill(worker, signal.SIGKILL)
    wait_for("the end of the worker", lambda: state(worker) in "ZX")
    return kill


def kill_server(server, state_dir: pathlib.Path) -> Kill:
    """The worker sees its end and stops; what it leaves in the store is what the next one must deliver."""
    worker = server.worker()
    kill = Kill("server", time.monotonic())
    server.program.kill()
    if worker:
        wait_for("the end of the killed server's worker", lambda: state(worker) in "ZX", STOPPING_S)
    look_into_store(state_dir, kill)
    return kill


def kill_server_of_service(server, worker: int, state_dir: pathlib.Path) -> Kill:
    """The worker lives on; it stands still while one looks at what it has to deliver when the server is back."""
    stand_still(worker)
    kill = Kill("server", time.monotonic())
    server.program.kill()
    look_into_store(state_dir, kill)
    os.kill(worker, signal.SIGCONT)
    return kill


def look_into_store(state_dir: pathlib.Path, kill: Kill) -> None:
    for collection, text in undelivered(state_dir) or []:
        if collection.startswith("inbox/"):
            kill.inbox.add(number_of("s2x", text))
        if collection.startswith("outbox/"):
            kill.outbox.add(number_of("x2s", text.replace("x2s-", "x2s ")))


def undelivered(state_dir: pathlib.Path) -> list[tuple[str, str]] | None:
    """Rows of messages that the next start would deliver. None: the store was written to while it was copied."""
    with tempfile.TemporaryDirectory(prefix="stox-ledger-") as folder:
        for name in ("store.db", "store.db-wal"):
            if (state_dir / name).exists():
                shutil.copy(state_dir / name, folder)
        if not (pathlib.Path(folder) / "store.db").exists():
            return []
        store = sqlite3.connect(f"{folder}/store.db")
        try:
            rows = [(bytes(collection).decode(), bytes(value).decode()) for collection, value in
                    store.execute("SELECT collection, value FROM record")]
        except sqlite3.DatabaseError:
            return None
        finally:
            store.close()
    messages = [row for row in rows if row[0].startswith(("inbox/", "outbox/"))]
    # What the server has is there for copies of its request only.
    return [row for row in messages if not json.loads(row[1]).get("delivered")]
