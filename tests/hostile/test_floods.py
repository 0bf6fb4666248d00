"""Much at once from strangers: floods of each method, connections that stall, no descriptors. A peer is served meanwhile, and afterwards all that
was taken for it is given back."""
import contextlib
import socket
import time

import pytest

from wire import SDP, Message, request, udp_socket

METHODS = ["INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "MESSAGE", "SUBSCRIBE", "NOTIFY", "REFER", "UPDATE", "PRACK", "INFO", "PUBLISH", "REGISTER", "FOO"]
RATE = 2_000
PEER = "127.0.0.1/32"  # the only one that is no stranger: the probe's
EXTRA = {"SUBSCRIBE": [("Event", "presence"), ("Expires", "600")], "NOTIFY": [("Event", "presence"), ("Subscription-State", "active")],
         "REFER": [("Refer-To", "<sip:hold@127.0.0.1:9>")], "PRACK": [("RAck", "1 1 INVITE")], "PUBLISH": [("Event", "presence"), ("SIP-If-Match", "x")]}


def flood(victim, method: str, sources: list[str], seconds: float, ask=None, whom: str = "alice@127.0.0.1") -> tuple[int, list[float]]:
    """Datagrams sent, and how long each question of the peer took meanwhile, which `ask` asks every 0.5 s."""
    sent, waits = 0, []
    with contextlib.ExitStack() as kept:
        socks = [kept.enter_context(udp_socket(source)) for source in sources]
        body = SDP if method in ("INVITE", "UPDATE") else ""
        began = time.monotonic()
        asked = began
        while (now := time.monotonic()) < began + seconds:
            while sent < (now - began) * RATE:
                sock = socks[sent % len(socks)]
                here = sock.getsockname()
                headers = [("Contact", f"<sip:m@{here[0]}:{here[1]}>"), *EXTRA.get(method, [])]
                sock.sendto(request(method, f"sip:{whom}", here, headers=headers, body=body), victim.address)
                sent += 1
            if ask and now - asked > 0.5:
                waits.append(ask())
                asked = time.monotonic()
            time.sleep(0.002)
    return sent, waits


def test_flood_of_each_method(make_victim, scale):
    seconds = scale.of(0.6, 60)
    with make_victim(trusted=(PEER,)) as victim:
        heap = victim.counters()["heap"]
        for number, method in enumerate(METHODS):
            before = victim.counters()
            sent, waits = flood(victim, method, [f"127.0.1.{number + 1}"], seconds, victim.options)
            now = victim.counters()
            heard, dropped = now["datagrams"] - before["datagrams"] - len(waits), now["dropped_source_rate"] - before["dropped_source_rate"]
            print(f"\n   {method}: {sent} sent in {seconds} s, {heard} heard, {dropped} over the rate, "
                  f"OPTIONS of a peer after {max((wait or 99 for wait in waits), default=0) * 1000:.1f} ms at most, "
                  f"heap {now['heap'] >> 20} MiB, resident {now['resident'] >> 20} MiB", end="")
            assert None not in waits, f"a peer was not answered during the flood of {method}"
            assert sent >= RATE * seconds * 0.5
            if scale.whole:
                assert dropped > sent / 2  # 500 a second of 2,000 are heard
        victim.let_go(heap)


@pytest.mark.parametrize("method", ["INVITE", "MESSAGE"])
def test_flood_from_a_peer(make_victim, scale, method):
    """Without a rate it may use up the machine, but not more of it than the bounds on dialogs and the time of a transaction give."""
    with make_victim() as victim:
        heap = victim.counters()["heap"]
        sent, _ = flood(victim, method, ["127.0.0.9"], scale.of(1, 60))
        now = victim.counters()
        print(f"\n   {method}: {sent} sent, {now['datagrams']} heard, dialogs {now['dialogs']}, heap {now['heap'] >> 20} MiB, "
              f"resident {now['resident'] >> 20} MiB")
        assert now["dialogs"] <= 10_000
        assert now["heap"] < 2 << 30
        victim.let_go(heap)


def stall(victim, source: str, tls: bool) -> socket.socket:
    """Begins something and stops there."""
    made = socket.socket()
    made.bind((source, 0))
    made.connect(("127.0.0.1", victim.tls_port if tls else victim.port))
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"r" * 30
    made.sendall(hello if tls else b"INVITE sip:alice@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP x")
    made.setblocking(False)
    return made


def is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(4096) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def test_500_stalled_connections(make_victim):
    with make_victim(trusted=(PEER,)) as victim:
        before = victim.counters()
        # 20 from each of 25 addresses: none is over a number.
        began = time.monotonic()
        open_ = [stall(victim, f"127.0.2.{1 + number // 20}", tls=number % 2 == 1) for number in range(500)]
        waits = []
        while open_ and time.monotonic() < began + 30:
            open_ = [one for one in open_ if not is_closed(one)]
            waits.append(victim.options())
            time.sleep(0.2)
        took = time.monotonic() - began
        now = victim.counters()
        print(f"\n   the last of 500 was closed after {took:.1f} s; OPTIONS of a peer after {max(waits) * 1000:.1f} ms at most")
        assert not open_ and took < 15
        # Of the half that wants TLS, few may shake hands at once.
        assert now["connections"] + now["refused_handshakes"] == 500 and now["connections"] >= 250 and now["closed_deadline"] >= 250
        assert now["descriptors"] <= before["descriptors"]
        victim.let_go(before["heap"])


def test_500_connections_for_128_descriptors(make_victim):
    with make_victim(descriptors=128) as victim:
        for _ in range(3):  # everything is met once before
            assert answered_over_tcp(victim)
        before = victim.counters()
        connections = []
        for _ in range(500):
            try:
                connections.append(socket.create_connection(victim.address, timeout=5))
            except OSError:
                pass
        waits = []
        end = time.monotonic() + 5
        while time.monotonic() < end:
            waits.append(victim.options())
            time.sleep(0.1)
        for one in connections:
            one.setblocking(False)
        shed = sum(is_closed(one) for one in connections)
        print(f"\n   {len(connections)} connected, {shed} closed at once; {len(waits)} OPTIONS, at worst after {max(waits) * 1000:.1f} ms")
        assert None not in waits and shed >= 300
        for one in connections:
            one.close()
        end = time.monotonic() + 20
        while not answered_over_tcp(victim):
            assert time.monotonic() < end, "no connection is served again"
        while victim.counters()["descriptors"] > before["descriptors"]:
            assert time.monotonic() < end, "descriptors are kept"
            time.sleep(0.1)
        victim.let_go(before["heap"])


def answered_over_tcp(victim) -> bool:
    try:
        with socket.create_connection(victim.address, timeout=2) as sock:
            sock.sendall(request("OPTIONS", f"sip:probe@127.0.0.1:{victim.port}", sock.getsockname(), transport="TCP"))
            return Message(sock.recv(65536)).status == 200
    except OSError:
        return False
