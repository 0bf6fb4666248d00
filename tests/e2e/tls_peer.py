"""A SIP peer that connects over TLS, a few lines of its own, for what no phone can be told to do."""
import hashlib
import pathlib
import socket
import ssl

from lane import PEER
from sip_peer import Message


class TlsPeer:
    """One connection to the gateway; `name` goes out as SNI and must be in the certificate."""

    def __init__(self, address: str, port: int, name: str, root: pathlib.Path, identity: tuple[pathlib.Path, pathlib.Path] | None = None, source: str = PEER):
        context = ssl.create_default_context(cafile=root)
        if identity:
            context.load_cert_chain(*identity)
        plain = socket.create_connection((address, port), timeout=20, source_address=(source, 0))
        self.socket = context.wrap_socket(plain, server_hostname=name)
        self.pending = b""

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
