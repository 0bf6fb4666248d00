"""One loop for a hostile peer: a UDP socket and a TCP listener on one port, answers that wait for their time."""
import heapq
import itertools
import select
import socket
import ssl
import struct
import time

from wire import Message

RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close() sends RST


class Stream:
    """A connection and what of a message has come over it."""

    def __init__(self, connection: socket.socket):
        self.connection, self.text = connection, b""
        connection.setblocking(False)

    def read(self) -> list[Message] | None:
        """None: it has ended."""
        try:
            octets = self.connection.recv(65536)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return []
        except OSError:
            return None
        if not octets:
            return None
        self.text = (self.text + octets).lstrip(b"\r\n")
        messages = []
        while b"\r\n\r\n" in self.text:
            head, _, rest = self.text.partition(b"\r\n\r\n")
            length = int(Message(head + b"\r\n\r\n").one("content-length") or 0)
            if len(rest) < length:
                break
            messages.append(Message(head + b"\r\n\r\n" + rest[:length]))
            self.text = rest[length:]
        return messages

    def send(self, octets: bytes) -> None:
        try:
            self.connection.sendall(octets)
        except OSError:
            pass

    def close(self, reset: bool = False) -> None:
        if reset and self.connection.fileno() >= 0:  # a turn of chance may close it twice
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.connection.close()


def connect(victim, tls: bool) -> Stream:
    plain = socket.create_connection(("127.0.0.1", victim.tls_port if tls else victim.port), timeout=5)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not tls:
        return Stream(plain)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return Stream(context.wrap_socket(plain))


def connection_messages(stream: Stream, matches, within: float = 3.0) -> Message | None:
    """The next message that matches; others are passed over. None: none came in time."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        for message in stream.read() or []:
            if matches(message):
                return message
        time.sleep(0.001)
    return None


class Peer:
    def __init__(self, victim: tuple[str, int]):
        self.victim = victim
        while True:
            self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            try:
                self.socket.bind(self.listener.getsockname())
                break
            except OSError:
                self.close()
        self.here = self.socket.getsockname()
        self.socket.setblocking(False)
        self.listener.setblocking(False)
        self.streams: list[Stream] = []
        self.waiting: list[tuple[float, int, bytes, Stream | None]] = []
        self.order = itertools.count()
        self.sent = self.received = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
        for stream in self.streams:
            stream.close()

    def close(self) -> None:
        self.listener.close()
        self.socket.close()

    def send(self, octets: bytes, stream: Stream | None = None, after: float = 0) -> None:
        if after:
            heapq.heappush(self.waiting, (time.monotonic() + after, next(self.order), octets, stream))
            return
        self.sent += 1
        if stream:
            return stream.send(octets)
        try:
            self.socket.sendto(octets[:65000], self.victim)
        except (ConnectionRefusedError, BlockingIOError):
            pass

    def serve(self, seconds: float) -> None:
        """Hears, and sends what is due, for that long."""
        end = time.monotonic() + seconds
        while True:
            now = time.monotonic()
            while self.waiting and self.waiting[0][0] <= now:
                _, _, octets, stream = heapq.heappop(self.waiting)
                self.send(octets, stream)
            if now >= end:
                return
            until = min(end, self.waiting[0][0]) if self.waiting else end
            readable, _, _ = select.select([self.socket, self.listener, *(one.connection for one in self.streams)], [], [], max(0, until - now))
            if self.socket in readable:
                self.read_datagrams()
            if self.listener in readable:
                self.streams.append(Stream(self.listener.accept()[0]))
            for stream in [one for one in self.streams if one.connection in readable]:
                messages = stream.read()
                for message in messages or []:
                    self.take(message, stream)
                if messages is None:
                    self.end(stream)

    def end(self, stream: Stream, reset: bool = False) -> None:
        stream.close(reset)
        if stream in self.streams:
            self.streams.remove(stream)

    def read_datagrams(self) -> None:
        for _ in range(64):
            try:
                octets = self.socket.recv(65536)
            except (BlockingIOError, ConnectionRefusedError):
                return
            self.take(Message(octets), None)

    def take(self, message: Message, stream: Stream | None) -> None:
        self.received += 1
        if message.status:
            self.response(message, stream)
        else:
            self.request(message, stream)

    def response(self, message: Message, stream: Stream | None) -> None:
        pass

    def request(self, message: Message, stream: Stream | None) -> None:
        pass
