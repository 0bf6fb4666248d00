// The whole worker in this process: control lines on one side, a chat server's component stream on another, SIP on a third.

#include "tests/host/worker_rig.h"
#include "tests/sip/certificates.h"
#include "tests/sip/tls_wire.h"

#include <sys/stat.h>

#include <chrono>
#include <fstream>

namespace {

using namespace stox::host::test;
using stox::test::TcpListener;

/// For a host that is no domain of ours.
std::string options_from_phone(unsigned port, const std::string& number, const std::string& headers) {
    return "OPTIONS sip:198.51.100.7 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:" + std::to_string(port) + ";branch=z9hG4bKoptions" +
           number + ";rport\r\nMax-Forwards: 70\r\nFrom: <sip:proxy@198.51.100.8>;tag=p" + number +
           "\r\nTo: <sip:198.51.100.7>\r\nCall-ID: options-" + number + "\r\nCSeq: 1 OPTIONS\r\n" + headers +
           "Content-Length: 0\r\n\r\n";
}

TEST_F(WorkerTest, CORE_03_AttachesWithTheSecretAndCarriesAMessageEachWay) {
    const auto sip_port = listen();
    Wire phone = udp_to(sip_port);
    set_domain(peer(local_port(phone)));
    Wire stream = attach(listener, "capulet.test");
    control->line_with("\"up\"");

    phone.send(message_from_phone(local_port(phone)));
    const auto stanza = stream.read_until("</message>");
    EXPECT_EQ(attribute(stanza, "from"), "juliet@capulet.test");
    EXPECT_EQ(attribute(stanza, "to"), "romeo@montague.test");
    EXPECT_NE(stanza.find("<body>hello</body>"), std::string::npos) << stanza;
    answer_ping(stream, stream.read_until("</iq>"));
    EXPECT_NE(phone.read_until("\r\n\r\n").find("SIP/2.0 202"), std::string::npos);

    stream.send("<message from='romeo@montague.test/orchard' to='juliet@capulet.test' id='m1'><body>soft</body></message>");
    const auto request = phone.read_until("soft");
    EXPECT_EQ(request.rfind("MESSAGE sip:juliet@capulet.test SIP/2.0\r\n", 0), 0u) << request;
    EXPECT_NE(request.find("From: <sip:romeo@montague.test>"), std::string::npos) << request;
}

TEST_F(WorkerTest, AStanzaOverALimitCostsNobodyElseAMessage) {
    Wire phone = udp_to(listen());
    set_domain(peer(local_port(phone)));
    Wire stream = attach(listener, "capulet.test");
    control->line_with("\"up\"");
    std::string deep;
    for (int i = 0; i < 70; ++i) deep = "<a>" + deep + "</a>";
    const auto to = [](const std::string& from, const std::string& id, const std::string& inside) {
        return "<message from='" + from + "' to='juliet@capulet.test' id='" + id + "'>" + inside + "</message>";
    };
    // In one write. What comes before it arrives, what comes behind it waits for the phone's answer, its author hears why.
    stream.send(to("mercutio@montague.test/a", "m1", "<body>innocent</body>") + to("romeo@montague.test/b", "m2", deep) +
                to("evil@elsewhere.test/c", "m3", deep) + to("mercutio@montague.test/a", "m4", "<body>innocent too</body>"));
    EXPECT_NE(phone.read_until("innocent").find("From: <sip:mercutio@montague.test>"), std::string::npos);
    const auto to_author = stream.read_until("</message>"), to_stranger = stream.read_until("</message>");
    EXPECT_EQ(attribute(to_author, "to"), "romeo@montague.test/b");
    EXPECT_EQ(attribute(to_author, "id"), "m2");
    EXPECT_NE(to_author.find("<policy-violation"), std::string::npos) << to_author;
    EXPECT_EQ(attribute(to_stranger, "to"), "evil@elsewhere.test/c");
    EXPECT_NE(to_stranger.find("<forbidden"), std::string::npos) << to_stranger;
    control->send(R"({"t":"status","id":"q1"})"
                  "\n");
    const auto status = control->line_with("\"q1\"");
    EXPECT_NE(status.find(R"("up":true)"), std::string::npos) << status;
    EXPECT_NE(status.find(R"("queued":1)"), std::string::npos) << status;
}

TEST_F(WorkerTest, ComesBackAfterTheServerClosedTheStream) {
    listen();
    set_domain(peer(5999));
    {
        Wire stream = attach(listener, "capulet.test");
        control->line_with("\"up\"");
    }
    control->line_with("\"down\"");
    Wire again = attach(listener, "capulet.test");
    control->line_with("\"up\"");
}

TEST_F(WorkerTest, CORE_03_AStreamThatEndsAtOnceAgainIsOpenedMoreAndMoreSlowly) {
    listen();
    set_domain(peer(5999));
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < 6; ++i) {
        Wire stream = attach(listener, "capulet.test");
        control->line_with("\"up\"");
        stream.send("<a></b>");
        control->line_with("\"down\"");
    }
    // Half of 0.1 + 0.2 + 0.4 + 0.8 + 1.6 s at least; from 0.1 s each time it would be 0.5 s at most.
    EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(1'550));
}

TEST_F(WorkerTest, CORE_03_ABrokenHeaderIsAnsweredToldOnceAndTheStreamOpenedAgain) {
    listen();
    set_domain(peer(5999));
    Wire stream = attach(listener, "capulet.test");
    control->line_with("\"up\"");
    // The answer to the ping is on its way when the fault is found: the stream error is written behind it.
    stream.send(
        "<iq type='get' from='romeo@montague.test/a' to='capulet.test' id='p1'><ping xmlns='urn:xmpp:ping'/></iq>"
        "<stream:stream id='s2'><message/><message/><message/>");
    const auto answer = stream.read_until("</stream:stream>");
    EXPECT_NE(answer.find("id='p1'"), std::string::npos) << answer;
    EXPECT_NE(answer.find("<not-well-formed xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"), std::string::npos)
        << answer;
    const auto line = control->line_with("\"down\"");
    EXPECT_NE(line.find("the stream header: unbound prefix"), std::string::npos) << line;
    Wire again = attach(listener, "capulet.test");
    const auto next = control->line_with("capulet.test");
    EXPECT_NE(next.find("\"up\""), std::string::npos) << next;
}

TEST_F(WorkerTest, ARefusedHandshakeIsToldWithTheServersReason) {
    listen();
    set_domain(peer(5999));
    Wire stream = listener.accept();
    stream.read_until("'>");
    stream.send(
        "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' "
        "id='s1'>");
    stream.read_until("</handshake>");
    stream.send("<stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>");
    const auto line = control->line_with("\"down\"");
    EXPECT_NE(line.find("not-authorized"), std::string::npos) << line;
    EXPECT_EQ(line.find("s3cr3t"), std::string::npos) << line;
}

TEST_F(WorkerTest, AnInvalidConfigurationLeavesTheOldOneInPlace) {
    listen();
    set_domain(peer(5999));
    Wire stream = attach(listener, "capulet.test");
    control->line_with("\"up\"");
    set_domain(R"({"peerz":{}})");
    const auto refused = control->line_with("config-error");
    EXPECT_NE(refused.find("peers"), std::string::npos) << refused;
    EXPECT_NE(refused.find(R"("kept":true)"), std::string::npos) << refused;
    control->send(R"({"t":"status","id":"q1"})"
                  "\n");
    const auto status = control->line_with("\"q1\"");
    EXPECT_NE(status.find(R"("up":true)"), std::string::npos) << status;
}

TEST_F(WorkerTest, ANextHopWithANameIsLocatedProbedAndShownInTheStatus) {
    Wire phone = udp_to(listen());
    set_domain(R"({"peers":{"phones":{"match":{"source":["127.0.0.1"]},"next_hop":"sip:localhost:)" +
               std::to_string(local_port(phone)) + R"(;transport=udp"}}})");
    const auto probe = phone.read_until("\r\n\r\n");
    EXPECT_EQ(probe.rfind("OPTIONS sip:localhost:", 0), 0u) << probe;
    const auto field = [&](const std::string& name) {
        std::smatch match;
        return std::regex_search(probe, match, std::regex("\n" + name + ": [^\r]*")) ? match.str().substr(1) + "\r\n"
                                                                                     : std::string();
    };
    phone.send("SIP/2.0 200 OK\r\n" + field("Via") + field("From") + field("To") + field("Call-ID") + field("CSeq") +
               "Content-Length: 0\r\n\r\n");
    const std::string up = R"("target":"udp:127.0.0.1:)" + std::to_string(local_port(phone)) + '"';
    for (std::string status; status.find(R"("state":"up")") == std::string::npos;) {  // the answer is on its way
        control->send(R"({"t":"status","id":"q1"})"
                      "\n");
        status = control->line_with("\"q1\"");
        EXPECT_NE(status.find(up), std::string::npos) << status;
    }
}

