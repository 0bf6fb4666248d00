"""The product's worker as a process, with its module and its chat server played here: control lines and one component stream."""
import json
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import threading
import time

from victim import SETTLE_S, Died, Program, free_port
from wire import Message, new_id, request, udp_socket

DOMAIN, XMPP_DOMAIN = "capulet.test", "montague.test"
# Tables of sources (those of a whole run's floods are 22,500) and of repetitions, and pages that the allocator keeps for later, are some MiB; with
# a sanitizer's allocator and records it is 29 MiB then. Whole runs send 60,000 messages and more, the floods half a million: a few hundred octets
# that stay of each do not fit in.
LEAST_SLACK, SLACK_PART = 8 << 20, 4


class ChatServer:
    """Takes one component, answers its pings and says of everybody that he is not there."""

    def __init__(self, folder: pathlib.Path):
        self.path = folder / "component"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen()
        self.stanzas = 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        """One after another: the next is of the worker that comes after one that was killed."""
        while True:
            try:
                stream, _ = self.listener.accept()
            except OSError:
                return
            with stream:
                self.serve(stream)

    def serve(self, stream: socket.socket) -> None:
        try:
            self.read_until(stream, b">", 2)  # XML declaration and stream header, or the header alone
            stream.sendall(f"<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' "
                           f"id='s1' from='{DOMAIN}'>".encode())
            self.read_until(stream, b"</handshake>", 1)
            stream.sendall(b"<handshake/>")
            rest = b""
            while octets := stream.recv(65536):
                rest = self.answer(stream, rest + octets)
        except OSError:
            pass

    @staticmethod
    def read_until(stream: socket.socket, end: bytes, times: int) -> None:
        text = b""
        while text.count(end) < times and not (b"stream:stream" in text and text.endswith(b">")):
            text += stream.recv(65536)

    def answer(self, stream: socket.socket, text: bytes) -> bytes:
        for iq in re.finditer(rb"<iq [^>]*type='get'[^>]*>|<iq [^>]*type=\"get\"[^>]*>", text):
            of = {name: re.search(rb" " + name + rb"=['\"]([^'\"]*)", iq[0])[1] for name in (b"from", b"to", b"id")}
            stream.sendall(b"<iq type='result' from='%s' to='%s' id='%s'/>" % (of[b"to"], of[b"from"], of[b"id"]))
        self.stanzas += len(re.findall(rb"<(?:message|presence|iq)\b", text))
        return text[text.rfind(b"<"):]

    def close(self) -> None:
        self.listener.close()


class Worker(Program):
    """
    peers  addresses without rate or ban; all others are strangers
    after  one that is dead, whose port, state and chat server this one takes over
    """

    def __init__(self, program: pathlib.Path, peers: list[str], after: "Worker | None" = None):
        self.folder = after.folder if after else tempfile.TemporaryDirectory(prefix="stox-worker-")
        self.chat = after.chat if after else ChatServer(pathlib.Path(self.folder.name))
        self.port = after.port if after else free_port()
        self.address = ("127.0.0.1", self.port)
        options = ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=4"]))
        self.process = subprocess.Popen([str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "ASAN_OPTIONS": options})
        self.lines: list[dict] = []
        self.news = threading.Condition()
        threading.Thread(target=self.read, daemon=True).start()
        self.tell({"stox": 1, "version": "test", "features": []})
        self.tell({"t": "engine-set", "config": {"bind": [f"udp:127.0.0.1:{self.port}", f"tcp:127.0.0.1:{self.port}"], "state_dir": f"{self.folder.name}/state"}})
        self.wait(lambda line: line.get("t") == "listening")
        config = {"peers": {"phones": {"match": {"source": peers}, "next_hop": "sip:127.0.0.1:9", "probe": False}}, "sip_domain": "127.0.0.1"}
        self.tell({"t": "domain-set", "domain": DOMAIN, "xmpp_domains": [XMPP_DOMAIN], "xmpp": {"unix": str(self.chat.path), "secret": "s"}, "config": config})
        self.wait(lambda line: line.get("t") in ("up", "config-error"))
        self.probe = udp_socket(peers[0].partition("/")[0])
        self.probe.settimeout(0.5)

    def tidy(self) -> None:
        self.chat.close()
        self.folder.cleanup()

    def read(self) -> None:
        for line in self.process.stdout:
            with self.news:
                self.lines.append(json.loads(line))
                del self.lines[:-1000]
                self.news.notify_all()
        with self.news:
            self.news.notify_all()

    def tell(self, line: dict) -> None:
        self.say(json.dumps(line))

    def wait(self, matches, within: float = 60) -> dict:
        found = lambda: next((line for line in self.lines if matches(line)), None)  # noqa: E731
        with self.news:
            assert self.news.wait_for(found, within), f"the worker said nothing of it; last: {self.lines[-3:]}"
            return found()

    def status(self) -> dict:
        identity = new_id()
        self.tell({"t": "status", "id": identity})
        return self.wait(lambda line: line.get("t") == "status" and line.get("id") == identity)

    def queued(self) -> int:
        """Octets that wait in the kernel for its UDP socket."""
        for line in pathlib.Path("/proc/net/udp").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[1].endswith(f":{self.port:04X}"):
                return int(fields[4].partition(":")[2], 16)
        raise Died("no UDP socket of it")

    def let_go(self, resident: int) -> None:
        """Within 64*T1 or little more its memory is what it was, but for what stays."""
        end = time.monotonic() + SETTLE_S
        while (now := self.resident()) > resident + max(LEAST_SLACK, resident // SLACK_PART):
            assert time.monotonic() < end, f"resident {resident >> 20} MiB before, {now >> 20} MiB {SETTLE_S} s afterwards"
            time.sleep(0.5)
        print(f"\n   resident {resident >> 20} -> {now >> 20} MiB")

    def resident(self) -> int:
        return int(pathlib.Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def options(self) -> float | None:
        return self.ask("OPTIONS", f"sip:{DOMAIN}")

    def message(self) -> float | None:
        """To an XMPP user: through the engine, the store and the stream."""
        return self.ask("MESSAGE", f"sip:romeo@{XMPP_DOMAIN}", "hello")

    def ask(self, method: str, uri: str, body: str = "") -> float | None:
        """Seconds until a peer's request is answered with 200 or 202, sent again each 0.5 s; None: not within 10 s."""
        identity = new_id()
        octets = request(method, uri, self.probe.getsockname(), from_=f"<sip:juliet@{DOMAIN}>;tag={identity}", call_id=identity, body=body,
                         content_type="text/plain")
        began = time.monotonic()
        while time.monotonic() - began < 10:
            self.probe.sendto(octets, self.address)
            try:
                while (received := Message(self.probe.recv(65536))).one("call-id") != identity:
                    pass
            except (TimeoutError, ConnectionRefusedError):
                continue
            assert received.status in (200, 202), received.first
            return time.monotonic() - began
        return None

    def check_alive(self, within: float = 2.0) -> None:
        if self.process.poll() is not None:
            raise Died(f"exit status {self.process.returncode}")
        took = self.options()
        assert took is not None and took <= within, f"OPTIONS answered after {took} s"
