// The pages over HTTP: of the server alone, where what is sent is hostile, and of the worker as a whole.
#include "plugin/host/metrics/http_server.h"
#include "tests/host/worker_rig.h"

#include <nlohmann/json.hpp>

#include <sys/stat.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <chrono>
#include <vector>

namespace {

using namespace stox;
using namespace stox::host;
using namespace stox::host::test;
using namespace std::chrono_literals;
using nlohmann::json;
using stox::test::tcp_to;

/// The server on a loop of its own.
class HttpServerTest : public ::testing::Test {
protected:
    HttpServerTest() {
        server_ = HttpServer::open(loop_, Endpoint::parse("127.0.0.1:0").value(), [](std::string_view target, std::string_view accept) {
                      if (target == "/long") return HttpPage{200, "text/plain", std::string(kLong, 'x')};
                      return HttpPage{200, "text/plain", std::string(target) + '|' + std::string(accept)};
                  }, kPatience).value();
        const auto address = server_->address();
        port = static_cast<unsigned>(std::stoul(address.substr(address.rfind(':') + 1)));
        thread_ = std::thread([this] { loop_.run(); });
    }
    ~HttpServerTest() override {
        boost::asio::post(loop_, [this] { server_.reset(); });
        guard_.reset();
        loop_.stop();
        thread_.join();
    }

    static constexpr std::size_t kLong = 16u << 20;  ///< octets, more than the kernel keeps for us
    static constexpr HttpServer::Patience kPatience{1s, 1s};

    /// Everything that comes until the end.
    static std::string all_of(Wire& wire) {
        std::string text;
        try {
            text = wire.read_until("\r\n\r\n");
            for (;;) text += wire.read_until("\n");
        } catch (const std::exception&) {
        }
        return text;
    }
    std::string say(const std::string& request) const {
        auto wire = tcp_to(port);
        wire.send(request);
        return all_of(wire);
    }
    static std::string status(const std::string& answer) { return answer.substr(0, answer.find("\r\n")); }

