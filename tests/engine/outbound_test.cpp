// Requests that only ask: several targets may be asked at once, and the first success counts.

#include "plugin/engine/outbound.h"

#include "tests/engine/rig.h"

#include <random>

namespace {

using namespace stox;
using namespace stox::engine;
using namespace stox::engine::test;
using namespace std::chrono_literals;
using Kind = Outcome::Kind;

/// One OPTIONS of ours to a peer with three next hops.
class OptionsRig {
public:
    OptionsRig() {
        auto options = Rig::default_options();
        options.peers.front().next_hops = {hop(1), hop(2), hop(3)};
        for (unsigned place = 0; auto& one : options.peers.front().next_hops) one.priority = place++;
        hops.configure(options);
        sip::Request request;
        request.method = "OPTIONS";
        request.uri = uri("sip:juliet@capulet.test");
        EXPECT_FALSE(outbound.start(RequestId{100}, request, "phones", hops, turn()));
    }
    Turn turn() { return {now, ids, last, out}; }
    std::optional<Outcome> respond(std::size_t attempt, int status, LocalFailure local = LocalFailure::none) {
        sip::Response response;
        response.status = status;
        return outbound.on_response({sent().at(attempt).transaction, response, local}, hops, turn());
    }
    void pass(std::chrono::milliseconds time) {
        now += time;
        outbound.tick(hops, turn());
    }
    std::vector<SendSip> sent() const {
        std::vector<SendSip> all;
        for (const auto& action : out)
            if (const auto* send = std::get_if<SendSip>(&action)) all.push_back(*send);
        return all;
    }

    IdGenerator ids{[](std::span<std::uint8_t> wanted) { std::ranges::fill(wanted, std::uint8_t{7}); }};
    std::uint64_t last = 0;
    Actions out;
    TimePoint now{};
    NextHops hops;
    Outbound outbound;
};

TEST(Outbound, ASilentTargetIsLeftAfter4SecondsAndTheNextOneAsked) {
    OptionsRig rig;
    EXPECT_EQ(rig.outbound.next_timeout(), TimePoint{} + 4s);
    rig.pass(3'999ms);
    EXPECT_EQ(rig.sent().size(), 1u);
    rig.pass(1ms);
    ASSERT_EQ(rig.sent().size(), 2u);
    EXPECT_EQ(rig.sent()[1].target.endpoint.to_string(), "10.0.0.2:5060");
    rig.pass(4s);
    ASSERT_EQ(rig.sent().size(), 3u);
    EXPECT_FALSE(rig.outbound.next_timeout()) << "the last has all its time";
    const auto outcome = rig.respond(2, 200);
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->kind, Kind::answered);
    EXPECT_EQ(outcome->request, RequestId{100});
    EXPECT_EQ(rig.outbound.in_progress("phones"), 0u);
    for (std::size_t late : {0, 1}) EXPECT_FALSE(rig.respond(late, 200)) << "told once";
}

// So that a message, which is not sent twice, is not held up by a connection that never opens.
TEST(Outbound, AConnectionHasTheTimeOfSilenceWhereAnotherTargetWaits) {
    OptionsRig rig;
    rig.respond(0, 503);
    rig.respond(1, 503);
    ASSERT_EQ(rig.sent().size(), 3u);
    EXPECT_EQ(rig.sent()[0].open_within, 4s);
    EXPECT_EQ(rig.sent()[1].open_within, 4s);
    EXPECT_FALSE(rig.sent()[2].open_within);
}

TEST(Outbound, ALateSuccessOfATargetLeftBehindCounts) {
    OptionsRig rig;
    rig.pass(4s);
    EXPECT_FALSE(rig.respond(0, 404)) << "a late refusal is not the last word";
    EXPECT_FALSE(rig.respond(0, 200)) << "its transaction is over";
    rig.pass(4s);
    const auto outcome = rig.respond(1, 200);
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->response.status, 200);
    EXPECT_FALSE(rig.respond(2, 408, LocalFailure::timeout));
}

TEST(Outbound, AnyResponseKeepsATarget) {
    OptionsRig rig;
    EXPECT_FALSE(rig.respond(0, 100));
    rig.pass(30s);
    EXPECT_EQ(rig.sent().size(), 1u);
    rig.respond(0, 408, LocalFailure::timeout);
    EXPECT_EQ(rig.sent().size(), 2u) << "asking twice harms nobody";
}

TEST(Outbound, TheLastFailureIsTheOutcome) {
    OptionsRig rig;
    EXPECT_FALSE(rig.respond(0, 503));
    EXPECT_FALSE(rig.respond(1, 503, LocalFailure::transport));
    const auto outcome = rig.respond(2, 503, LocalFailure::unsent);
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->kind, Kind::unsent);
    EXPECT_FALSE(rig.outbound.next_timeout());
}

}  // namespace
