#!/usr/bin/env python3
"""A worker that obeys: control lines on standard input, events on standard output. Attaches domains by XEP-0114."""
import hashlib
import json
import os
import re
import signal
import socket
import sys
import threading
import time

lock = threading.Lock()


def send(event):
    with lock:
        sys.stdout.write(json.dumps(event) + "\n")
        sys.stdout.flush()


def read_until(connection, pattern):
    text = ""
    while not re.search(pattern, text):
        octets = connection.recv(4096)
        if not octets:
            raise OSError("stream closed: " + text[-120:])
        text += octets.decode()
    return text


def attach(domain, xmpp, stop):
    while not stop.is_set():
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(xmpp["unix"])
                connection.sendall(("<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream="
                                    "'http://etherx.jabber.org/streams' to='%s'>" % domain).encode())
                header = read_until(connection, r"<stream:stream[^>]*>")
                stream = re.search(r"<stream:stream[^>]*\bid=['\"]([^'\"]+)", header).group(1)
                digest = hashlib.sha1((stream + xmpp["secret"]).encode()).hexdigest()
                connection.sendall(("<handshake>%s</handshake>" % digest).encode())
                read_until(connection, r"<handshake\s*/>")
                send({"t": "up", "domain": domain})
                connection.settimeout(0.1)
                while not stop.is_set():
                    try:
                        if not connection.recv(65536):
                            raise OSError("stream closed")
                    except socket.timeout:
                        pass
                connection.sendall(b"</stream:stream>")
        except OSError as error:
            if not stop.is_set():
                send({"t": "down", "domain": domain, "reason": str(error)})
                time.sleep(0.1)


def main():
    send({"stox": 1, "version": "0.1.0", "features": []})
    domains = {}
    stubborn = False
    for line in sys.stdin:
        command = json.loads(line)
        kind = command.get("t")
        if kind == "exit":
            os._exit(command["status"])
        elif kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif kind == "stderr":
            sys.stderr.write(command["text"] + "\n")
            sys.stderr.flush()
        elif kind == "big":
            send({"t": "big", "text": "x" * command["size"]})
        elif kind == "stubborn":
            stubborn = True
            send({"t": "stubborn"})
        elif kind == "descriptors":
            send({"t": "descriptors", "open": sorted(int(fd) for fd in os.listdir("/proc/self/fd"))})
        elif kind == "domain-set":
            domain = command["domain"]
            send({"t": "log", "level": "info", "domain": domain, "text": "set xmpp_domains=%s config=%s" % (
                ",".join(command["xmpp_domains"]), json.dumps(command["config"], sort_keys=True))})
            if domain in domains:
                continue
            domains[domain] = threading.Event()
            threading.Thread(target=attach, args=(domain, command["xmpp"], domains[domain]), daemon=True).start()
        elif kind == "domain-remove":
            if command["domain"] in domains:
                domains.pop(command["domain"]).set()
            send({"t": "removed", "domain": command["domain"]})
        elif kind == "engine-set":
            send({"t": "log", "level": "info", "text": "engine " + json.dumps(command["config"])})
        elif kind == "stop" and not stubborn:
            break
        elif kind is not None:
            send({"t": "echo", "of": command})
    while stubborn:
        time.sleep(1)
    for stop in domains.values():
        stop.set()
    time.sleep(0.2 if domains else 0)


main()