    unsigned port = 0;

private:
    boost::asio::io_context loop_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{loop_.get_executor()};
    std::unique_ptr<HttpServer> server_;
    std::thread thread_;
};

TEST_F(HttpServerTest, APageHasItsTargetWithoutItsQuery) {
    const auto answer = say("GET /metrics?x=1 HTTP/1.1\r\nHost: x\r\nAccept: text/plain\r\n\r\n");
    EXPECT_EQ(status(answer), "HTTP/1.1 200 OK");
    EXPECT_NE(answer.find("\r\nConnection: close\r\n"), answer.npos) << answer;
    EXPECT_NE(answer.find("\r\nContent-Length: 19\r\n"), answer.npos) << answer;
    EXPECT_NE(answer.find("\r\nX-Content-Type-Options: nosniff\r\n"), answer.npos) << answer;
}

TEST_F(HttpServerTest, OfHeadTheBodyIsLeftOut) {
    const auto answer = say("HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(status(answer), "HTTP/1.1 200 OK");
    EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
    EXPECT_NE(answer.find("\r\nContent-Length: 9\r\n"), answer.npos) << answer;
}

TEST_F(HttpServerTest, WhatIsNoRequestForAPageIsRefused) {
    const std::vector<std::pair<std::string, std::string>> rows{
        {"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "405"},
        {"DELETE /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "405"},
        {"GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", "413"},
        {"GET /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "413"},
        {"GET /metrics HTTP/9.9\r\n\r\n", "400"},
        {"\x16\x03\x01 TLS\r\n\r\n", "400"},
        {"OPTIONS sip:x SIP/2.0\r\n\r\n", "400"},
        {"GET /" + std::string(9'000, 'x') + " HTTP/1.1\r\n\r\n", "431"},
        {"GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n", "431"}};
    for (const auto& [request, expected] : rows) EXPECT_EQ(status(say(request)).substr(0, 12), "HTTP/1.1 " + expected) << request.substr(0, 60);
    EXPECT_EQ(status(say("GET / HTTP/1.0\r\n\r\n")), "HTTP/1.1 200 OK") << "it goes on";
}

TEST_F(HttpServerTest, WhoSaysOrReadsNothingKeepsNoPlace) {
    for (const std::string said : {"GET /met", "GET /long HTTP/1.1\r\nHost: x\r\n\r\n"}) {
        SCOPED_TRACE(said);
        std::vector<Wire> silent;
        for (std::size_t n = 0; n < HttpServer::kConnections; ++n) {
            silent.push_back(tcp_to(port));
            silent.back().send(said);
        }
        const auto start = std::chrono::steady_clock::now();
        EXPECT_EQ(status(say("GET / HTTP/1.1\r\nHost: x\r\n\r\n")), "HTTP/1.1 200 OK");
        EXPECT_GT(std::chrono::steady_clock::now() - start, 500ms) << "there was a place beyond the most";
        for (auto& wire : silent) EXPECT_TRUE(wire.closed());
    }
}

/// The worker's own pages.
class MetricsPagesTest : public WorkerTest {
protected:
    void serve(const std::string& metrics) {
        control->send(R"({"t":"engine-set","config":{"bind":["udp:127.0.0.1:0"],"log_level":"debug","metrics":)" + metrics + "}}\n");
    }
    unsigned port_of_pages() {
        const auto line = control->line_with("metrics are served on ");
        std::smatch match;
        EXPECT_TRUE(std::regex_search(line, match, std::regex("127.0.0.1:([0-9]+)"))) << line;
        return static_cast<unsigned>(std::stoul(match[1]));
    }
    static std::string get(Wire wire, const std::string& target) {
        wire.send("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n");
        const auto head = wire.read_until("\r\n\r\n");
        const auto at = head.find("Content-Length: ");
        const auto length = std::stoul(head.substr(at + 16));
        std::string body;
        while (body.size() < length) body += wire.read_until("\n");
        return head + body;
    }
    /// Until a page says so.
    static std::string await(unsigned port, const std::string& target, const std::string& text) {
        std::string page;
        for (const auto end = std::chrono::steady_clock::now() + 10s; std::chrono::steady_clock::now() < end; ::usleep(100'000)) {
            page = get(tcp_to(port), target);
            if (page.find(text) != page.npos) return page;
        }
        ADD_FAILURE() << "no " << text << " in\n" << page;
        return page;
    }
};

TEST_F(MetricsPagesTest, WhatIsCountedShows) {
    serve(R"({"listen":"127.0.0.1:0","link_down_s":0})");
    const auto port = port_of_pages();
    control->line_with("\"listening\"");
    set_domain(peer(5061));
    EXPECT_NE(await(port, "/healthz", "capulet.test: not attached for 0 s\n").find("HTTP/1.1 503 "), std::string::npos);
    auto stream = attach(listener, "capulet.test");
    control->line_with("\"up\"");
    EXPECT_NE(await(port, "/healthz", "\r\n\r\nok\n").find("HTTP/1.1 200 "), std::string::npos);
    const auto page = await(port, "/metrics", "stox_component_up{domain=\"capulet.test\"} 1\n");
    EXPECT_NE(page.find("Content-Type: text/plain; version=0.0.4"), page.npos) << page;
    EXPECT_NE(page.find("stox_worker_store_open 1\n"), page.npos) << page;
    EXPECT_NE(page.find("stox_messages_total{domain=\"capulet.test\",direction=\"to_xmpp\",result=\"delivered\"} 0\n"), page.npos) << page;
    EXPECT_NE(page.find("stox_sip_datagrams_total{direction=\"received\",outcome=\"passed\"} 0\n"), page.npos) << page;
    EXPECT_NE(page.find("stox_limit_most{domain=\"\",limit=\"sip_connections\",of=\"\"} 2000\n"), page.npos) << page;
    EXPECT_NE(get(tcp_to(port), "/").find("HTTP/1.1 404 "), std::string::npos);
}

TEST_F(MetricsPagesTest, AReloadMovesAndEndsThem) {
    serve(R"({"listen":"127.0.0.1:0"})");
    const auto port = port_of_pages();
    const auto path = state.file("metrics");
    serve(R"({"listen":"unix:)" + path + "\"}");
    control->line_with("metrics are served on unix:" + path);
    EXPECT_THROW(tcp_to(port), std::runtime_error);
    struct stat found = {};
    ASSERT_EQ(::stat(path.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777u, 0660u);
    serve("{}");
    control->send(R"({"t":"status","id":"1"})"
                  "\n");
    control->line_with("\"t\":\"status\"");
    EXPECT_NE(::stat(path.c_str(), &found), 0);
}

TEST_F(MetricsPagesTest, AnAddressThatIsTakenIsToldAndTriedAgain) {
    auto taken = std::make_optional<stox::test::TcpListener>();
    serve(R"({"listen":"127.0.0.1:)" + std::to_string(taken->port()) + "\"}");
    EXPECT_NE(control->line_with("cannot serve metrics").find("Address already in use"), std::string::npos);
    taken.reset();
    EXPECT_GT(port_of_pages(), 0u);
}

TEST_F(MetricsPagesTest, WhatAKilledWorkerHasForAMomentMoreIsWaitedForInSilence) {
    auto taken = std::make_optional<stox::test::TcpListener>();
    serve(R"({"listen":"127.0.0.1:)" + std::to_string(taken->port()) + "\"}");
    auto said = control->read_until("\"listening\"");  // it was tried by then
    taken.reset();
    const auto freed = std::chrono::steady_clock::now();
    said += control->read_until("metrics are served on ");
    EXPECT_LT(std::chrono::steady_clock::now() - freed, 2s);
    EXPECT_EQ(said.find("cannot serve metrics"), said.npos) << said;
}

TEST_F(MetricsPagesTest, WithoutLeaveTheyAreForThisMachineAlone) {
    serve(R"({"listen":"0.0.0.0:9516"})");
    EXPECT_NE(control->line_with("\"config-error\"").find("metrics.allow_remote"), std::string::npos);
}

TEST_F(MetricsPagesTest, AModuleGetsTheSameByALine) {
    listen();
    set_domain(peer(5061));
    auto stream = attach(listener, "capulet.test");
    control->line_with("\"up\"");
    control->send(R"({"t":"metrics","id":"5"})"
                  "\n");
    const auto answer = json::parse(control->line_with("\"t\":\"metrics\""));
    EXPECT_EQ(answer["id"], "5");
    for (const auto& family : answer["families"]) {
        if (family["name"] != "stox_component_up") continue;
        EXPECT_EQ(family["type"], "gauge");
        EXPECT_EQ(family["labels"], json::array({"domain"}));
        EXPECT_EQ(family["samples"], json::parse(R"([{"labels":["capulet.test"],"value":1}])"));
        return;
    }
    ADD_FAILURE() << answer;
}

}  // namespace
