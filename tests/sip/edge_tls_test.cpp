// TLS either way: certificates by name, what they prove, reload.

#include "tests/sip/edge_testing.h"
#include "tests/sip/tls_wire.h"

#include <optional>

namespace {

using namespace stox;
using namespace stox::sip;
using namespace stox::sip::test;

Result<void> reload(sip::Endpoint& endpoint, const std::vector<TlsIdentity>& identities) {
    auto loaded = load_tls(identities);
    if (!loaded) return loaded.error();
    return endpoint.use_tls(std::move(loaded).value());
}

struct TlsRig {
    explicit TlsRig(TlsIdentity::VerifyClient verify = TlsIdentity::VerifyClient::none, const Limits& limits = {}) {
        auto settings = on_loopback({Transport::udp, Transport::tls});
        settings.limits = limits;
        settings.tls = {identity({"a.test"}, made.issue("a.test", "DNS:a.test"), made),
                        identity({"b.test", "c.test"}, made.issue("b.test", "DNS:b.test,DNS:c.test"), made)};
        for (auto& one : settings.tls) one.verify_client = verify;
        rig.emplace(settings);
    }
    TlsWire client(const std::string& sni, const Certificates::Files& own = {}) {
        return TlsWire(tcp_to(rig->port(Transport::tls)), sni, made.root(), own);
    }

    Certificates made;
    std::optional<EdgeRig> rig;
};

/// A TLS peer that answers one MESSAGE.
struct TlsPeer {
    TlsPeer(const Certificates::Files& own, const std::string& client_root = {})
        : thread([this, own, client_root] {
              try {
                  TlsWire wire(listener.accept(), own, client_root);
                  asked = wire.asked_name();
                  client = wire.peer_name();
                  answer_message(wire);
                  wire.closed();
              } catch (const std::exception& what) {
                  problem = what.what();
              }
          }) {}
    ~TlsPeer() { join(); }
    void join() {
        if (thread.joinable()) thread.join();
    }
    NextHop hop(const std::string& name) const {
        auto next = next_hop(Transport::tls, listener.port());
        next.tls_name = name;
        return next;
    }