// RFC 3261 §11.2: an OPTIONS passes the checks of any request; a proxy's names a host that is none of ours.
TEST_F(WorkerTest, CORE_34_OptionsForAHostThatIsNobodysIsAnsweredUnlessItRequiresWhatWeDoNotKnow) {
    Wire phone = udp_to(listen());
    set_domain(peer(local_port(phone)));
    Wire stream = attach(listener, "capulet.test");
    control->line_with("\"up\"");
    phone.send(options_from_phone(local_port(phone), "1", ""));
    EXPECT_EQ(phone.read_until("\r\n\r\n").rfind("SIP/2.0 200", 0), 0u);
    phone.send(options_from_phone(local_port(phone), "2", "Require: 100rel\r\n"));
    const auto answer = phone.read_until("\r\n\r\n");
    EXPECT_EQ(answer.rfind("SIP/2.0 420", 0), 0u) << answer;
    EXPECT_NE(answer.find("Unsupported: 100rel"), std::string::npos) << answer;
}

std::string subscribe_from_phone(unsigned port, unsigned number, const std::string& target, const std::string& to) {
    const auto cseq = std::to_string(number), own = std::to_string(port);
    return "SUBSCRIBE " + target + " SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:" + own + ";branch=z9hG4bKwatch" + cseq +
           ";rport\r\nMax-Forwards: 70\r\nFrom: <sip:juliet@capulet.test>;tag=w1\r\nTo: " + to + "\r\nCall-ID: watch-1\r\nCSeq: " + cseq +
           " SUBSCRIBE\r\nContact: <sip:juliet@127.0.0.1:" + own +
           ">\r\nEvent: presence\r\nExpires: 600\r\nContent-Length: 0\r\n\r\n";
}

