"""slixmpp with a synchronous face: one client, its loop on a thread of its own."""
import asyncio
import logging
import threading
import time

logging.getLogger("slixmpp").setLevel(logging.CRITICAL)  # before its import, which remarks on a missing accelerator

import slixmpp  # noqa: E402
from slixmpp.xmlstream.handler import Callback  # noqa: E402
from slixmpp.xmlstream.matcher import MatchXPath  # noqa: E402

from processes import Failed, wait_for


class _Client(slixmpp.ClientXMPP):
    def __init__(self, owner, jid, password):
        super().__init__(jid, password)
        self.owner = owner
        for plugin in ("xep_0030", "xep_0092", "xep_0199"):
            self.register_plugin(plugin)
        self.plugin["feature_mechanisms"].unencrypted_plain = True
        self.add_event_handler("session_start", self.on_start)
        self.add_event_handler("failed_all_auth", lambda _: owner.failed("the server refused the password"))
        # Its own event is for messages with a body alone.
        self.register_handler(Callback("every message", MatchXPath(f"{{{self.default_ns}}}message"), owner.on_message))
        self.register_handler(Callback("every presence", MatchXPath(f"{{{self.default_ns}}}presence"), owner.on_presence))

    def on_start(self, _event):
        self.send_presence()
        self.owner.ready.set()


class XmppClient:
    """One connected account. `messages` holds (stanza, monotonic time) of every message that came: errors, receipts and whatever else has no body too;
    `presences` the same of presence."""

    def __init__(self, jid: str, password: str, host: str, port: int):
        self.jid, self.password, self.address = jid, password, (host, port)
        self.messages: list[tuple[slixmpp.Message, float]] = []
        self.presences: list[tuple[slixmpp.Presence, float]] = []
        self.ready = threading.Event()
        self.failure = ""
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        wait_for(f"the login of {jid}", lambda: self.ready.is_set() or self.failure)
        if self.failure:
            raise Failed(f"{jid}: {self.failure}")

    def run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.client = _Client(self, self.jid, self.password)
        self.client.connect(self.address, disable_starttls=True, force_starttls=False)
        self.loop.run_forever()
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))

    def failed(self, why: str) -> None:
        self.failure = why

    def on_message(self, stanza) -> None:
        self.messages.append((stanza, time.monotonic()))

    def on_presence(self, stanza) -> None:
        self.presences.append((stanza, time.monotonic()))

    def on_loop(self, action):
        """Runs action(client) on the client's loop and returns its value."""
        async def call():
            result = action(self.client)
            return await result if asyncio.iscoroutine(result) or asyncio.isfuture(result) else result
        return asyncio.run_coroutine_threadsafe(call(), self.loop).result(60)

    def send(self, to: str, body: str = "", kind: str = "chat", ident: str | None = None, elements: list[str] = ()) -> float:
        """Sends a message, with or without a body and with these elements in it; returns when it left (monotonic)."""
        def action(client):
            message = client.make_message(mto=to, mbody=body or None, mtype=kind)
            if ident:
                message["id"] = ident
            for element in elements:
                message.append(slixmpp.xmlstream.ET.fromstring(element))
            message.send()
        when = time.monotonic()
        self.on_loop(action)
        return when

    def present(self, kind: str = "available", to: str | None = None, show: str = "", status: str = "") -> int:
        """Sends a presence; returns how many had come before."""
        before = len(self.presences)
        self.on_loop(lambda client: client.send_presence(pto=to, ptype=None if kind == "available" else kind, pshow=show or None, pstatus=status or None))
        return before

    def wait_presence(self, kind: str, sender: str, since: int = 0, show: str | None = None) -> slixmpp.Presence:
        """The first one after so many; kind: as in a stanza's type, or "available"."""
        def matches(stanza) -> bool:
            return (stanza.xml.get("type", "available") == kind and str(stanza["from"]) == sender and
                    (show is None or (stanza.xml.findtext(f"{{{stanza.namespace}}}show") or "") == show))
        return wait_for(f"{kind} {show or ''} of {sender} at {self.jid}",
                        lambda: next((stanza for stanza, _ in list(self.presences)[since:] if matches(stanza)), None))

    def iq(self, to: str, kind: str, payload: str):
        """The answer to an IQ whose payload is that XML; an error answer is returned, not raised."""
        async def ask(client):
            iq = client.make_iq(ito=to, itype=kind)
            iq.append(slixmpp.xmlstream.ET.fromstring(payload))
            try:
                return await iq.send(timeout=30)
            except slixmpp.exceptions.IqError as error:
                return error.iq
        return self.on_loop(ask)

    def wait_message(self, what: str, matches) -> tuple[slixmpp.Message, float]:
        """The first message, also of those already here, for which matches(stanza) holds."""
        return wait_for(what, lambda: next(((stanza, when) for stanza, when in list(self.messages) if matches(stanza)), None))

    def wait_body(self, body: str) -> tuple[slixmpp.Message, float]:
        return self.wait_message(f"the message {body!r} at {self.jid}", lambda stanza: stanza["type"] != "error" and stanza["body"] == body)

    def wait_error(self, ident: str) -> slixmpp.Message:
        return self.wait_message(f"an error for {ident}", lambda stanza: stanza["type"] == "error" and stanza["id"] == ident)[0]

    def stop(self) -> None:
        try:
            self.on_loop(lambda client: client.disconnect(wait=0.2))
        except Exception:  # a client that is gone already is stopped
            pass
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
