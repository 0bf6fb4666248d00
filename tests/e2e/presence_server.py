"""Kamailio as a presence server, and a presentity that publishes to it."""
import os
import pathlib
import platform
import re
import shutil
import subprocess
import time

from lane import GATEWAY, PEER
from processes import Program, wait_for
from sip_peer import NUMBERS, Message, SipPeer, answer

TEMPLATE = pathlib.Path(__file__).resolve().parent / "kamailio" / "presence.cfg"
TABLES = pathlib.Path("/usr/share/kamailio/dbtext/kamailio")
RULES = """<?xml version="1.0"?><ruleset xmlns="urn:ietf:params:xml:ns:common-policy" xmlns:pr="urn:ietf:params:xml:ns:pres-rules">
<rule id="all"><conditions><identity><many/></identity></conditions><actions><pr:sub-handling>{what}</pr:sub-handling></actions>
<transformations/></rule></ruleset>"""


class PresenceServer:
    """Listens at PEER:5060. Who watches is pending until decide() says "allow" or "block". asks: "www" or "proxy", by which it wants to know
    who subscribes (401, 407): whoever has that password in its realm."""

    def __init__(self, folder: pathlib.Path, domain: str, max_expires: int = 3600, asks: str = "", password: str = "", realm: str = "presence.test"):
        (folder / "db").mkdir(parents=True, exist_ok=True)
        for table in ("version", "presentity", "active_watchers", "watchers", "xcap"):
            shutil.copy(TABLES / table, folder / "db" / table)
        text = TEMPLATE.read_text()
        words = {"address": PEER, "domain": domain, "folder": folder, "max_expires": max_expires, "asks": asks, "password": password, "realm": realm,
                 "modules": f"/usr/lib/{platform.machine()}-linux-gnu/kamailio/modules/"}
        for word, value in words.items():
            text = text.replace(f"$({word})", str(value))
        (folder / "kamailio.cfg").write_text(("#!define CHALLENGE\n" if asks else "") + text)
        self.folder, self.domain, self.rules, self.written = folder, domain, {}, int(time.time())
        self.program = Program(["kamailio", "-f", folder / "kamailio.cfg", "-DD", "-E", "-m", "64", "-M", "8", "-w", folder, "-Y", folder],
                               folder / "output.log", cwd=folder)
        wait_for("Kamailio's control socket", lambda: self.control("core.uptime") is not None, alive=self.program.alive)

    def control(self, *words: str) -> str | None:
        done = subprocess.run(["kamcmd", "-s", f"unix:{self.folder}/ctl", *words], capture_output=True, text=True, check=False)
        return done.stdout if done.returncode == 0 and not done.stderr else None

    def decide(self, user: str, what: str) -> None:
        """what: "allow", "block", "confirm" (pending) or "polite-block"; of everybody who watches that user."""
        self.rules[user] = RULES.format(what=what)
        head = (TABLES / "xcap").read_text().splitlines()[0]
        rows = [":".join([str(number), name, self.domain, escaped(rules), "2", "e", "0", f"/{name}", "0"])
                for number, (name, rules) in enumerate(self.rules.items(), 1)]
        table = self.folder / "db" / "xcap"
        table.write_text("\n".join([head, *rows]) + "\n")
        # It is read again when its time is later than before, in whole seconds.
        self.written = max(int(time.time()), self.written + 1)
        os.utime(table, (self.written, self.written))
        wait_for("Kamailio to read the rules", lambda: self.control("presence.refreshWatchers", f"sip:{user}@{self.domain}", "presence", "0") is not None)

    def log(self) -> str:
        return self.program.log.read_text(errors="replace")

    def subscribes(self) -> int:
        return self.log().count("SUBSCRIBE from")

    def stop(self) -> None:
        self.program.stop()


def escaped(text: str) -> str:
    """As db_text has it in a column."""
    return text.replace("\\", "\\\\").replace(":", "\\:").replace("\r", "\\r").replace("\n", "\\n")


def pidf(entity: str, *tuples: tuple[str, str, str], activity: str = "") -> str:
    """tuples: (id, "open" or "closed", note)"""
    inner = "".join(f"<tuple id='{name}'><status><basic>{basic}</basic></status>{f'<note>{note}</note>' if note else ''}</tuple>"
                    for name, basic, note in tuples)
    if activity:
        inner += (f"<dm:person xmlns:dm='urn:ietf:params:xml:ns:pidf:data-model' id='p'><rp:activities xmlns:rp='urn:ietf:params:xml:ns:pidf:rpid'>"
                  f"<rp:{activity}/></rp:activities></dm:person>")
    return f"<?xml version='1.0'?><presence xmlns='urn:ietf:params:xml:ns:pidf' entity='{entity}'>{inner}</presence>"


class Presentity:
    """A phone that publishes, to Kamailio unless told otherwise; each of them has one document of its own."""

    def __init__(self, user: str, domain: str, gateway: str = PEER, gateway_port: int = 5060):
        self.address, self.etag, self.gateway_port, self.published_anew = f"{user}@{domain}", "", gateway_port, 0
        self.peer = SipPeer(PEER, 0, policy=lambda request: answer(request, 200, "OK"), gateway=gateway)

    def publish(self, document: str, expires: int = 600) -> None:
        response = self.ask(document, expires)
        # Who does not know what it was told is told anew.   (RFC 3903 §5)
        if response.status == 412 and self.etag:
            self.etag, self.published_anew = "", self.published_anew + 1
            response = self.ask(document, expires)
        assert response.status == 200, response.text
        self.etag = re.search(r"(?i)^sip-etag:\s*(\S+)", response.text, re.MULTILINE)[1] if expires else ""

    def ask(self, document: str, expires: int) -> Message:
        number = f"{next(NUMBERS)}x{time.monotonic_ns():x}"
        match = f"SIP-If-Match: {self.etag}\r\n" if self.etag else ""
        content = "Content-Type: application/pidf+xml\r\n" if document else ""
        return self.peer.ask(
            (f"PUBLISH sip:{self.address} SIP/2.0\r\nVia: SIP/2.0/UDP {PEER}:{self.peer.port};rport;branch=z9hG4bK{number}\r\nMax-Forwards: 70\r\n"
             f"From: <sip:{self.address}>;tag=t{number}\r\nTo: <sip:{self.address}>\r\nCall-ID: {number}\r\nCSeq: 1 PUBLISH\r\nEvent: presence\r\n"
             f"Expires: {expires}\r\n{match}{content}Content-Length: {len(document.encode())}\r\n\r\n{document}").encode(), self.gateway_port)

    def stop(self) -> None:
        self.peer.__exit__()
