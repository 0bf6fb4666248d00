"""A SIP peer that listens for TCP connections, a few lines of its own; and what listens and then is of no use."""
import socket
import threading

from lane import PEER
from processes import wait_for
from sip_peer import Message, answer


class StreamPeer:
    """Requests that come over any connection are kept in `requests` and answered 200."""

    def __init__(self, port: int, address: str = PEER):
        self.requests: list[Message] = []
        self.connections: list[socket.socket] = []
        self.socket = socket.create_server((address, port), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # A listener that is only closed does not wake its thread.
        for one in (self.socket, *self.connections):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()

    def accept(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        pending = b""
        while octets := self.octets(connection):
            pending += octets
            while b"\r\n\r\n" in pending:
                head = pending[:pending.index(b"\r\n\r\n") + 4]
                size = len(head) + int(Message(head).headers.get("content-length", "0"))
                if len(pending) < size:
                    break
                request, pending = Message(pending[:size]), pending[size:]
                self.requests.append(request)
                connection.sendall(answer(request, 200, "OK"))

    @staticmethod
    def octets(connection: socket.socket) -> bytes:
        try:
            return connection.recv(65536)
        except OSError:
            return b""

    def wait_request(self, matches) -> Message:
        return wait_for("a request over TCP", lambda: next((request for request in list(self.requests) if matches(request)), None))


class Hangup(StreamPeer):
    """Closes each connection when it has heard the first octets: before any TLS handshake is over, after a request has left."""

    def serve(self, connection: socket.socket) -> None:
        self.octets(connection)
        connection.close()


class Silent(StreamPeer):
    """Takes connections and says nothing."""

    def serve(self, connection: socket.socket) -> None:
        while self.octets(connection):
            pass
