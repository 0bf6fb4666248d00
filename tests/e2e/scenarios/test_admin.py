"""Administration by ad-hoc commands and by chat: whom the server knows as an administrator, and nobody else."""
import pytest

from adhoc import OWN, execute, fill_in, listed
from conftest import COMPONENT, DOMAIN, PASSWORD
from lane import GATEWAY, STRANGER
from profanity import Profanity
from sip_peer import SipPeer, message

pytestmark = pytest.mark.gate(60)
DOMAIN_COMMANDS = {"overview", "peers", "errors", "limits", "user-limit", "drain", "trace", "traces", "subscriptions",
                   "cancel-subscription"}
WORKER_COMMANDS = {"domains", "counters", "bans", "ban", "unban", "log-level", "reload", "stop"}
OWN_COMMANDS = {OWN + "subscriptions", OWN + "cancel-subscription"}


def test_who_sees_and_runs_what(server, romeo, mercutio):
    assert set(listed(romeo, COMPONENT)) == DOMAIN_COMMANDS | WORKER_COMMANDS | OWN_COMMANDS
    assert set(listed(mercutio, COMPONENT)) == OWN_COMMANDS
    own = execute(mercutio, COMPONENT, "subscriptions", node=OWN)
    assert (own.status, own.rows) == ("completed", [])
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


def test_a_user_has_a_limit_of_their_own(server, romeo, mercutio):
    done = fill_in(romeo, COMPONENT, "user-limit", user=f"mercutio@{DOMAIN}", per_second="1")
    assert (done.status, done.notes[0][0]) == ("completed", "info")
    rows = execute(romeo, COMPONENT, "limits").rows
    assert [row["most"] for row in rows if row["of"] == f"mercutio@{DOMAIN}"] == ["1"]
    with SipPeer():
        for number in range(3):
            mercutio.send(f"juliet@{COMPONENT}", "too fast", ident=f"fast{number}")
        assert mercutio.wait_error("fast2")["error"]["condition"] == "resource-constraint"
    assert fill_in(romeo, COMPONENT, "user-limit", user=f"mercutio@{DOMAIN}", per_second="default").status == "completed"
    assert not [row for row in execute(romeo, COMPONENT, "limits").rows if row["of"] == f"mercutio@{DOMAIN}"]


def test_a_drained_domain_takes_nothing_new(server, romeo):
    assert fill_in(romeo, COMPONENT, "drain", state="on").status == "completed"
    try:
        with SipPeer() as phone:
            assert phone.ask(message(f"romeo@{DOMAIN}", body="not now")).status == 503
        romeo.send(f"juliet@{COMPONENT}", "not now", ident="drained")
        assert romeo.wait_error("drained")["error"]["condition"] == "resource-constraint"
        assert "draining" in execute(romeo, COMPONENT, "overview").fields["domains"]
    finally:
        assert fill_in(romeo, COMPONENT, "drain", state="off").status == "completed"
    with SipPeer() as phone:
        assert phone.ask(message(f"romeo@{DOMAIN}", body="now")).status == 202


def test_a_source_is_banned_and_heard_again(server, romeo):
    wrong = fill_in(romeo, COMPONENT, "ban", source="nowhere")
    assert (wrong.status, wrong.notes) == ("executing", [("error", "source is no IP address")])
    with SipPeer(address=STRANGER) as stranger:
        assert stranger.ask(message(f"romeo@{DOMAIN}")).status == 403
        assert fill_in(romeo, COMPONENT, "ban", source=STRANGER, minutes="5").status == "completed"
        assert [row["source"] for row in execute(romeo, COMPONENT, "bans").rows] == [STRANGER]
        overview = execute(romeo, COMPONENT, "overview")
        assert overview.fields["banned_sources"] == "1"
        assert fill_in(romeo, COMPONENT, "unban", source=STRANGER).notes[0][0] == "info"
        assert stranger.ask(message(f"romeo@{DOMAIN}")).status == 403, "refused again, so it was heard"
    assert execute(romeo, COMPONENT, "bans").rows == []
    assert fill_in(romeo, COMPONENT, "ban", source="10.77.0.1").notes[0][0] == "error", "a configured peer"