std::string part_of(const std::string& text, const std::string& pattern) {
    std::smatch match;
    return std::regex_search(text, match, std::regex(pattern)) ? match[1].str() : std::string();
}

/// Behind NOTIFYs that are repeated meanwhile.
std::string next_response(Wire& phone) {
    while (true)
        if (auto text = phone.read_until("\r\n\r\n"); text.rfind("SIP/2.0 ", 0) == 0) return text;
}

// The host of our Contact is that of the listener, which names no domain.
TEST_F(WorkerTest, CORE_45_ADialogGoesOnAtOurContactAndOneThatIsNotThereIsGone) {
    const auto sip_port = listen();
    Wire phone = udp_to(sip_port);
    set_domain(peer(local_port(phone)));
    Wire stream = attach(listener, "capulet.test");
    control->line_with("\"up\"");
    phone.send(subscribe_from_phone(local_port(phone), 1, "sip:romeo@montague.test", "<sip:romeo@montague.test>"));
    const auto answer = next_response(phone);
    ASSERT_EQ(answer.rfind("SIP/2.0 200", 0), 0u) << answer;
    const auto contact = part_of(answer, "\r\nContact: <([^>]*)>"), to = part_of(answer, "\r\nTo: ([^\r]*)");
    EXPECT_NE(contact.find("@127.0.0.1:" + std::to_string(sip_port) + ";transport=udp;gr"), std::string::npos) << contact;
    EXPECT_EQ(contact.find("romeo"), std::string::npos) << "no address of record";
    EXPECT_EQ(phone.read_until("\r\n\r\n").rfind("NOTIFY sip:juliet@127.0.0.1:", 0), 0u);
    phone.send(subscribe_from_phone(local_port(phone), 2, contact, to));
    const auto refreshed = next_response(phone);
    EXPECT_EQ(refreshed.rfind("SIP/2.0 200", 0), 0u) << refreshed;
    phone.send(subscribe_from_phone(local_port(phone), 3, "sip:another@127.0.0.1:" + std::to_string(sip_port), to));
    const auto unknown = next_response(phone);
    EXPECT_EQ(unknown.rfind("SIP/2.0 481", 0), 0u) << "of a worker before this one: " << unknown;
}

