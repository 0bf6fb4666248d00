#pragma once
// A worker in this process: control lines on one side, a chat server's component stream on another, SIP on a third.

#include "plugin/host/worker_abi.h"
#include "tests/support/directory.h"
#include "tests/support/wire.h"

#include <gtest/gtest.h>

#include <sys/socket.h>

#include <cstdlib>
#include <optional>
#include <regex>
#include <string>
#include <thread>
#include <utility>

namespace stox::host::test {

using stox::test::local_port;
using stox::test::udp_to;
using stox::test::UnixListener;
using stox::test::Wire;

inline std::pair<int, int> socket_pair() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw std::runtime_error("socketpair");
    return {ends[0], ends[1]};
}

inline std::string quoted(const std::string& text) { return '"' + text + '"'; }

/// The server's end of an attached component stream.
inline Wire attach(const UnixListener& listener, const std::string& domain) {
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
        ::setenv("STATE_DIRECTORY", state.path().c_str(), 1);
        start();
    }
    ~WorkerTest() override {
        if (thread_.joinable()) stop();
    }

    /// Also another one, after stop(): with the state that the first has left.
    void start() {
        const auto [ours, theirs] = socket_pair();
        control.emplace(ours);
        worker_end_.emplace(theirs);
        thread_ = std::thread([this, theirs = theirs] { exit_status = stox_worker_run(theirs, theirs); });
        control->line_with(R"("stox":1)");
        control->send(R"({"stox":1,"version":"test","features":[]})"
                      "\n");
    }

    void stop() {
        control->send("{\"t\":\"stop\"}\n");
        thread_.join();
    }

    void set_engine(const std::string& transport = "udp") {
        control->send(R"({"t":"engine-set","config":{"bind":[")" + transport +
                      R"(:127.0.0.1:0"],"log_level":"debug"}})"
                      "\n");
    }

    /// Opens SIP on a free port of loopback and returns it.
    unsigned listen(const std::string& transport = "udp") {
        set_engine(transport);
        const auto line = control->line_with("\"listening\"");
        std::smatch match;
        EXPECT_TRUE(std::regex_search(line, match, std::regex(transport + ":127.0.0.1:([0-9]+)"))) << line;
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
    stox::test::PrivateDirectory state;
    std::optional<Wire> control;
    int exit_status = -1;

private:
    std::optional<Wire> worker_end_;
    std::thread thread_;
};

/// number  of the request; its body, a digit behind "hello", has it too
inline std::string message_from_phone(unsigned port, unsigned number = 1) {
    const auto text = std::to_string(number);
    return "MESSAGE sip:romeo@montague.test SIP/2.0\r\n"
           "Via: SIP/2.0/UDP 127.0.0.1:" +
           std::to_string(port) + ";branch=z9hG4bKworker" + text +
           ";rport\r\n"
           "Max-Forwards: 70\r\nFrom: <sip:juliet@capulet.test>;tag=a1\r\nTo: <sip:romeo@montague.test>\r\n"
           "Call-ID: worker-test-" + text + "\r\nCSeq: 1 MESSAGE\r\nContent-Type: text/plain\r\nContent-Length: " +
           (number == 1 ? "5\r\n\r\nhello" : std::to_string(5 + text.size()) + "\r\n\r\nhello" + text);
}

inline std::string attribute(const std::string& xml, const std::string& name) {
    std::smatch match;
    return std::regex_search(xml, match, std::regex(' ' + name + "=['\"]([^'\"]*)")) ? match[1].str() : std::string();
}

/// Answers the ping by which the worker learns that the server took what it wrote before.
inline void answer_ping(const Wire& stream, const std::string& ping) {
    stream.send("<iq type='result' from='" + attribute(ping, "to") + "' to='" + attribute(ping, "from") + "' id='" +
                attribute(ping, "id") + "'/>");
}

}  // namespace stox::host::test