def test_a_trace_shows_what_it_names_and_nothing_else(server, romeo, mercutio):
    assert fill_in(romeo, COMPONENT, "log-level", level="info").status == "completed"
    try:
        assert fill_in(romeo, COMPONENT, "trace", match=f"mercutio@{DOMAIN}", minutes="1").status == "completed"
        since = server.log_size()
        with SipPeer() as phone:
            for client, text in ((romeo, "not traced"), (mercutio, "traced")):
                client.send(f"juliet@{COMPONENT}", text)
                phone.wait_request(lambda request, text=text: request.body == text)
            server.wait_log(r"traced t=\w+ peer=phones message direction=x2s state=delivered", since)
        with open(server.log, encoding="utf-8", errors="replace") as log:
            log.seek(since)
            traced = [line for line in log if "traced t=" in line]
        assert len({line.partition("traced t=")[2].split()[0] for line in traced}) == 1, traced
        assert any(f"from=mercutio@{DOMAIN}/" in line for line in traced)
        assert [row["match"] for row in execute(romeo, COMPONENT, "traces").rows] == [f"mercutio@{DOMAIN}"]
    finally:
        assert fill_in(romeo, COMPONENT, "log-level", level="debug").status == "completed"


def test_errors_and_reload(server, romeo):
    assert execute(romeo, COMPONENT, "errors").status == "completed"
    since = server.log_size()
    assert execute(romeo, COMPONENT, "reload").status == "completed"
    server.wait_log(r"[Rr]eloading configuration|Configuration reloaded", since)
    assert execute(romeo, COMPONENT, "overview").status == "completed"


def test_every_command_answers_its_administrator(server, romeo):
    """Those that end the worker have scenarios of their own; here each of the others is carried out."""
    arguments = {"user-limit": {"user": f"romeo@{DOMAIN}", "per_second": "default"}, "drain": {"state": "off"}, "ban": {"source": STRANGER, "minutes": "1"},
                 "unban": {"source": STRANGER}, "trace": {"match": "nobody@nowhere.test", "minutes": "1"}, "log-level": {"level": "debug"}, "subscriptions": {"user": "all"},
                 "cancel-subscription": {"user": f"romeo@{DOMAIN}", "contact": f"juliet@{COMPONENT}"}}
    for word in [word for word in listed(romeo, COMPONENT) if not word.startswith(OWN) and word not in ("reload", "stop")]:
        done = fill_in(romeo, COMPONENT, word, **arguments[word]) if word in arguments else execute(romeo, COMPONENT, word)
        assert done.status == "completed", (word, done)
        if word == "cancel-subscription":
            assert done.notes[0][0] == "error", "there is none"


def test_by_profanity(server, workspace):
    client = Profanity(workspace / "profanity-admin", f"romeo@{DOMAIN}", PASSWORD, server.setup.address, server.setup.port)
    try:
        client.wait_came("<feature", "http://jabber.org/protocol/commands")  # of its server, without which it does not try
        client.type(f"/cmd list {COMPONENT}")
        client.wait_shown("urn:stox:admin#overview")
        client.type(f"/cmd exec urn:stox:admin#overview {COMPONENT}")
        client.wait_came("urn:stox:admin#overview", "completed")
        client.wait_shown(f"udp:{GATEWAY}:5060")
        client.type(f"/cmd exec urn:stox:admin#log-level {COMPONENT}")
        client.wait_came("urn:stox:admin#log-level", "executing")
        client.wait_shown("Log level")
        since = server.log_size()
        client.type("/field1 debug")
        client.type("/form submit")
        client.wait_came("urn:stox:admin#log-level", "completed")
        server.wait_log(rf"audit command=log-level who=romeo@{DOMAIN}/\S+ via=xmpp result=done level=debug", since)
    finally:
        client.stop()