// A listener that cannot be bound is tried again, until it is there and not any longer.
TEST_F(WorkerTest, ATakenAddressIsBoundOnceItIsFree) {
    std::optional<Wire> taken = udp_to(9);
    const auto port = std::to_string(local_port(*taken));
    const std::string command = R"({"t":"engine-set","config":{"bind":["udp:127.0.0.1:)" + port + R"("]}})" + '\n';
    control->send(command);
    const auto why = control->line_with("cannot listen for SIP");
    EXPECT_NE(why.find("udp:127.0.0.1:" + port), std::string::npos) << why;
    control->send(command);  // an operator who tries a reload: one more attempt, not one more series of them
    control->line_with("cannot listen for SIP");
    EXPECT_FALSE(control->comes("cannot listen", std::chrono::milliseconds(2'500))) << "once for each reason";
    taken.reset();
    control->line_with("\"listening\"");
    // Another attempt would find the address taken, by ourselves.
    EXPECT_FALSE(control->comes("listen", std::chrono::milliseconds(2'500)));
}

TEST_F(WorkerTest, CORE_04_OneDomainsStreamEndsAloneAndAConflictIsNotHotLooped) {
    Wire phone = udp_to(listen());
    const auto port = local_port(phone);
    const auto config = [&](const std::string& name) {
        return R"({"peers":{")" + name + R"(":{"match":{"source":["127.0.0.1"]},"next_hop":"sip:127.0.0.1:)" +
               std::to_string(port) + R"(","probe":false}}})";
    };
    set_domain(config("phones"));
    Wire stream = attach(listener, "capulet.test");
    UnixListener elsewhere;
    control->send(R"({"t":"domain-set","domain":"verona.test","xmpp_domains":["mantua.test"],"xmpp":{"unix":)" +
                  quoted(elsewhere.path()) + R"(,"secret":"0ther"},"config":)" + config("guests") + "}\n");
    std::optional<Wire> other = attach(elsewhere, "verona.test");
    control->line_with("\"up\"");
    control->line_with("\"up\"");

    other->send("<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>");
    const auto ended = std::chrono::steady_clock::now();
    const auto down = control->line_with("\"down\"");
    EXPECT_NE(down.find("verona.test"), std::string::npos) << down;
    EXPECT_NE(down.find("conflict"), std::string::npos) << down;
    other.reset();

    stream.send("<message from='romeo@montague.test/orchard' to='juliet@capulet.test' id='m1'><body>soft</body></message>");
    phone.read_until("soft");
    phone.send(message_from_phone(port));
    stream.read_until("</message>");
    answer_ping(stream, stream.read_until("</iq>"));

    Wire again = attach(elsewhere, "verona.test");
    EXPECT_GE(std::chrono::steady_clock::now() - ended, std::chrono::seconds(5));
    EXPECT_NE(control->line_with("\"up\"").find("verona.test"), std::string::npos);
}

// The listener is for UDP alone, and the name has no SRV record that could tell a port.
TEST_F(WorkerTest, ANextHopOverAStreamNeedsNoListenerOfItsOwn) {
    const auto udp_port = std::to_string(listen());
    unsigned peers = 0;
    // A new peer is probed at once.
    const auto set_hop = [&](const std::string& uri) {
        set_domain(R"({"peers":{"proxy)" + std::to_string(++peers) + R"(":{"match":{"source":["127.0.0.1"]},"next_hop":")" + uri +
                   R"("}}})");
    };
    for (const std::string host : {"localhost", "127.0.0.1"}) {
        TcpListener proxy;
        set_hop("sip:" + host + ':' + std::to_string(proxy.port()) + ";transport=tcp");
        Wire connection = proxy.accept();
        const auto probe = connection.read_until("\r\n\r\n");
        EXPECT_EQ(probe.rfind("OPTIONS sip:" + host + ':', 0), 0u) << probe;
        EXPECT_NE(probe.find("\r\nVia: SIP/2.0/TCP 127.0.0.1:" + udp_port + ';'), std::string::npos) << probe;
        EXPECT_EQ(probe.find("\r\nContact:"), std::string::npos) << probe;
        TcpListener secured;
        set_hop("sip:" + host + ':' + std::to_string(secured.port()) + ";transport=tls");
        secured.accept().read_until("\x16");  // the first octet of a TLS handshake
    }
}

