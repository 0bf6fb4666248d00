// The whole worker in this process: control lines on one side, a chat server's component stream on another, SIP on a third.

#include "plugin/host/worker_abi.h"
#include "tests/support/wire.h"

#include <gtest/gtest.h>

#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <optional>
#include <regex>
#include <string>
#include <thread>

namespace {

using stox::test::local_port;
using stox::test::udp_to;
using stox::test::UnixListener;
using stox::test::Wire;

std::pair<int, int> socket_pair() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw std::runtime_error("socketpair");
    return {ends[0], ends[1]};
}

std::string quoted(const std::string& text) { return '"' + text + '"'; }

/// The server's end of an attached component stream.
Wire attach(const UnixListener& listener, const std::string& domain) {
    Wire stream = listener.accept();
    const auto header = stream.read_until("'>");
    EXPECT_NE(header.find("to='" + domain + "'"), std::string::npos) << header;
    stream.send(
        "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' "
        "id='s1' from='" +
        domain + "'>");
    stream.read_until("</handshake>");
    stream.send("<handshake/>");
    return stream;
}

class WorkerTest : public ::testing::Test {
protected:
    WorkerTest() {
        const auto [ours, theirs] = socket_pair();
        control.emplace(ours);
        worker_end_.emplace(theirs);
        thread_ = std::thread([this, theirs = theirs] { exit_status = stox_worker_run(theirs, theirs); });
        control->line_with(R"("stox":1)");
        control->send(R"({"stox":1,"version":"test","features":[]})"
                      "\n");
    }
    ~WorkerTest() override {
        if (thread_.joinable()) stop();
    }

    void stop() {
        control->send("{\"t\":\"stop\"}\n");
        thread_.join();
    }

    /// Opens SIP on free ports of loopback; returns the UDP one.
    unsigned listen() {
        control->send(R"({"t":"engine-set","config":{"bind":["udp:127.0.0.1:0"],"log_level":"debug"}})"
                      "\n");
        const auto line = control->line_with("\"listening\"");
        std::smatch match;
        EXPECT_TRUE(std::regex_search(line, match, std::regex("udp:127.0.0.1:([0-9]+)"))) << line;
        return static_cast<unsigned>(std::stoul(match[1]));
    }

    void set_domain(const std::string& config, const std::string& domain = "capulet.test") {
        control->send(R"({"t":"domain-set","domain":)" + quoted(domain) + R"(,"xmpp_domains":["montague.test"],"xmpp":{"unix":)" +
                      quoted(listener.path()) + R"(,"secret":"s3cr3t"},"config":)" + config + "}\n");
    }

    static std::string peer(unsigned next_hop_port) {
        return R"({"peers":{"phones":{"match":{"source":["127.0.0.1"]},"next_hop":"sip:127.0.0.1:)" +
               std::to_string(next_hop_port) + R"(","probe":false}}})";
    }

    UnixListener listener;
    std::optional<Wire> control;
    int exit_status = -1;

private:
    std::optional<Wire> worker_end_;
    std::thread thread_;
};

std::string message_from_phone(unsigned port) {
    return "MESSAGE sip:romeo@montague.test SIP/2.0\r\n"
           "Via: SIP/2.0/UDP 127.0.0.1:" +
           std::to_string(port) +
           ";branch=z9hG4bKworker1;rport\r\n"
           "Max-Forwards: 70\r\nFrom: <sip:juliet@capulet.test>;tag=a1\r\nTo: <sip:romeo@montague.test>\r\n"
           "Call-ID: worker-test\r\nCSeq: 1 MESSAGE\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello";
}

std::string attribute(const std::string& xml, const std::string& name) {
    std::smatch match;
    return std::regex_search(xml, match, std::regex(' ' + name + "=['\"]([^'\"]*)")) ? match[1].str() : std::string();
}

/// Answers the ping by which the worker learns that the server took what it wrote before.
void answer_ping(const Wire& stream, const std::string& ping) {
    stream.send("<iq type='result' from='" + attribute(ping, "to") + "' to='" + attribute(ping, "from") + "' id='" +
                attribute(ping, "id") + "'/>");
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
    EXPECT_NE(phone.read_until("\r\n\r\n").find("SIP/2.0 503"), std::string::npos) << "nothing was confirmed by the server";
    stream.read_until("</stream:stream>");
    stream.close();
    stop();
    EXPECT_EQ(exit_status, 0);
}

}  // namespace
