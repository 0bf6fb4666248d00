"""SIP peers over TLS, a few lines of their own, for what no phone can be told to do: one connects, one listens."""
import hashlib
import pathlib
import socket
import ssl
import threading

from lane import PEER
from sip_peer import Message, answer


class TlsPeer:
    """One connection to the gateway; `name` goes out as SNI and must be in the certificate."""

    def __init__(self, address: str, port: int, name: str, root: pathlib.Path, identity: tuple[pathlib.Path, pathlib.Path] | None = None, source: str = PEER):
        context = ssl.create_default_context(cafile=root)
        if identity:
            context.load_cert_chain(*identity)
        plain = socket.create_connection((address, port), timeout=20, source_address=(source, 0))
        self.socket = context.wrap_socket(plain, server_hostname=name)
        self.pending = b""

    @classmethod
    def over(cls, connection: ssl.SSLSocket) -> "TlsPeer":
        """The same for a connection that is there."""
        made = cls.__new__(cls)
        made.socket, made.pending = connection, b""
        return made

    @property
    def fingerprint(self) -> str:
        """Of the certificate that the gateway showed."""
        return hashlib.sha256(self.socket.getpeercert(binary_form=True)).hexdigest()

    def ask(self, octets: bytes) -> Message:
        """Sends a request and reads responses up to the final one."""
        self.socket.sendall(octets.replace(b"SIP/2.0/UDP", b"SIP/2.0/TLS"))
        while True:
            response = self.read()
            if response.status >= 200:
                return response

    def read(self) -> Message:
        while b"\r\n\r\n" not in self.pending:
            self.more()
        head, _, self.pending = self.pending.partition(b"\r\n\r\n")
        length = int(Message(head + b"\r\n\r\n").headers.get("content-length", "0"))
        while len(self.pending) < length:
            self.more()
        body, self.pending = self.pending[:length], self.pending[length:]
        return Message(head + b"\r\n\r\n" + body)

    def more(self) -> None:
        octets = self.socket.recv(65536)
        if not octets:
            raise ConnectionError("the gateway closed the connection")
        self.pending += octets

    def close(self) -> None:
        self.socket.close()


class TlsListener:
    """Answers every request with 200; `requests` are those that came, `names` what was asked for by SNI, once for each handshake."""

    def __init__(self, port: int, identity: tuple[pathlib.Path, pathlib.Path], address: str = PEER):
        self.requests: list[Message] = []
        self.names: list[str] = []
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*identity)
        self.context.sni_callback = lambda _socket, name, _context: self.names.append(name)
        self.listener = socket.create_server((address, port))
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def accept(self) -> None:
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(plain,), daemon=True).start()

    def serve(self, plain: socket.socket) -> None:
        try:
            with self.context.wrap_socket(plain, server_side=True) as connection:
                reader = TlsPeer.over(connection)
                while True:
                    request = reader.read()
                    self.requests.append(request)
                    connection.sendall(answer(request, 200, "OK"))
        except OSError:
            pass  # refused by the other end, or over
