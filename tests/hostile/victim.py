"""stox_sip_ua as a process: told what to do, asked what it holds, watched that it lives and lets go."""
import json
import os
import pathlib
import resource
import select
import socket
import subprocess
import time

from wire import Message, new_id, request, udp_socket

# What is 0 again when all that was begun is over.
HELD = ("dialogs", "usages", "requests", "clients", "unanswered", "acceptable", "calls_held", "plans", "ways")
# 64*T1 for the last request, as much for what its end begins, and the longest that the softphone itself waits.
SETTLE_S = 100
# Tables, buffers, the library's free lists and the quarantine stay; what grows with the number of messages does not fit in.
QUARANTINE_MB = 4
HEAP_SLACK = (QUARANTINE_MB + 4) << 20


class Died(AssertionError):
    pass


class Program:
    """`process` reads lines and ends with its standard input; `probe` is the socket of one who asks whether it lives."""

    process: subprocess.Popen
    probe: socket.socket

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        """Ends it; what a sanitizer finds at the very end is found by its exit status."""
        self.probe.close()
        if self.process.poll() is None:
            self.process.stdin.close()
        try:
            status = self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = "no end within 60 s"
        self.tidy()
        if kind is None and status != 0:
            raise Died(f"it ended with {status}")

    def tidy(self) -> None:
        """After its end."""

    def say(self, line: str) -> None:
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except OSError as problem:
            raise Died(f"gone: {self.process.poll()}") from problem


class Victim(Program):
    def __init__(self, program: pathlib.Path, *, seed: int = 1, trusted: tuple[str, ...] = ("127.0.0.0/8",), tls: pathlib.Path | None = None,
                 descriptors: int = 0, told_nothing: bool = False):
        self.port, self.tls_port = free_port(), free_port()
        self.address = ("127.0.0.1", self.port)
        checked = ["valgrind", "--quiet", "--error-exitcode=9"] if os.environ.get("STOX_VALGRIND") else []
        words = [*checked, program, self.port, "--seed", seed, *(word for prefix in trusted for word in ("--trust", prefix))]
        if tls:
            words += ["--tls", self.tls_port, tls]
        if told_nothing:
            words.append("--told-nothing")
        limit = (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))) if descriptors else None
        # What is freed counts as held while it is in quarantine.
        options = ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), f"quarantine_size_mb={QUARANTINE_MB}"]))
        self.process = subprocess.Popen([str(word) for word in words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        preexec_fn=limit, env={**os.environ, "ASAN_OPTIONS": options})
        if self.process.stdout.readline().strip() != "ready":
            raise Died(f"{program} did not start")
        self.probe = udp_socket()
        self.probe.settimeout(0.5)

    @property
    def uri(self) -> str:
        return f"sip:alice@127.0.0.1:{self.port}"

    def tell(self, *words) -> None:
        self.say(" ".join(map(str, words)))

    def counters(self) -> dict[str, int]:
        self.tell("counters")
        readable, _, _ = select.select([self.process.stdout], [], [], 60)
        line = self.process.stdout.readline() if readable else ""
        if not line:
            raise Died(f"no counters: exit status {self.process.poll()}")
        return json.loads(line)

    def options(self) -> float | None:
        """Seconds until an OPTIONS is answered, which is sent again each 0.5 s; None: not within 10 s."""
        identity = new_id()
        octets = request("OPTIONS", f"sip:probe@127.0.0.1:{self.port}", self.probe.getsockname(), call_id=identity)
        began = time.monotonic()
        while time.monotonic() - began < 10:
            self.probe.sendto(octets, self.address)
            again = time.monotonic() + 0.5
            while time.monotonic() < again:
                try:
                    received = Message(self.probe.recv(65536))
                except (TimeoutError, ConnectionRefusedError):
                    break
                if received.status and received.one("call-id") == identity:
                    return time.monotonic() - began
        return None

    def check_alive(self, within: float = 1.0) -> None:
        """The same process as ever, and it answers. Once more if the machine was busy."""
        if self.process.poll() is not None:
            raise Died(f"exit status {self.process.returncode}")
        took = self.options()
        if took is None or took > within:
            took = self.options()
        assert took is not None and took <= within, f"OPTIONS answered after {took} s"

    def settle(self, heap: int | None = None, within: float = SETTLE_S) -> dict[str, int]:
        """Waits until nothing is held and, if given, the heap is what it was; fails with what is left."""
        end = time.monotonic() + within
        self.tell("hang_up")
        while True:
            now = self.counters()
            left = {name: now[name] for name in HELD if now[name]}
            if heap is not None and now["heap"] > heap + HEAP_SLACK:
                left["heap"] = now["heap"] - heap
            if not left:
                return now
            assert time.monotonic() < end, f"still held {within} s later: {left}"
            time.sleep(0.5)

    def let_go(self, heap: int) -> None:
        """All that was begun ends, within 64*T1 or little more, and nothing of it stays."""
        counters = self.settle(heap)
        self.check_alive()
        print(f"\n   let go: heap {heap >> 10} -> {counters['heap'] >> 10} KiB, peak {counters['peak'] >> 20} MiB, since the start {counters}")


def free_port() -> int:
    """That neither UDP nor TCP uses at the moment."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            try:
                udp.bind(("127.0.0.1", tcp.getsockname()[1]))
            except OSError:
                continue
            return tcp.getsockname()[1]
