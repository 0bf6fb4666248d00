// The doctor on this machine: ports that are taken, next hops that answer, refuse and say nothing, files.
#include "plugin/host/doctor/gather.h"
#include "plugin/host/doctor/ports.h"

#include "plugin/host/listener.h"
#include "tests/sip/certificates.h"
#include "tests/support/directory.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <thread>

#include <unistd.h>

namespace {

using namespace stox;
using namespace stox::doctor;
namespace asio = boost::asio;

const asio::ip::address kLoopback = asio::ip::address_v4::loopback();

std::string engine_line(const std::string& options) { return R"({"t":"engine-set","config":{)" + options + "}}\n"; }

std::string domain_line(const std::string& options) {
    return R"({"t":"domain-set","domain":"sip.example.com","xmpp_domains":["example.com"],"xmpp":{"unix":"-","secret":"-"},"config":{)" + options + "}}\n";
}

std::string hop_to(const std::string& uri) {
    return domain_line(R"("peers":{"carrier":{"match":{"source":["192.0.2.0/24"]},"next_hop":")" + uri + "\"}}");
}

const TargetFact& only_target(const Facts& facts) {
    static const TargetFact none{"none"};
    return facts.hops.size() == 1 && facts.hops[0].targets.size() == 1 ? facts.hops[0].targets[0] : none;
}

}  // namespace

TEST(DoctorGather, ATakenPortHasAHolder) {
    asio::io_context loop;
    asio::ip::udp::socket udp(loop, {kLoopback, 0});
    asio::ip::tcp::acceptor tcp(loop, {kLoopback, 0});
    const auto udp_port = udp.local_endpoint().port(), tcp_port = tcp.local_endpoint().port();
    const auto facts = gather(engine_line(R"("bind":["udp:127.0.0.1:)" + std::to_string(udp_port) + R"(","tcp:127.0.0.1:)" + std::to_string(tcp_port) + "\"]"));
    ASSERT_EQ(facts.ports.size(), 2U);
    for (const auto& port : facts.ports) {
        EXPECT_EQ(port.error, EADDRINUSE);
        EXPECT_EQ(port.holder_pid, getpid());
        EXPECT_EQ(port.holder, "stox_host_tests");
    }
}

TEST(DoctorGather, TheWorkerIsWhoListensInTheStateFolder) {
    const test::PrivateDirectory state;
    const auto line = engine_line(R"("state_dir":")" + state.path() + '"');
    EXPECT_EQ(gather(line).worker_pid, 0);
    EXPECT_EQ(gather(line).worker_socket, state.file("admin.sock"));
    const auto listener = host::listen_on(state.file("admin.sock"), 0600);
    ASSERT_TRUE(listener);
    EXPECT_EQ(gather(line).worker_pid, getpid());
    ::close(listener.value());
    EXPECT_EQ(gather(line).worker_pid, 0) << "nobody listens there any more";
}

TEST(DoctorGather, AFreePortIsFreeAfterwardsToo) {
    asio::io_context loop;
    asio::ip::udp::endpoint free;
    {
        free = asio::ip::udp::socket(loop, {kLoopback, 0}).local_endpoint();
    }
    const config::Listener listener{Transport::udp, Endpoint::parse("127.0.0.1:" + std::to_string(free.port())).value()};
    EXPECT_EQ(try_port(listener).error, 0);
    EXPECT_NO_THROW(asio::ip::udp::socket(loop, free));
    EXPECT_EQ(try_port({Transport::tcp, Endpoint::parse("203.0.113.77:5060").value()}).error, EADDRNOTAVAIL);
}

TEST(DoctorGather, TablesOfTheKernelAreRead) {
    constexpr std::string_view kTable =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        "   0: 0100007F:13C4 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0\n"
        "   1: 0100007F:13C4 0100007F:A001 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 20 4 30 10 -1\n"
        "   2: 0100007F:13C5 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0 100 0 0 10 0\n"
        "   3: nonsense\n";
    EXPECT_EQ(sockets_on(kTable, 5060, Transport::tcp), (std::vector<std::uint64_t>{4711}));
    EXPECT_EQ(sockets_on(kTable, 5060, Transport::udp), (std::vector<std::uint64_t>{4711, 4712}));
    EXPECT_TRUE(sockets_on("", 5060, Transport::udp).empty());
}

