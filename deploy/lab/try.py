"""Tries stox out: a private chat server with the gateway in it, an XMPP user, a phone, a message each way."""
import argparse
import json
import pathlib
import shutil
import sys
import tempfile
import time

from baresip import Baresip
from ejabberd import Ejabberd
from namespace import Namespace
from ports import free_port, host_addresses, usual_port
from processes import Failed, Interrupts, Program
from prosody import Prosody
from server import Setup
from xmpp_client import XmppClient

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVERS = {"prosody": Prosody, "ejabberd": Ejabberd}
USER, FRIEND, PHONE, GUEST = "romeo", "mercutio", "juliet", "nurse"
DOMAIN, GATEWAY, GUESTS = "montague.test", "capulet.test", "verona.test"


class Trial:
    """Everything that runs, in the order it is started; stop() ends it in the other."""

    def __init__(self, server: str, build: pathlib.Path):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="stox-try-"))
        self.running = []
        self.server = self.client = self.phone = None
        self.server_class = SERVERS[server]
        self.build = build

    def start(self) -> None:
        own = ["127.0.0.1", *host_addresses()]
        with Interrupts.hold():
            namespace = self.keep(Namespace(), "remove")
        self.sip_port, self.guest_port = free_port(namespace.here), free_port(*own)
        self.here, self.phone_address = namespace.here, namespace.there
        self.password, self.xmpp_port = "art-thou", free_port("127.0.0.1")
        self.guest_phone = f"127.0.0.1:{usual_port('127.0.0.1')}"
        # Phones that come and go at a visitor's will: whether one is there is tried with each message, not found out beforehand.
        gateways = {GATEWAY: {"peers": {"phone": {"kind": "phone", "match": {"source": [namespace.there]}, "next_hop": f"sip:{namespace.there}", "probe": False}}},
                    # For a phone of the visitor's on this machine.
                    GUESTS: {"peers": {"guest": {"kind": "phone", "match": {"source": own}, "next_hop": f"sip:{self.guest_phone}", "probe": False}}}}
        setup = Setup(folder=self.folder / "server", build=self.build, domain=DOMAIN,
                      accounts={USER: self.password, FRIEND: self.password},
                      components=gateways, port=self.xmpp_port, api_port=free_port("127.0.0.1"),
                      engine={"bind": [f"{transport}:{address}:{port}" for transport in ("udp", "tcp")
                                       for address, port in [(namespace.here, self.sip_port), *((address, self.guest_port) for address in own)]]})
        setup.folder.mkdir()
        self.folder.chmod(0o755)
        self.server = self.keep(self.server_class(setup), "stop")
        self.server.start()
        self.server.wait_attached(GATEWAY)
        self.server.wait_attached(GUESTS)
        self.client = self.keep(XmppClient(f"{USER}@{DOMAIN}/garden", self.password, "127.0.0.1", self.xmpp_port), "stop")
        self.phone = self.keep(Baresip(self.folder / "phone", f"{PHONE}@{GATEWAY}", namespace.there,
                                       f"{namespace.here}:{self.sip_port};transport=udp", f"{USER}@{DOMAIN}", prefix=namespace.prefix()), "stop")

    def keep(self, thing, ending: str):
        self.running.append((thing, ending))
        return thing

    def stop(self) -> None:
        for thing, ending in reversed(self.running):
            try:
                getattr(thing, ending)()
            except Exception as error:  # the rest must go all the same
                print(f"while cleaning up: {error}", file=sys.stderr)
        Program.stop_all()
        shutil.rmtree(self.folder, ignore_errors=True)

    def messages(self):
        """Sends one message each way; yields a line about each."""
        contact, user = f"{PHONE}@{GATEWAY}", f"{USER}@{DOMAIN}"
        text = "Art thou not Romeo?"
        sent = self.client.send(contact, text)
        _, arrived = self.phone.wait_message(text)
        yield self.line(user, f"sip:{contact}", text, arrived - sent, f"{self.server.name} → stox → {self.phone.name}")
        text = "Neither, fair saint, if either thee dislike."
        sent = self.phone.send(text)
        _, arrived = self.client.wait_body(text)
        yield self.line(f"sip:{contact}", user, text, arrived - sent, f"{self.phone.name} → stox → {self.server.name}")

    @staticmethod
    def line(sender: str, receiver: str, text: str, seconds: float, way: str) -> str:
        return f'{sender}  →  {receiver}   "{text}"   delivered in {seconds * 1000:.1f} ms   ({way})'

    def facts(self) -> dict:
        """What a program needs to join."""
        return {"server": self.server.name.lower(),
                "xmpp": {"host": "127.0.0.1", "port": self.xmpp_port, "domain": DOMAIN,
                         "accounts": [{"jid": f"{user}@{DOMAIN}", "password": self.password} for user in (USER, FRIEND)]},
                "component_domain": GUESTS,
                "sip": {"udp": f"127.0.0.1:{self.guest_port}", "tcp": f"127.0.0.1:{self.guest_port}", "tls": None},
                # Who speaks SIP to those addresses is this user, and hears at that one (UDP).
                "sip_user": {"aor": f"sip:{GUEST}@{GUESTS}", "listen": self.guest_phone},
                "phone": {"aor": f"sip:{PHONE}@{GATEWAY}", "address": f"{self.phone_address}:5060", "gateway": f"{self.here}:{self.sip_port}"},
                "pids": {"server": self.server.pid, "worker": self.server.worker()}, "log": str(self.server.log)}

    def invitation(self) -> str:
        return f"""
Join in, until Ctrl-C ends it:
  XMPP client   account {FRIEND}@{DOMAIN}, password {self.password}, server 127.0.0.1 port {self.xmpp_port} (no encryption: it is loopback)
                write to {GUEST}@{GUESTS}, or to {PHONE}@{GATEWAY}
  SIP phone     on this machine at {self.guest_phone} (UDP), address sip:{GUEST}@{GUESTS}, no registration,
                outbound proxy 127.0.0.1:{self.guest_port} or that port of an address of this machine (UDP or TCP); write to sip:{FRIEND}@{DOMAIN}
  logs          {self.server.log}
"""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="deploy/try", description=__doc__)
    parser.add_argument("--server", choices=SERVERS, default="prosody", help="the chat server that loads stox")
    parser.add_argument("--once", action="store_true", help="end by itself; exit status 0 when both messages were delivered")
    parser.add_argument("--json", action="store_true", help="print one line of JSON with everything a program needs to join")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release", help="build folder to take stox from")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    Interrupts.install()
    trial = None
    try:
        with Interrupts.hold():
            trial = Trial(options.server, options.build)
        trial.start()
        for line in trial.messages():
            print(line, file=sys.stderr if options.json else sys.stdout, flush=True)
        if options.json:
            print(json.dumps(trial.facts()), flush=True)
        if options.once:
            return 0
        if not options.json:
            print(trial.invitation(), flush=True)
        while trial.server.alive():
            time.sleep(1)
        raise Failed(f"{trial.server.name} ended:\n{trial.server.tail()}")
    except (Failed, OSError, TimeoutError) as failure:
        print(f"deploy/try: {failure}", file=sys.stderr)
        if trial and trial.server is not None:
            print(f"--- end of the server's log\n{trial.server.tail()}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130 if options.once else 0
    finally:
        Interrupts.ignore()  # cleaning up is not interrupted
        if trial:
            trial.stop()


if __name__ == "__main__":
    sys.exit(main())
