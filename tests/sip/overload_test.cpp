// What becomes of requests that there is no room for.

#include "sip/overload.h"
#include "tests/sip/edge_testing.h"

namespace {

using namespace stox;
using namespace stox::sip;
using namespace stox::sip::test;

/// What one needs that UDP may repeat is 8 KiB and something for its octets, so that two of them are beyond this.
constexpr std::size_t kRoomForTwo = 12'000;

bool accepts(EdgeRig& rig, const std::string& branch) {
    Wire peer = udp_to(rig.port(Transport::udp));
    return ask(peer, "UDP", branch).starts_with("SIP/2.0 200 ");
}

TEST(Overload, RequestsBeyondTheMemoryAreRefusedCountedAndToldWithWhatToDo) {
    auto settings = on_loopback({Transport::udp});
    settings.max_transaction_octets = kRoomForTwo;
    EdgeRig rig(settings);
    EXPECT_TRUE(accepts(rig, "first"));
    EXPECT_TRUE(accepts(rig, "second"));
    EXPECT_EQ(rig.counters().requests, 2u);
    EXPECT_EQ(rig.counters().refused_memory, 0u);

    Wire peer = udp_to(rig.port(Transport::udp));
    const auto refusal = ask(peer, "UDP", "third");
    EXPECT_TRUE(refusal.starts_with("SIP/2.0 503 ")) << refusal;
    EXPECT_NE(refusal.find("Retry-After: 2\r\n"), refusal.npos) << refusal;
    EXPECT_TRUE(ask(peer, "UDP", "fourth").starts_with("SIP/2.0 503 "));
    EXPECT_EQ(rig.counters().requests, 2u);
    EXPECT_EQ(rig.counters().refused_memory, 2u);
    EXPECT_EQ(rig.counters().refused_requests, 0u);
    EXPECT_NE(rig.log_line("answered 503").find("raise limits.request_memory_mib or lower the rate"), std::string::npos);
}

TEST(Overload, RequestsBeyondTheirNumberLikewise) {
    auto settings = on_loopback({Transport::udp});
    settings.max_transactions = 1;
    EdgeRig rig(settings);
    Wire peer = udp_to(rig.port(Transport::udp));
    peer.send(options_text("UDP", "wait1"));
    rig.request("wait1");
    EXPECT_TRUE(ask(peer, "UDP", "second").starts_with("SIP/2.0 503 "));
    EXPECT_EQ(rig.counters().refused_requests, 1u);
    EXPECT_EQ(rig.counters().refused_memory, 0u);
    EXPECT_NE(rig.log_line("answered 503").find("raise limits.requests or lower the rate"), std::string::npos);
}

TEST(Overload, ABurstIsOneLineWhichTheNextCounts) {
    std::vector<std::string> lines;
    sip::Endpoint::Settings settings;
    settings.log = [&](LogLevel level, std::string_view line) {
        EXPECT_EQ(level, LogLevel::error);
        lines.emplace_back(line);
    };
    Overload overload(settings);
    const auto now = Clock::now();
    for (int i = 0; i < 100; ++i) overload.refused(Overload::Limit::memory, {}, now + milliseconds(i));
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_NE(lines.back().find("take 512 MiB"), std::string::npos) << lines.back();
    overload.refused(Overload::Limit::requests, {}, now);
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_NE(lines.back().find("10000 wait"), std::string::npos) << lines.back();
    overload.refused(Overload::Limit::memory, {}, now + seconds(11));
    ASSERT_EQ(lines.size(), 3u);
    EXPECT_NE(lines.back().find("repeated=99"), std::string::npos) << lines.back();
    EXPECT_EQ(overload.over_memory(), 101u);
    EXPECT_EQ(overload.over_requests(), 1u);
}

}  // namespace