TEST_F(WorkerTest, TheStatusTellsWhichShareOfTheDatagramsReachedTheTransactions) {
    Wire phone = udp_to(listen());
    set_domain(peer(local_port(phone)));
    phone.send(message_from_phone(local_port(phone)));
    phone.send(std::string("\0\1\0\0", 4));
    phone.send("GET / HTTP/1.1\r\n\r\n");
    const auto number = [](const std::string& status, const std::string& name) {
        std::smatch match;
        return std::regex_search(status, match, std::regex('"' + name + "\":([0-9]+)")) ? std::stoi(match[1]) : -1;
    };
    std::string status;
    do {
        control->send(R"({"t":"status","id":"q1"})"
                      "\n");
        status = control->line_with("\"q1\"");
    } while (number(status, "received") < 3);  // they are on their way
    EXPECT_EQ(number(status, "received"), 3) << status;
    EXPECT_EQ(number(status, "passed"), 1) << status;
    EXPECT_EQ(number(status, "noise"), 1) << status;
    EXPECT_EQ(number(status, "malformed"), 1) << status;
}

using stox::sip::test::Certificates;
using stox::sip::test::TlsWire;

std::string tls_config(const Certificates::Files& files) {
    return R"({"tls":{"certificate":)" + quoted(files.chain) + R"(,"key":)" + quoted(files.key) + "}}";
}

TEST_F(WorkerTest, ADomainWhoseCertificateCannotBeUsedIsRefusedAndTheOldOneStays) {
    Certificates made;
    const auto port = listen("tls");
    const auto shown = [&](const std::string& name) { return TlsWire(stox::test::tcp_to(port), name, made.root()).peer_name(); };
    const auto good = made.issue("first", "DNS:capulet.test"), other = made.issue("other", "DNS:capulet.test");
    set_domain(tls_config({good.chain + ".none", good.key}));
    auto refused = control->line_with("config-error");
    EXPECT_NE(refused.find(R"("domain":"capulet.test")"), std::string::npos) << refused;
    EXPECT_NE(refused.find(R"("path":"tls.certificate")"), std::string::npos) << refused;
    EXPECT_NE(refused.find(good.chain + ".none: No such file or directory"), std::string::npos) << refused;
    EXPECT_NE(refused.find(R"("kept":false)"), std::string::npos) << "there was none";
    control->send(R"({"t":"status","id":"q1"})"
                  "\n");
    EXPECT_NE(control->line_with("\"q1\"").find(R"("domains":[])"), std::string::npos);

    set_domain(tls_config(good));
    Wire stream = attach(listener, "capulet.test");
    control->line_with("\"up\"");
    EXPECT_EQ(shown("capulet.test"), "first");
    set_domain(tls_config({good.chain, other.key}));
    refused = control->line_with("config-error");
    EXPECT_NE(refused.find(R"("path":"tls.key")"), std::string::npos) << refused;
    EXPECT_NE(refused.find("does not belong to"), std::string::npos) << refused;
    EXPECT_EQ(shown("capulet.test"), "first");

    // What became of the files of one domain is nothing to another.
    made.file(good.chain.substr(good.chain.rfind('/') + 1), "gone bad");
    set_domain(tls_config(made.issue("second", "DNS:verona.test")), "verona.test");
    Wire second = attach(listener, "verona.test");
    control->line_with("\"up\"");
    EXPECT_EQ(shown("verona.test"), "second");
    EXPECT_EQ(shown("capulet.test"), "first");
}