    TcpListener listener;
    std::string asked, client, problem;
    std::thread thread;
};

/// Dials `peer` under `name` from an endpoint of its own, which has gone when this returns.
Outcome dial(Certificates& made, const TlsPeer& peer, const std::string& name, std::string* log = nullptr) {
    auto settings = on_loopback({Transport::tcp});
    settings.tls = {identity({"own.test"}, made.issue("own.test", "DNS:own.test"), made)};
    EdgeRig rig(settings);
    const auto before = Clock::now();
    const auto outcome = rig.send(message_value(), peer.hop(name));
    EXPECT_LT(Clock::now() - before, seconds(1));
    if (log) *log = rig.log_line("connection of ours closed");
    return outcome;
}

TEST(EdgeTls, EachNameGetsItsCertificateWithTheWholeChain) {
    TlsRig tls;
    EXPECT_EQ(tls.client("a.test").peer_name(), "a.test");
    EXPECT_EQ(tls.client("B.test").peer_name(), "b.test");
    EXPECT_EQ(tls.client("c.test").peer_name(), "b.test");
    EXPECT_EQ(tls.client("").peer_name(), "a.test");
    EXPECT_EQ(tls.client("unknown.test").peer_name(), "a.test");
}

TEST(EdgeTls, RequestsBothWaysOverOneConnection) {
    TlsRig tls;
    auto wire = tls.client("b.test");
    const auto answer = ask(wire, "TLS", "both");
    EXPECT_TRUE(answer.starts_with("SIP/2.0 200 ")) << answer;
    EXPECT_NE(answer.find("received=127.0.0.1"), std::string::npos) << answer;
    EXPECT_NE(answer.find("rport=" + std::to_string(wire.local_port())), std::string::npos) << answer;
    const auto in = tls.rig->request("both");
    EXPECT_EQ(in.transport, Transport::tls);
    EXPECT_TRUE(in.tls.names.empty());
    std::string seen;
    std::thread answering([&] { seen = answer_message(wire); });
    EXPECT_EQ(tls.rig->send(message_value(), over_flow_of(in, Transport::tls)).response.status, 200);
    answering.join();
    EXPECT_NE(seen.find("Via: SIP/2.0/TLS 127.0.0.1:"), std::string::npos) << seen;
    EXPECT_EQ(tls.rig->counters().dialled, 0u);
}

TEST(EdgeTls, ALargeMessagePassesEitherWay) {
    TlsRig tls;
    auto wire = tls.client("a.test");
    auto text = message_text("large", {}, std::string(60'000, 'x'));
    wire.send(text.replace(text.find("SIP/2.0/UDP"), 11, "SIP/2.0/TLS"));
    EXPECT_TRUE(wire.read_until("\r\n\r\n").starts_with("SIP/2.0 200 "));
    EXPECT_EQ(tls.rig->request("clarge").request.body.size(), 60'000u);
}

TEST(EdgeTls, APeerThatReadsIsNotSlowHoweverShortTheQueues) {
    Limits limits;
    limits.write_queue = limits.stranger_write_queue = 1'024;
    TlsRig tls(TlsIdentity::VerifyClient::none, limits);
    auto wire = tls.client("a.test");
    std::string all;
    for (int i = 0; i < 40; ++i) all += options_text("TLS", "r" + std::to_string(i));
    wire.send(all);
    for (int i = 0; i < 40; ++i) EXPECT_TRUE(wire.read_until("\r\n\r\n").starts_with("SIP/2.0 200 ")) << i;
    EXPECT_EQ(tls.rig->counters().closed_slow_reader, 0u);
}

TEST(EdgeTls, WhatTheEndpointSaysAtItsEndArrives) {
    TlsRig tls;
    auto wire = tls.client("a.test");
    wire.send(options_text("TLS", "wait1"));
    tls.rig->request("wait1");
    ask(wire, "TLS", "later");  // it was told, and waits
    tls.rig.reset();
    EXPECT_TRUE(wire.read_until("\r\n\r\n").starts_with("SIP/2.0 500 "));
}

// The peer would read it as what the message goes on with.
TEST(EdgeTls, NothingIsSaidAtTheEndIntoAMessageThatHasLeftInPart) {
    TlsRig tls;
    auto wire = tls.client("a.test");
    wire.send(options_text("TLS", "wait1"));
    const auto in = tls.rig->request("wait1");
    ask(wire, "TLS", "later");
    auto large = message_value();
    large.body = std::string(60'000, 'x');
    tls.rig->end_after([&](sip::Endpoint& endpoint) { endpoint.send(large, over_flow_of(in, Transport::tls), [](Outcome) {}); });
    const auto all = wire.read_all();
    ASSERT_TRUE(all.starts_with("MESSAGE ")) << all.substr(0, 200);
    ASSERT_LT(all.size(), 60'000u) << "only a part has left";
    EXPECT_EQ(all.find("SIP/2.0 500"), std::string::npos);
}

// RFC 8446 §6.2: an alert says what broke the connection, also when good records came right before.
TEST(EdgeTls, ABrokenRecordBehindAGoodOneIsToldByAnAlert) {
    TlsRig tls;
    auto wire = tls.client("a.test");
    ask(wire, "TLS", "first");
    wire.send_then_damaged("\r\n\r\n", "\r\n\r\n");
    EXPECT_NE(wire.end_reason().find("bad record mac"), std::string::npos);
}

TEST(EdgeTls, ASourceHasAFewHandshakesAtOnce) {
    Limits limits;
    limits.handshakes_per_source = 2;
    TlsRig tls(TlsIdentity::VerifyClient::none, limits);
    const auto port = tls.rig->port(Transport::tls);
    auto done = tls.client("a.test"), done_too = tls.client("a.test");
    for (auto* client : {&done, &done_too}) {  // a client is past its handshake before the server is, unless that has answered
        client->send("\r\n\r\n");
        client->read_until("\r\n");
    }
    const auto silent = tcp_to(port), silent_too = tcp_to(port);
    EXPECT_TRUE(tcp_to(port).closed());
    EXPECT_EQ(tls.rig->counters().refused_handshakes, 1u);
    tls.rig->on_loop([](sip::Endpoint& endpoint) { endpoint.trust({Prefix::parse("127.0.0.1").value()}); });
    EXPECT_NO_THROW(tls.client("a.test")) << "a peer";
}

// Silent connections cannot hold all places: each has a second that nobody takes.
TEST(EdgeTls, AHandshakeThatDoesNotGoOnGivesWayToAnother) {
    Limits limits;
    limits.handshakes = 2;
    TlsRig tls(TlsIdentity::VerifyClient::none, limits);
    const auto port = tls.rig->port(Transport::tls);
    auto oldest = tcp_to(port);
    const auto other = tcp_to(port);
    EXPECT_TRUE(tcp_to(port).closed());
    EXPECT_EQ(tls.rig->counters().refused_handshakes, 1u);
    std::this_thread::sleep_for(milliseconds(1'050));
    EXPECT_NO_THROW(tls.client("a.test"));
    EXPECT_TRUE(oldest.closed());
    EXPECT_EQ(tls.rig->counters().failed_handshakes, 1u);
}

TEST(EdgeTls, FailedHandshakesAreRefusalsOfTheirSource) {
    Limits limits;
    limits.ban->refusals = 3;
    TlsRig tls(TlsIdentity::VerifyClient::none, limits);
    for (int i = 0; i < 3; ++i) {
        auto noise = tcp_to(tls.rig->port(Transport::tls));
        noise.send("GET / HTTP/1.1\r\n\r\n");
        EXPECT_TRUE(noise.closed());
    }
    EXPECT_NE(tls.rig->log_line("security event=banned src=127.0.0.1 transport=tls"), "");
    EXPECT_THROW(tls.client("a.test"), std::exception);
    EXPECT_EQ(tls.rig->counters().refused_banned, 1u);
}

TEST(EdgeTls, CORE_62_OldVersionsAreRefused) {
    TlsRig tls;
    const std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
    SSL_CTX_set_security_level(context.get(), 0);
    SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context.get(), TLS1_1_VERSION);
    SSL_CTX_set_cipher_list(context.get(), "ALL:@SECLEVEL=0");
    const auto wire = tcp_to(tls.rig->port(Transport::tls));
    const std::shared_ptr<SSL> ssl(SSL_new(context.get()), SSL_free);
    SSL_set_fd(ssl.get(), wire.descriptor());
    EXPECT_NE(SSL_connect(ssl.get()), 1);
    EXPECT_EQ(tls.client("a.test").peer_name(), "a.test");
}

TEST(EdgeTls, AClientsCertificateProvesItsNames) {
    TlsRig tls(TlsIdentity::VerifyClient::required);
    const auto own = tls.made.issue("peer", "DNS:Peer.test,URI:sip:domain.test,IP:127.0.0.1");
    auto wire = tls.client("b.test", own);
    ask(wire, "TLS", "mutual");
    EXPECT_EQ(tls.rig->request("mutual").tls.names, std::vector<std::string>{"domain.test"});
}

TEST(EdgeTls, WhoProvedANameIsToldWithIt) {
    Certificates made, others;
    auto settings = on_loopback({Transport::udp, Transport::tls});
    settings.tls = {identity({"a.test"}, made.issue("a.test", "DNS:a.test"), made),
                    identity({"b.test"}, made.issue("b.test", "DNS:b.test"), others)};
    for (auto& one : settings.tls) one.verify_client = TlsIdentity::VerifyClient::required;
    EdgeRig rig(settings);
    for (const auto& [domain, authority] : {std::pair<std::string, Certificates*>{"a.test", &made}, {"b.test", &others}}) {
        TlsWire wire(tcp_to(rig.port(Transport::tls)), domain, made.root(), authority->issue("pbx", "DNS:pbx.test"));
        ask(wire, "TLS", domain);
        const auto in = rig.request(domain);
        EXPECT_EQ(in.tls.names, std::vector<std::string>{"pbx.test"});
        EXPECT_EQ(in.tls.trust, authority->root()) << domain;
    }
}

TEST(EdgeTls, CORE_62_NoCertificateOrAStrangersIsRefusedWhereOneIsRequired) {
    TlsRig tls(TlsIdentity::VerifyClient::required);
    Certificates others;
    for (const auto& own : {Certificates::Files{}, others.issue("peer", "DNS:peer.test")})
        EXPECT_THROW(
            {
                auto wire = tls.client("a.test", own);  // TLS 1.3: the refusal comes with the first read
                ask(wire, "TLS", "refused");
            },
            std::runtime_error);
    EXPECT_TRUE(tls.rig->counted([](const Counters& counters) { return counters.failed_handshakes == 2; }));
    EXPECT_NE(tls.rig->log_line("certificate: "), "");
    EXPECT_TRUE(tls.rig->requests().empty());
}

// Public authorities issue certificates for servers alone, and a proxy is a client as well.   (RFC 5924)
TEST(EdgeTls, ACertificateIsForSipWhateverSideItWasIssuedFor) {
    TlsRig tls(TlsIdentity::VerifyClient::required);
    int number = 0;
    for (const std::string usage :
         {"serverAuth", "clientAuth", "anyExtendedKeyUsage", "1.3.6.1.5.5.7.3.20", "serverAuth,codeSigning"}) {
        auto wire = tls.client("a.test", tls.made.issue("peer", "DNS:peer.test", 90, usage));
        const auto id = "usage" + std::to_string(++number);
        ask(wire, "TLS", id);
        EXPECT_EQ(tls.rig->request(id).tls.names, std::vector<std::string>{"peer.test"}) << usage;
    }
    EXPECT_THROW(
        {
            auto wire = tls.client("a.test", tls.made.issue("peer", "DNS:peer.test", 90, "codeSigning"));
            ask(wire, "TLS", "refused");
        },
        std::runtime_error);
    EXPECT_NE(tls.rig->log_line("the certificate is not for SIP"), "");
    TlsPeer server(tls.made.issue("peer.test", "DNS:peer.test", 90, "clientAuth"));
    EXPECT_EQ(dial(tls.made, server, "peer.test").response.status, 200);
}

TEST(EdgeTls, AnOptionalCertificateMayBeMissingButNotBad) {
    TlsRig tls(TlsIdentity::VerifyClient::optional);
    auto none = tls.client("a.test");
    ask(none, "TLS", "none");
    EXPECT_TRUE(tls.rig->request("none").tls.names.empty());
    auto good = tls.client("a.test", tls.made.issue("peer", "DNS:peer.test"));
    ask(good, "TLS", "good");
    EXPECT_EQ(tls.rig->request("good").tls.names, std::vector<std::string>{"peer.test"});
    Certificates others;
    EXPECT_THROW(
        {
            auto bad = tls.client("a.test", others.issue("peer", "DNS:peer.test"));
            ask(bad, "TLS", "bad");
        },
        std::runtime_error);
}

TEST(EdgeTls, DialsAGoodNameWithSni) {
    Certificates made;
    TlsPeer peer(made.issue("x", "DNS:peer.test"));
    EXPECT_EQ(dial(made, peer, "peer.test").response.status, 200);
    peer.join();
    EXPECT_EQ(peer.asked, "peer.test");
    EXPECT_EQ(peer.problem, "");
}

// RFC 5922 §7.3, RFC 3263: the target of the SRV record is dialled, the certificate is for the domain of the URI. Only the domain
// is told to the edge, so that no name that DNS gave is ever believed.
TEST(EdgeTls, DialsAnAddressWhoseCertificateIsForIt) {
    Certificates made;
    for (const std::string name : {"", "127.0.0.1"}) {
        TlsPeer peer(made.issue("x", "IP:127.0.0.1"));
        EXPECT_EQ(dial(made, peer, name).response.status, 200) << name;
        peer.join();
        EXPECT_EQ(peer.asked, "");
    }
}

TEST(EdgeTls, CORE_62_AWrongNameFailsBeforeAnythingIsSentWithTheReason) {
    Certificates made;
    for (const std::string alternative : {"DNS:other.test", "DNS:*.test", "IP:127.0.0.1", ""}) {
        TlsPeer peer(made.issue("other.test", alternative));
        std::string log;
        const auto outcome = dial(made, peer, "peer.test", &log);
        EXPECT_EQ(outcome.response.status, 503) << alternative;
        EXPECT_EQ(outcome.local, Outcome::Local::unsent);
        EXPECT_NE(log.find("the certificate is not for peer.test"), std::string::npos) << log;
        EXPECT_NE(log.find("peer=127.0.0.1:" + std::to_string(peer.listener.port())), std::string::npos) << log;
    }
}

TEST(EdgeTls, CORE_62_AStrangersAuthorityIsRefused) {
    Certificates made, others;
    TlsPeer peer(others.issue("peer.test", "DNS:peer.test"));
    std::string log;
    EXPECT_EQ(dial(made, peer, "peer.test", &log).response.status, 503);
    EXPECT_NE(log.find("certificate: "), std::string::npos) << log;
}

TEST(EdgeTls, CORE_62_AnExpiredCertificateIsRefused) {
    Certificates made;
    TlsPeer peer(made.issue("peer.test", "DNS:peer.test", -1));
    std::string log;
    EXPECT_EQ(dial(made, peer, "peer.test", &log).response.status, 503);
    EXPECT_NE(log.find("expired"), std::string::npos) << log;
}

TEST(EdgeTls, ShowsItsOwnCertificateWhenAsked) {
    Certificates made;
    TlsPeer peer(made.issue("peer.test", "DNS:peer.test"), made.root());
    EXPECT_EQ(dial(made, peer, "peer.test").response.status, 200);
    peer.join();
    EXPECT_EQ(peer.client, "own.test");
}

// In TLS 1.3 our handshake is over before the peer has looked at our certificate. Nothing of ours was read all the same.
TEST(EdgeTls, APeerThatRefusesOurCertificateHasReadNothing) {
    Certificates made, others;
    TlsPeer peer(made.issue("peer.test", "DNS:peer.test"), others.root());
    std::string log;
    const auto outcome = dial(made, peer, "peer.test", &log);
    EXPECT_EQ(outcome.response.status, 503);
    EXPECT_EQ(outcome.local, Outcome::Local::unsent);
    EXPECT_NE(log.find("the peer refuses our certificate"), std::string::npos) << log;
}

TEST(EdgeTls, ARefusedConnectionFailsAtOnce) {
    Certificates made;
    unsigned port;
    {
        TcpListener gone;
        port = gone.port();
    }
    auto settings = on_loopback({Transport::udp});
    settings.tls = {identity({"own.test"}, made.issue("own.test", ""), made)};
    EdgeRig rig(settings);
    const auto before = Clock::now();
    EXPECT_EQ(rig.send(message_value(), next_hop(Transport::tls, port)).response.status, 503);
    EXPECT_LT(Clock::now() - before, seconds(1));
    EXPECT_NE(rig.log_line("refused"), "");
}

TEST(EdgeTls, AReloadIsForNewHandshakesAndOldConnectionsLive) {
    TlsRig tls;
    auto old = tls.client("a.test");
    std::vector<TlsIdentity> renewed = {identity({"a.test"}, tls.made.issue("renewed", "DNS:a.test"), tls.made)};
    Result<void> result = ok();
    tls.rig->on_loop([&](sip::Endpoint& endpoint) { result = reload(endpoint, renewed); });
    ASSERT_TRUE(result);
    EXPECT_EQ(tls.client("a.test").peer_name(), "renewed");
    EXPECT_TRUE(ask(old, "TLS", "old").starts_with("SIP/2.0 200 "));
}

TEST(EdgeTls, ABadReloadChangesNothingAndSaysWhy) {
    TlsRig tls;
    const auto good = tls.made.issue("a.test", "DNS:a.test"), other = tls.made.issue("a.test", "DNS:a.test");
    const auto empty = tls.made.file("empty.pem", ""),
               rubbish = tls.made.file("rubbish.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n");
    auto no_trust = identity({"a.test"}, good, tls.made);
    no_trust.trust_file = empty;
    auto asks_without_trust = identity({"a.test"}, good, tls.made);
    asks_without_trust.trust = TlsIdentity::Trust::none;
    asks_without_trust.verify_client = TlsIdentity::VerifyClient::required;
    const std::vector<std::pair<std::vector<TlsIdentity>, std::string>> rows = {
        {{identity({"a.test"}, {good.chain, other.key}, tls.made)}, "does not belong to"},
        {{identity({"a.test"}, {good.chain + ".none", good.key}, tls.made)}, good.chain + ".none"},
        {{identity({"a.test"}, {good.chain, good.key + ".none"}, tls.made)}, good.key + ".none"},
        {{identity({"a.test"}, {empty, good.key}, tls.made)}, "empty.pem"},
        {{identity({"a.test"}, {rubbish, good.key}, tls.made)}, "rubbish.pem"},
        {{no_trust}, "empty.pem"},
        {{asks_without_trust}, "trust is none"},
        {{identity({"a.test"}, good, tls.made), identity({"A.TEST"}, good, tls.made)}, "two certificates"},
    };
    for (const auto& [identities, reason] : rows) {
        Result<void> result = ok();
        tls.rig->on_loop([&](sip::Endpoint& endpoint) { result = reload(endpoint, identities); });
        ASSERT_FALSE(result) << reason;
        EXPECT_NE(result.error().detail.find(reason), std::string::npos) << result.error().detail << " / " << reason;
    }
    EXPECT_EQ(tls.client("c.test").peer_name(), "b.test");
}

TEST(EdgeTls, ACertificateThatEndsSoonIsReported) {
    Certificates made;
    auto settings = on_loopback({Transport::tls});
    settings.tls = {identity({"a.test"}, made.issue("a.test", "DNS:a.test", 7), made)};
    EdgeRig rig(settings);
    EXPECT_NE(rig.log_line("expires in").find("chain.pem"), std::string::npos);
    auto expired = settings.tls;
    const auto files = made.issue("a.test", "DNS:a.test", -1);
    expired[0].certificate_chain = files.chain;
    expired[0].key = files.key;
    rig.on_loop([&](sip::Endpoint& endpoint) { EXPECT_TRUE(reload(endpoint, expired)); });
    EXPECT_NE(rig.log_line("has expired"), "");
}

// Domains, and their certificates with them, come and go while the listener stays.
TEST(EdgeTls, AListenerWithoutACertificateRefusesHandshakesUntilThereIsOne) {
    Certificates made;
    auto settings = on_loopback({Transport::tls});
    EdgeRig rig(settings);
    EXPECT_THROW(TlsWire(tcp_to(rig.port(Transport::tls)), "a.test", made.root()), std::runtime_error);
    EXPECT_NE(rig.log_line("no certificate of ours"), "");
    auto for_dialling_alone = identity({"b.test"}, {}, made);
    std::vector<TlsIdentity> identities = {for_dialling_alone, identity({"a.test"}, made.issue("a.test", "DNS:a.test"), made)};
    rig.on_loop([&](sip::Endpoint& endpoint) { EXPECT_TRUE(reload(endpoint, identities)); });
    EXPECT_EQ(TlsWire(tcp_to(rig.port(Transport::tls)), "b.test", made.root()).peer_name(), "a.test");
}

}  // namespace
