"""Faults of a worker that are no kill: its loop stands still, all of it stands still, it needs too much memory."""
import ctypes
import os
import pathlib
import signal
import time

from entries import Kill
from kills import look_into_store
from processes import thread_states, wait_for

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
PTRACE_SEIZE, PTRACE_INTERRUPT, WAIT_ALL = 0x4206, 0x4207, 0x40000000
COMMITTED_S = 0.3  # the store's thread goes on, and has nothing left to do by then
PAUSE_S = 10.0


def hang(worker: int, state_dir: pathlib.Path) -> Kill:
    """Its loop's thread is held as a debugger holds one, so the others, the watchdog among them, go on. Returns when the process is gone."""
    kill = Kill("worker", time.monotonic())
    for request in (PTRACE_SEIZE, PTRACE_INTERRUPT):
        if LIBC.ptrace(request, worker, None, None) != 0:
            raise OSError(ctypes.get_errno(), "the worker's loop cannot be held")
    os.waitpid(worker, WAIT_ALL)  # it stands
    assert "t" in thread_states(worker)
    time.sleep(COMMITTED_S)
    look_into_store(state_dir, kill)
    # Its parent hears of its end when whoever holds it has.
    wait_for("the watchdog to end a worker that hangs", lambda: os.waitpid(worker, WAIT_ALL | os.WNOHANG)[0] == worker, 30)
    return kill


def pause(worker: int) -> None:
    """As a machine that sleeps: the watchdog as well."""
    os.kill(worker, signal.SIGSTOP)
    time.sleep(PAUSE_S)
    os.kill(worker, signal.SIGCONT)


def resident_mib(worker: int) -> int:
    fields = pathlib.Path(f"/proc/{worker}/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") >> 20
