// Deadlines at their real length, and the limit of descriptors.

#include "tests/sip/edge_testing.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <future>
#include <iostream>
#include <sstream>

namespace {

using namespace stox;
using namespace stox::sip;
using namespace stox::sip::test;

/// From 127.0.0.`source`; -1: refused.
int connect_from(unsigned char source, unsigned port) {
    const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in from{};
    from.sin_family = AF_INET;
    from.sin_addr.s_addr = htonl(0x7f000000u + source);
    ::bind(descriptor, reinterpret_cast<sockaddr*>(&from), sizeof from);
    sockaddr_in to = from;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    if (::connect(descriptor, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0) return descriptor;
    ::close(descriptor);
    return -1;
}

bool is_closed(int descriptor) {
    char octet;
    const auto got = ::recv(descriptor, &octet, 1, MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN);
}

/// How long an OPTIONS takes; more than `limit`: none came.
milliseconds options_time(unsigned udp_port, const std::string& branch, milliseconds limit) {
    Wire peer = udp_to(udp_port);
    const auto before = Clock::now();
    peer.send(options_text("UDP", branch));
    if (!hears_within(peer, limit)) return limit + milliseconds(1);
    return duration_cast<milliseconds>(Clock::now() - before);
}

TEST(EdgeLong, ASilentTlsPeerIsGivenUpAfterFiveSeconds) {
    EdgeRig rig;
    TcpListener silent;
    const auto before = Clock::now();
    const auto outcome = rig.send(message_value(), next_hop(Transport::tls, silent.port()));
    const auto took = duration_cast<milliseconds>(Clock::now() - before);
    EXPECT_EQ(outcome.response.status, 503);
    EXPECT_EQ(outcome.local, Outcome::Local::unsent);
    EXPECT_GE(took, milliseconds(4'500));
    EXPECT_LE(took, milliseconds(5'900));
    EXPECT_NE(rig.log_line("no TLS handshake in time"), "");
}

TEST(EdgeLong, AConnectionIsGivenUpAsSoonAsItsRequestSays) {
    EdgeRig rig;
    TcpListener silent;
    auto hop = next_hop(Transport::tls, silent.port());
    hop.open_within = seconds(1);
    const auto before = Clock::now();
    EXPECT_EQ(rig.send(message_value(), hop).local, Outcome::Local::unsent);
    const auto took = duration_cast<milliseconds>(Clock::now() - before);
    EXPECT_GE(took, milliseconds(900));
    EXPECT_LE(took, milliseconds(1'900));
}

// The probe that came first has more time; the message behind it does not wait for that.
TEST(EdgeLong, AConnectionThatIsBeingOpenedIsHurriedByTheNextRequest) {
    EdgeRig rig;
    TcpListener silent;
    auto hop = next_hop(Transport::tls, silent.port());
    auto probe = message_value();
    probe.call_id = "probe";
    std::promise<Outcome> probed;
    rig.on_loop([&](sip::Endpoint& endpoint) {
        endpoint.send(probe, hop, [&](Outcome outcome) { probed.set_value(std::move(outcome)); });
    });
    hop.open_within = seconds(1);
    const auto before = Clock::now();
    EXPECT_EQ(rig.send(message_value(), hop).local, Outcome::Local::unsent);
    EXPECT_EQ(probed.get_future().get().local, Outcome::Local::unsent);
    EXPECT_LE(duration_cast<milliseconds>(Clock::now() - before), milliseconds(1'900));
    EXPECT_EQ(rig.counters().dialled, 1u);
}

struct Dripping {
    int descriptor;
    std::string text;
    Clock::duration closed_after = Clock::duration::max();
};

// 10 sources with 25 connections each, half of them to the TLS port: 5 of each source are over its number.
TEST(EdgeLong, DrippingConnectionsEndInTimeAndOthersAreServedMeanwhile) {
    Certificates made;
    auto settings = on_loopback({Transport::udp, Transport::tcp, Transport::tls});
    settings.tls = {identity(made.issue("a.test", "DNS:a.test"))};
    settings.limits.handshakes = settings.limits.handshakes_per_source = 1'000;
    EdgeRig rig(settings);
    const std::string hello = std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + std::string(500, 'r');
    std::vector<Dripping> all;
    const auto start = Clock::now();
    for (int i = 0; i < 250; ++i) {
        const bool tls = i % 2 == 1;
        const auto source = static_cast<unsigned char>(10 + i / 25);
        const int descriptor = connect_from(source, rig.port(tls ? Transport::tls : Transport::tcp));
        ASSERT_GE(descriptor, 0);
        all.push_back({descriptor, tls ? hello : options_text("TCP", "drip") + std::string(500, 'x')});
    }
    milliseconds worst{0};
    std::size_t open = all.size();
    for (std::size_t at = 0; open > 0 && Clock::now() - start < seconds(20); ++at) {
        for (auto& one : all) {
            if (one.closed_after != Clock::duration::max()) continue;
            if (!is_closed(one.descriptor)) ::send(one.descriptor, &one.text[at % 100], 1, MSG_NOSIGNAL);
            if (!is_closed(one.descriptor)) continue;
            one.closed_after = Clock::now() - start;
            --open;
        }
        worst = std::max(worst, options_time(rig.port(Transport::udp), "o" + std::to_string(at), seconds(10)));
        std::this_thread::sleep_until(start + (at + 1) * milliseconds(100));
    }
    std::size_t at_once = 0;
    milliseconds last{0};
    for (const auto& one : all) {
        at_once += one.closed_after < seconds(4);
        last = std::max(last, duration_cast<milliseconds>(one.closed_after));
        ::close(one.descriptor);
    }
    std::cout << "closed: " << all.size() - open << " of " << all.size() << ", at once " << at_once << ", the last after "
              << last.count() << " ms; OPTIONS at worst " << worst.count() << " ms\n";
    EXPECT_EQ(open, 0u);
    EXPECT_EQ(at_once, 50u);
    EXPECT_LE(last, milliseconds(10'900));
    EXPECT_LT(worst, seconds(1));
    EXPECT_EQ(rig.counters().refused_source_connections, 50u);
    EXPECT_EQ(rig.counters().closed_deadline, 200u);
}

/// stox_sip_echo, on a port that was free a moment ago.
struct Echo {
    Echo() {
        {
            Wire probe = udp_to(9);
            port = local_port(probe);
        }
        int input[2];
        if (::pipe2(input, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
        pid = ::fork();
        if (pid == 0) {
            ::dup2(input[0], STDIN_FILENO);
            ::execl(STOX_SIP_ECHO, STOX_SIP_ECHO, std::to_string(port).c_str(), nullptr);
            ::_exit(127);
        }
        ::close(input[0]);
        control = input[1];
        const auto start = Clock::now();
        // Each is a request of its own: the answer to one that is repeated goes where the first one came from.
        for (int asked = 0; options_time(port, "up" + std::to_string(asked), milliseconds(100)) > milliseconds(100); ++asked) {
            if (Clock::now() - start > seconds(30)) throw std::runtime_error("stox_sip_echo does not answer");
            std::this_thread::sleep_for(milliseconds(10));  // a refusal comes at once
        }
    }
    ~Echo() {
        ::close(control);
        int status = 0;
        ::waitpid(pid, &status, 0);
        EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
    }
    /// From outside, for valgrind keeps a limit that a process sets for itself to itself.
    void limit_descriptors(rlim_t number) const {
        const rlimit limit{number, number};
        if (::prlimit(pid, RLIMIT_NOFILE, &limit, nullptr) != 0) throw std::runtime_error("prlimit");
    }
    double cpu_seconds() const {
        std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
        std::string text((std::istreambuf_iterator<char>(stat)), {});
        std::istringstream fields(text.substr(text.rfind(')') + 2));
        std::string skipped;
        double user = 0, system = 0;
        for (int i = 0; i < 11; ++i) fields >> skipped;
        fields >> user >> system;
        return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
    }

    unsigned port = 0;
    int control = -1;
    pid_t pid = -1;
};

TEST(EdgeLong, WithoutDescriptorsItNeitherSpinsNorFallsSilent) {
    Echo echo;
    echo.limit_descriptors(96);
    // UBSan looks at memory through a pipe when it meets a type for the first time, and takes having no descriptor for it for an
    // error in the program. So everything is met once before.
    for (const bool asks : {true, false, true}) {
        Wire peer(connect_from(1, echo.port));
        if (asks) ask(peer, "TCP", "first");
        const linger reset{1, 0};
        if (!asks) ::setsockopt(peer.descriptor(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    }
    const double before = echo.cpu_seconds();
    std::vector<int> held;
    for (int i = 0; i < 500; ++i)
        if (const int descriptor = connect_from(1, echo.port); descriptor >= 0) held.push_back(descriptor);
    const auto start = Clock::now();
    milliseconds worst{0};
    int asked = 0;
    for (; Clock::now() - start < seconds(8); ++asked) {
        worst = std::max(worst, options_time(echo.port, "fd" + std::to_string(asked), seconds(10)));
        std::this_thread::sleep_until(start + (asked + 1) * milliseconds(200));
    }
    const double used = echo.cpu_seconds() - before;
    std::size_t shed = 0;
    for (const int descriptor : held) shed += is_closed(descriptor);
    std::cout << held.size() << " connected, " << shed << " closed at once; " << used << " s CPU in 8 s; " << asked
              << " OPTIONS, at worst " << worst.count() << " ms\n";
    EXPECT_GE(shed, 400u);
    EXPECT_LT(used, 2.0);  // with sanitizers; the figure itself is judged by a benchmark
    EXPECT_LT(worst, seconds(10));
    for (const int descriptor : held) ::close(descriptor);
    // And again as before, as soon as it has noticed that they are gone.
    const auto freed = Clock::now();
    bool served = false;
    while (!served && Clock::now() - freed < seconds(10)) {
        Wire peer(connect_from(1, echo.port));
        ::send(peer.descriptor(), options_text("TCP", "back").data(), options_text("TCP", "back").size(), MSG_NOSIGNAL);
        served = hears_within(peer, seconds(1));
    }
    EXPECT_TRUE(served);
}

}  // namespace
