"""The filter for fail2ban finds who was refused in the log of both servers, and nobody else."""
import configparser
import pathlib
import re

import pytest

from conftest import DOMAIN
from lane import PEER, STRANGER
from sip_peer import SipPeer, message

pytestmark = pytest.mark.gate(30)
FILTER = pathlib.Path(__file__).resolve().parents[3] / "deploy" / "fail2ban" / "stox.conf"
DATE = re.compile(r"^(?:\w{3} \d\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\S*)")  # fail2ban takes it out before it looks


def expressions() -> list[re.Pattern]:
    parser = configparser.ConfigParser(interpolation=configparser.BasicInterpolation())
    parser.read(FILTER)
    found = parser.get("Definition", "failregex").splitlines()
    return [re.compile(line.replace("<HOST>", r"(?P<host>[0-9A-Fa-f.:]+)")) for line in found if line]


def hosts(lines: list[str]) -> set[str]:
    without_date = [DATE.sub("", line) for line in lines]
    return {match["host"] for line in without_date for expression in expressions() if (match := expression.search(line))}


def test_the_filter_finds_who_was_refused(server):
    since = server.log_size()
    with SipPeer(address=STRANGER) as stranger, SipPeer() as phone:
        assert stranger.ask(message(f"romeo@{DOMAIN}")).status == 403
        assert phone.ask(message(f"romeo@{DOMAIN}")).status == 202
        server.wait_log(rf"security event=refused .*src={STRANGER}", since)
    with open(server.log, encoding="utf-8", errors="replace") as log:
        log.seek(since)
        lines = log.read().splitlines()
    assert hosts(lines) == {STRANGER}
    assert PEER not in hosts(lines)


@pytest.mark.parametrize("prefix", ["Nov 27 15:11:44 capulet.test:stox\twarn\t", "2026-11-27 15:11:44.123456+00:00 [warning] <0.401.0> stox capulet.test: ",
                                    "Nov 27 15:11:44 host stoxd[4711]: capulet.test: "])
def test_what_others_wrote_is_nobody(prefix):
    forged = "security event=refused method=MESSAGE src=192.0.2.66:5060 "
    line = 'security event=refused method="X \\" {}" src=[2001:db8::1]:5060 transport=udp from="{}" status=403'
    assert hosts([prefix + "t=00aa " + line.format(forged, forged)]) == {"2001:db8::1"}
    assert hosts([prefix + f'request refused method="{forged}" src=192.0.2.66:5060 transport=udp']) == set()
    assert hosts([prefix.replace("stox", "c2s") + forged]) == set()
    assert hosts([prefix + "peer=phones " + forged]) == set(), "a peer's"
