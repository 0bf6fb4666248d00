#!/usr/bin/python3 -B
"""Tests deploy/try as a person and as a program use it, and that nothing of it stays behind.

Usage: tests/try_test.py --server prosody|ejabberd [--build DIR] [--junit FILE]      needs root
"""
import argparse
import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "deploy" / "lab"))

from processes import wait_for  # noqa: E402

OPTIONS = None
LIMIT = 120


MARK = "STOX_TRY_TEST"


def marked(word: str) -> set[str]:
    """Processes that inherited our mark, whoever started them."""
    found = set()
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            if word.encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.add(f"{folder.name} {(folder / 'comm').read_text().strip()}")
    return found


def places() -> set[str]:
    """Namespaces, interfaces and temporary folders as a trial makes them."""
    words = lambda *command: subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()  # noqa: E731
    names = [line.split(" ")[0].partition("@")[0] for line in (*words("ip", "netns"), *words("ip", "-br", "link"))]
    return {name for name in names if name.startswith("stox")} | {str(path) for path in pathlib.Path(tempfile.gettempdir()).glob("stox-try-*")}


def response(request: str) -> str:
    kept = [line for line in request.split("\r\n") if line.partition(":")[0] in ("Via", "From", "To", "Call-ID", "CSeq")]
    return "\r\n".join(["SIP/2.0 200 OK", *(line + ";tag=guest" if line.startswith("To") else line for line in kept), "Content-Length: 0", "", ""])


def message(sender: str, to: str, via: str, text: str) -> str:
    mark = uuid.uuid4().hex
    return (f"MESSAGE sip:{to} SIP/2.0\r\nVia: SIP/2.0/UDP {via};rport;branch=z9hG4bK{mark}\r\nMax-Forwards: 70\r\nFrom: <sip:{sender}>;tag={mark}\r\n"
            f"To: <sip:{to}>\r\nCall-ID: {mark}\r\nCSeq: 1 MESSAGE\r\nContent-Type: text/plain\r\nContent-Length: {len(text)}\r\n\r\n{text}")


class Try(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.before, self.mark = places(), f"{MARK}={uuid.uuid4().hex}"
        os.environ.update([self.mark.split("=")])

    def tearDown(self):
        del os.environ[MARK]
        self.assertEqual(marked(self.mark), set(), "a process of the trial is left")
        self.assertEqual(places() - self.before, set(), "something of the trial is left")

    def command(self, *words: str) -> list[str]:
        return [str(ROOT / "deploy" / "try"), "--server", OPTIONS.server, "--build", str(OPTIONS.build), *words]

    def test_once_delivers_both_ways(self):
        begin = time.monotonic()
        done = subprocess.run(self.command("--once"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT, check=False)
        print(done.stdout, f"{time.monotonic() - begin:.1f} s from start to end", sep="", flush=True)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertRegex(done.stdout, r'romeo@montague.test  →  sip:juliet@capulet.test   "[^"]+"   delivered in [0-9.]+ ms')
        self.assertRegex(done.stdout, r'sip:juliet@capulet.test  →  romeo@montague.test   "[^"]+"   delivered in [0-9.]+ ms')

    def test_json_says_how_to_join_and_sigterm_ends_it(self):
        with subprocess.Popen(self.command("--json"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as trial:
            facts = json.loads(trial.stdout.readline())
            self.join(facts)
            self.assertEqual(facts["server"], OPTIONS.server)
            self.assertEqual(set(facts["sip"]), {"udp", "tcp", "tls"})
            running = {int(line.split()[0]) for line in marked(self.mark)}
            self.assertLessEqual(set(facts["pids"].values()), running, "the mark does not reach the trial's processes")
            for pid in facts["pids"].values():
                self.assertTrue(pathlib.Path(f"/proc/{pid}").exists())
            trial.send_signal(signal.SIGTERM)
            self.assertEqual(trial.wait(LIMIT), 0, trial.stderr.read())

    def join(self, facts: dict) -> None:
        """A message each way between a program's own XMPP client and SIP socket, which know nothing but the line."""
        from xmpp_client import XmppClient
        account, user = facts["xmpp"]["accounts"][1], facts["sip_user"]["aor"].removeprefix("sip:")
        self.assertTrue(user.endswith("@" + facts["component_domain"]))
        client = XmppClient(account["jid"], account["password"], facts["xmpp"]["host"], facts["xmpp"]["port"])
        address = lambda text: (text.rpartition(":")[0], int(text.rpartition(":")[2]))  # noqa: E731
        with contextlib.ExitStack() as stack, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
            stack.callback(client.stop)
            phone.bind(address(facts["sip_user"]["listen"]))
            phone.settimeout(30)
            client.send(user, "from a program")
            request = phone.recv(65536).decode()
            self.assertTrue(request.endswith("from a program"))
            phone.sendto(response(request).encode(), address(facts["sip"]["udp"]))
            phone.sendto(message(user, account["jid"], facts["sip_user"]["listen"], "to a program").encode(), address(facts["sip"]["udp"]))
            self.assertTrue(phone.recv(65536).startswith(b"SIP/2.0 202"))
            client.wait_body("to a program")

    def test_a_signal_while_it_builds_ends_the_build(self):
        with tempfile.TemporaryDirectory() as tools:
            for name in ("cmake", "ninja"):
                (pathlib.Path(tools) / name).write_text("#!/bin/sh\nexec sleep 600\n")
                (pathlib.Path(tools) / name).chmod(0o755)
            with subprocess.Popen([ROOT / "deploy" / "try", "--once"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}) as trial:
                wait_for("the build", lambda: any(line.endswith(" sleep") for line in marked(self.mark)), alive=lambda: trial.poll() is None)
                trial.send_signal(signal.SIGTERM)
                output, _ = trial.communicate(timeout=LIMIT)
            self.assertEqual(trial.returncode, 143, output)

    def test_a_failure_is_told_in_a_sentence(self):
        with tempfile.TemporaryDirectory() as nothing:
            done = subprocess.run([ROOT / "deploy" / "try", "--once", "--build", nothing], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  text=True, timeout=LIMIT, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("stox.so; build it first", done.stdout)
        self.assertNotIn("Traceback", done.stdout)


def write_junit(file: pathlib.Path, result: unittest.TestResult, ran: list[str]) -> None:
    import xml.etree.ElementTree as xml
    failed = dict((case.id().rpartition(".")[2], text) for case, text in result.failures + result.errors if case)
    suite = xml.Element("testsuite", name=f"try_{OPTIONS.server}", tests=str(len(ran)), failures=str(len(failed)))
    for name in ran:
        case = xml.SubElement(suite, "testcase", classname=f"try_{OPTIONS.server}", name=name)
        if name in failed:
            xml.SubElement(case, "failure", message=failed[name][-2000:])
    file.parent.mkdir(parents=True, exist_ok=True)
    xml.ElementTree(suite).write(file, encoding="utf-8", xml_declaration=True)


def main() -> int:
    global OPTIONS
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", choices=["prosody", "ejabberd"], default="prosody")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--junit", type=pathlib.Path)
    OPTIONS = parser.parse_args()
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(Try)
    names = [case.id().rpartition(".")[2] for case in suite]
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    if OPTIONS.junit:
        write_junit(OPTIONS.junit, result, names)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
