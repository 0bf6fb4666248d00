"""Administration by ad-hoc commands and by chat: whom the server knows as an administrator, and nobody else."""
import pytest

from adhoc import execute, fill_in, listed
from conftest import COMPONENT, DOMAIN
from lane import STRANGER
from sip_peer import SipPeer, message

pytestmark = pytest.mark.gate(60)
DOMAIN_COMMANDS = {"overview", "peers", "errors", "limits", "user-limit", "drain", "trace", "traces"}
WORKER_COMMANDS = {"domains", "bans", "ban", "unban", "log-level", "reload", "stop"}


def test_who_sees_and_runs_what(server, romeo, mercutio):
    assert set(listed(romeo, COMPONENT)) == DOMAIN_COMMANDS | WORKER_COMMANDS
    assert listed(mercutio, COMPONENT) == []
    for word in sorted(DOMAIN_COMMANDS | WORKER_COMMANDS):
        since = server.log_size()
        assert execute(mercutio, COMPONENT, word).error == "forbidden"
        server.wait_log(rf"audit command={word} who=mercutio@{DOMAIN}/\S+ via=xmpp result=forbidden", since)


def test_overview_domains_and_peers(server, romeo):
    since = server.log_size()
    overview = execute(romeo, COMPONENT, "overview")
    assert overview.status == "completed" and overview.fields["pid"] == str(server.worker())
    assert overview.fields["version"] and "udp:10.77.0.2:5060" in overview.fields["listeners"]
    assert COMPONENT in overview.fields["domains"] and "up" in overview.fields["domains"]
    server.wait_log(rf"audit command=overview who=romeo@{DOMAIN}/\S+ via=xmpp result=done", since)
    domains = {row["domain"]: row for row in execute(romeo, COMPONENT, "domains").rows}
    assert domains[COMPONENT]["state"] == "up"
    before = int(domains[COMPONENT]["to_xmpp_total"]), int(domains[COMPONENT]["to_sip_total"])
    with SipPeer() as phone:
        assert phone.ask(message(f"romeo@{DOMAIN}", body="counted")).status == 202
        romeo.wait_body("counted")
        romeo.send(f"juliet@{COMPONENT}", "counted too")
        phone.wait_request(lambda request: request.body == "counted too")
    row = {row["domain"]: row for row in execute(romeo, COMPONENT, "domains").rows}[COMPONENT]
    assert (int(row["to_xmpp_total"]), int(row["to_sip_total"])) == (before[0] + 1, before[1] + 1)
    peers = execute(romeo, COMPONENT, "peers").rows
    assert [(peer["peer"], peer["state"], peer["probed"]) for peer in peers] == [("phones", "unknown", "0")]


def test_words_in_a_chat(server, romeo, mercutio):
    romeo.send(COMPONENT, "status")
    assert COMPONENT in romeo.wait_message("the status", lambda stanza: stanza["from"] == COMPONENT and stanza["body"].startswith("Worker"))[0]["body"]
    romeo.send(COMPONENT, "Help")
    romeo.wait_message("the help", lambda stanza: stanza["from"] == COMPONENT and "stoxctl" in stanza["body"])
    mercutio.send(COMPONENT, "status")
    mercutio.wait_message("a polite text", lambda stanza: stanza["from"] == COMPONENT and stanza["body"].startswith("Hello."))