TEST(DoctorGather, ANextHopThatAnswersAnOptions) {
    asio::io_context loop;
    asio::ip::udp::socket peer(loop, {kLoopback, 0});
    std::string asked;
    std::thread answer([&] {
        std::array<char, 2048> room;
        asio::ip::udp::endpoint from;
        asked.assign(room.data(), peer.receive_from(asio::buffer(room), from));
        peer.send_to(asio::buffer(std::string("SIP/2.0 200 OK\r\n\r\n")), from);
    });
    const auto facts = gather(engine_line("") + hop_to("sip:127.0.0.1:" + std::to_string(peer.local_endpoint().port())));
    answer.join();
    EXPECT_EQ(only_target(facts).error, "");
    EXPECT_FALSE(only_target(facts).silent);
    EXPECT_TRUE(asked.starts_with("OPTIONS sip:127.0.0.1:")) << asked;
    EXPECT_TRUE(asked.ends_with("Content-Length: 0\r\n\r\n")) << asked;
}

TEST(DoctorGather, ANextHopThatSaysNothing) {
    asio::io_context loop;
    asio::ip::udp::socket peer(loop, {kLoopback, 0});
    const auto facts = gather(engine_line("") + hop_to("sip:127.0.0.1:" + std::to_string(peer.local_endpoint().port())));
    EXPECT_TRUE(only_target(facts).silent);
    EXPECT_EQ(only_target(facts).error, "");
}

TEST(DoctorGather, NextHopsThatRefuse) {
    asio::io_context loop;
    const auto closed_udp = asio::ip::udp::socket(loop, {kLoopback, 0}).local_endpoint().port();
    const auto closed_tcp = asio::ip::tcp::acceptor(loop, {kLoopback, 0}).local_endpoint().port();
    EXPECT_EQ(only_target(gather(engine_line("") + hop_to("sip:127.0.0.1:" + std::to_string(closed_udp)))).error, "Connection refused");
    EXPECT_EQ(only_target(gather(engine_line("") + hop_to("sip:127.0.0.1:" + std::to_string(closed_tcp) + ";transport=tcp"))).error, "Connection refused");
}

TEST(DoctorGather, ACertificateThatHasExpiredIsAProblem) {
    sip::test::Certificates made;
    const auto old = made.issue("sip.example.com", "DNS:sip.example.com", -1), good = made.issue("sip.example.com", "DNS:sip.example.com", 7);
    const auto tls = [](const sip::test::Certificates::Files& files) {
        return R"("tls":{"certificate":")" + files.chain + R"(","key":")" + files.key + "\"}";
    };
    auto facts = gather(engine_line("") + domain_line(tls(old)));
    ASSERT_EQ(facts.certificates.size(), 1U);
    ASSERT_EQ(facts.certificates[0].problems.size(), 1U);
    EXPECT_EQ(facts.certificates[0].problems[0].text, old.chain + ": the certificate has expired");
    facts = gather(engine_line("") + domain_line(tls(good)));
    ASSERT_EQ(facts.certificates.size(), 1U);
    EXPECT_TRUE(facts.certificates[0].problems.empty());
    EXPECT_EQ(facts.certificates[0].warnings.size(), 1U) << "it ends within two weeks";
}

TEST(DoctorGather, MistakesOfAConfigurationAreAllTold) {
    const auto facts = gather(engine_line(R"("bnd":[])") + domain_line(R"("schema":"native")") + "no JSON\n");
    ASSERT_EQ(facts.problems.size(), 3U);
    EXPECT_EQ(facts.problems[0].second.path, "bnd");
    EXPECT_EQ(facts.problems[1].first, "sip.example.com");
    EXPECT_FALSE(facts.engine);
}

TEST(DoctorGather, TheStateFolderIsLookedAtWhereItWillBe) {
    const auto folder = testing::TempDir();
    const auto facts = gather(engine_line(R"("state_dir":")" + folder + R"(doctor/not/yet")"));
    EXPECT_EQ(facts.state.wanted, folder + "doctor/not/yet");
    EXPECT_EQ(facts.state.path + '/', folder.ends_with('/') ? folder : folder + '/');
    EXPECT_TRUE(facts.state.is_directory);
    EXPECT_TRUE(facts.state.usable);
    EXPECT_GT(facts.state.free_octets, 0U);
}