TEST_F(WorkerTest, AServerWhoseCertificateCannotBeUsedKeepsItsOptions) {
    Certificates made;
    const auto set = [&](const Certificates::Files& files) {
        control->send(R"({"t":"engine-set","config":{"bind":["tls:127.0.0.1:0"],"tls":{"certificate":)" + quoted(files.chain) +
                      R"(,"key":)" + quoted(files.key) + "}}}\n");
    };
    const auto good = made.issue("server", "DNS:capulet.test");
    set({good.chain, good.key + ".none"});
    const auto refused = control->line_with("config-error");
    EXPECT_EQ(refused.find("domain"), std::string::npos) << refused;
    EXPECT_NE(refused.find(R"("path":"tls.key")"), std::string::npos) << refused;
    set(good);
    const auto line = control->line_with("\"listening\"");
    std::smatch match;
    ASSERT_TRUE(std::regex_search(line, match, std::regex("tls:127.0.0.1:([0-9]+)"))) << line;
    set_domain("{}");
    Wire stream = attach(listener, "capulet.test");
    control->line_with("\"up\"");
    const auto port = static_cast<unsigned>(std::stoul(match[1]));
    EXPECT_EQ(TlsWire(stox::test::tcp_to(port), "capulet.test", made.root()).peer_name(), "server");
}

std::string options_over_tls(const std::string& number) {
    return "OPTIONS sip:capulet.test SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1;branch=z9hG4bKtls" + number +
           "\r\nMax-Forwards: 70\r\nFrom: <sip:proxy@capulet.test>;tag=p" + number + "\r\nTo: <sip:capulet.test>\r\nCall-ID: tls-" + number +
           "\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
}

// One option of each class that docs/options.md has.
TEST_F(WorkerTest, AReloadCountsAtOnceOrForNewConnectionsOrAtTheNextStart) {
    Certificates made;
    const auto first = made.issue("first", "DNS:capulet.test"), second = made.issue("second", "DNS:capulet.test");
    const auto set = [&](const std::string& code, const Certificates::Files& files) {
        set_domain(R"({"peers":{"phones":{"match":{"source":["127.0.0.1"]}}},"message_accept_code":)" + code + ',' + tls_config(files).substr(1));
    };
    const auto set_bans = [&](const std::string& refusals) {
        control->send(R"({"t":"engine-set","config":{"bind":["tls:127.0.0.1:0"],"limits":{"ban_refusals":)" + refusals + "}}}\n");
    };
    set_bans("20");
    const auto line = control->line_with("\"listening\"");
    std::smatch match;
    ASSERT_TRUE(std::regex_search(line, match, std::regex("tls:127.0.0.1:([0-9]+)"))) << line;
    const auto port = static_cast<unsigned>(std::stoul(match[1]));
    set("202", first);
    Wire stream = attach(listener, "capulet.test");
    control->line_with("\"up\"");
    TlsWire open(stox::test::tcp_to(port), "capulet.test", made.root());
    EXPECT_EQ(open.peer_name(), "first");
    const auto answer = [&](unsigned number) {
        open.send(std::regex_replace(message_from_phone(5999, number), std::regex("/UDP"), "/TLS"));
        stream.read_until("</message>");
        answer_ping(stream, stream.read_until("</iq>"));
        return open.read_until("\r\n\r\n").substr(0, 11);
    };
    EXPECT_EQ(answer(1), "SIP/2.0 202");

    set("200", second);
    set_bans("30");
    control->line_with("limits is read at the start of the worker");  // restart
    EXPECT_EQ(answer(2), "SIP/2.0 200") << "live, also over what is open";
    EXPECT_EQ(TlsWire(stox::test::tcp_to(port), "capulet.test", made.root()).peer_name(), "second") << "of new connections";
    open.send(options_over_tls("1"));
    EXPECT_EQ(open.read_until("\r\n\r\n").substr(0, 11), "SIP/2.0 200") << "which the first one does not notice";
}

// Whoever proves to be somebody by a password is a stranger to a new worker, until asked for it.
TEST_F(WorkerTest, DialogsOfTheWorkerBeforeAreGoneAndNoReasonForABan) {
    Wire phone = udp_to(listen());
    const auto refresh = [&](unsigned number) {
        const auto old = std::regex_replace(message_from_phone(local_port(phone), number), std::regex("MESSAGE sip:romeo@montague.test"),
                                            "MESSAGE sip:0ldt0ken@192.0.2.9:5060");
        phone.send(std::regex_replace(old, std::regex("(To: <[^>]*>)"), "$1;tag=before"));
        return phone.read_until("\r\n\r\n").substr(0, 11);
    };
    set_domain(R"({"peers":{"carrier":{"match":{"source":["192.0.2.1"]}}}})");
    Wire stream = attach(listener, "capulet.test");
    control->line_with("\"up\"");
    EXPECT_EQ(refresh(1), "SIP/2.0 403") << "nobody could prove anything";
    std::ofstream(state.file("users")) << "alice:capulet.test:MD5:939e7578ed9e3c518a452acee763bce9\n";
    ::chmod(state.file("users").c_str(), 0600);
    set_domain(R"({"digest":{"algorithms":["MD5"],"ha1_file":)" + quoted(state.file("users")) +
               R"(},"peers":{"phones":{"match":{"user":["alice"]}}}})");
    control->send(R"({"t":"status","id":"q1"})"
                  "\n");
    control->line_with("\"q1\"");
    for (unsigned number = 2; number < 42; ++number) ASSERT_EQ(refresh(number), "SIP/2.0 481") << number;
    phone.send(message_from_phone(local_port(phone), 50));
    EXPECT_EQ(phone.read_until("\r\n\r\n").substr(0, 11), "SIP/2.0 401") << "heard and asked";
}

TEST_F(WorkerTest, AnUnknownCommandIsAnsweredUnsupported) {
    control->send(R"({"t":"dance"})"
                  "\n");
    EXPECT_NE(control->line_with("unsupported").find("dance"), std::string::npos);
}

TEST_F(WorkerTest, ARemovedDomainClosesItsStreamAndIsForgotten) {
    listen();
    set_domain(peer(5999));
    Wire stream = attach(listener, "capulet.test");
    control->line_with("\"up\"");
    control->send(R"({"t":"domain-remove","domain":"capulet.test"})"
                  "\n");
    stream.read_until("</stream:stream>");
    stream.close();
    control->line_with("\"removed\"");
}

TEST_F(WorkerTest, AFloodOfStrangersIsAFewLines) {
    control->send(R"({"t":"engine-set","config":{"bind":["udp:127.0.0.1:0"],"limits":{"ban_refusals":1000}}})"
                  "\n");
    const auto bound = control->line_with("\"listening\"");
    std::smatch match;
    ASSERT_TRUE(std::regex_search(bound, match, std::regex("udp:127.0.0.1:([0-9]+)"))) << bound;
    Wire stranger = udp_to(static_cast<unsigned>(std::stoul(match[1])));
    const auto before = std::chrono::steady_clock::now();
    const auto message = message_from_phone(local_port(stranger));
    for (int i = 0; i < 200; ++i) {
        stranger.send(std::regex_replace(message, std::regex("worker1"), "worker" + std::to_string(i)));
        EXPECT_TRUE(stranger.read_until("\r\n\r\n").starts_with("SIP/2.0 403 "));
    }
    const auto took = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - before).count();
    control->send(R"({"t":"status","id":"q1"})"
                  "\n");
    const auto lines = control->read_until("\"q1\"");
    std::ptrdiff_t refused = 0;
    for (auto at = lines.find("event=refused"); at != lines.npos; at = lines.find("event=refused", at + 1)) {
        ++refused;
        EXPECT_NE(lines.substr(at, lines.find('\n', at) - at).find("src=127.0.0.1:"), std::string::npos) << lines;
    }
    EXPECT_GE(refused, 20);
    EXPECT_LE(refused, 20 + 5 * (took + 2));
}

TEST_F(WorkerTest, StopAnswersWhatWaitsAndEndsWithStatus0) {
    Wire phone = udp_to(listen());
    set_domain(peer(local_port(phone)));
    Wire stream = attach(listener, "capulet.test");
    control->line_with("\"up\"");
    phone.send(message_from_phone(local_port(phone)));
    stream.read_until("</message>");
    control->send("{\"t\":\"stop\"}\n");
    EXPECT_NE(phone.read_until("\r\n\r\n").find("SIP/2.0 202"), std::string::npos) << "it is stored";
    stream.read_until("</stream:stream>");
    stream.close();
    stop();
    EXPECT_EQ(exit_status, 0);
}

}  // namespace
