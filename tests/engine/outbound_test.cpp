// Requests that only ask: several targets may be asked at once, and the first success counts. Of an INVITE the others count as well.

#include "mapping/sip/user_agent.h"
#include "plugin/engine/outbound.h"

#include "tests/engine/rig.h"

#include <random>

namespace {

using namespace stox;
using namespace stox::engine;
using namespace stox::engine::test;
using namespace std::chrono_literals;
using Kind = Outcome::Kind;

/// One request of ours to a peer with three next hops.
class OptionsRig {
public:
    /// method  empty: nothing is sent yet
    explicit OptionsRig(const std::string& method = "OPTIONS") {
        auto options = Rig::default_options();
        options.peers.front().next_hops = {hop(1), hop(2), hop(3)};
        for (unsigned place = 0; auto& one : options.peers.front().next_hops) one.priority = place++;
        hops.configure(options);
        if (method.empty()) return;
        const auto request = to_juliet(method);
        EXPECT_FALSE(method == "OPTIONS" ? outbound.start(RequestId{100}, request, "phones", hops, turn()) : invite(request));
    }
    static sip::Request to_juliet(const std::string& method) {
        sip::Request request;
        request.method = method;
        request.uri = uri("sip:juliet@capulet.test");
        return request;
    }
    std::optional<Outcome> invite(const sip::Request& request, std::uint64_t id = 100) {
        return outbound.start_dialog(RequestId{id}, request, "phones", {}, hops, turn());
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

/// An INVITE of which the first target has said nothing for 4 s.
class LeftBehind : public OptionsRig {
public:
    LeftBehind() : OptionsRig("INVITE") {
        pass(4s);
        EXPECT_EQ(sent().size(), 2u);
    }
};

TEST(OutboundInvite, EachFurtherSuccessIsToldAfterTheFirst) {
    LeftBehind rig;
    const auto first = rig.respond(1, 200);
    ASSERT_TRUE(first);
    EXPECT_FALSE(first->further);
    EXPECT_FALSE(first->others_may_answer) << "that is for failures";
    EXPECT_FALSE(rig.respond(0, 180));
    for (int copy = 0; copy < 2; ++copy) {
        const auto late = rig.respond(0, 200);
        ASSERT_TRUE(late);
        EXPECT_TRUE(late->further);
        EXPECT_EQ(late->request, RequestId{100});
        EXPECT_EQ(late->response.status, 200);
    }
    const auto forked = rig.respond(1, 200);  // behind the target that was first
    ASSERT_TRUE(forked);
    EXPECT_TRUE(forked->further);
}

TEST(OutboundInvite, TheFirstSuccessMayBeOfATargetThatWasLeftBehind) {
    LeftBehind rig;
    const auto first = rig.respond(0, 200);
    ASSERT_TRUE(first);
    EXPECT_FALSE(first->further);
    const auto second = rig.respond(1, 200);
    ASSERT_TRUE(second);
    EXPECT_TRUE(second->further);
}

TEST(OutboundInvite, WhoRefusesLateIsNotListenedToAnyMore) {
    LeftBehind rig;
    EXPECT_TRUE(rig.respond(1, 200));
    EXPECT_FALSE(rig.respond(0, 486));
    EXPECT_FALSE(rig.respond(0, 200));
}

TEST(OutboundInvite, ItIsListenedToFor64T1AfterItsOutcome) {
    for (const int status : {200, 486}) {
        LeftBehind rig;
        rig.pass(1s);
        EXPECT_TRUE(rig.respond(1, status));
        EXPECT_EQ(rig.outbound.next_timeout(), rig.now + 32s);
        rig.pass(31'999ms);
        EXPECT_TRUE(rig.respond(0, 200)) << status;
        rig.pass(1ms);
        EXPECT_FALSE(rig.respond(0, 200)) << status;
        EXPECT_FALSE(rig.outbound.next_timeout());
    }
}

TEST(OutboundInvite, AFailureSaysWhetherAnotherTargetMayAnswerYet) {
    LeftBehind rig;
    const auto failed = rig.respond(1, 486);
    ASSERT_TRUE(failed);
    EXPECT_TRUE(failed->others_may_answer);
    OptionsRig alone("INVITE");
    const auto only = alone.respond(0, 486);
    ASSERT_TRUE(only);
    EXPECT_FALSE(only->others_may_answer);
    EXPECT_FALSE(alone.respond(0, 200)) << "its transaction is over";
    LeftBehind refused_before;
    EXPECT_FALSE(refused_before.respond(0, 404));
    EXPECT_FALSE(refused_before.respond(1, 486)->others_may_answer);
}

TEST(OutboundInvite, OfAllThatAreListenedToTheOldestIsForgotten) {
    OptionsRig rig("");
    const auto request = OptionsRig::to_juliet("INVITE");
    const auto accept = [&](std::uint64_t transaction) {
        sip::Response response;
        response.status = 200;
        return rig.outbound.on_response({ClientTransaction{transaction}, response, LocalFailure::none}, rig.hops, rig.turn());
    };
    for (std::uint64_t number = 1; number <= Outbound::kMostListened; ++number) {
        ASSERT_FALSE(rig.invite(request, number));
        ASSERT_TRUE(accept(number));
        rig.out.clear();
        rig.now += 1ms;
    }
    EXPECT_TRUE(accept(1));
    ASSERT_FALSE(rig.invite(request, Outbound::kMostListened + 1));
    ASSERT_TRUE(accept(Outbound::kMostListened + 1));
    EXPECT_FALSE(accept(1));
    EXPECT_TRUE(accept(2));
}

/// The same under the dialog layer, which has the rest.
class CallRig : public OptionsRig {
public:
    CallRig() : OptionsRig("") {
        auto request = to_juliet("INVITE");
        request.from = {"", uri("sip:romeo@montague.test"), "a"};
        request.to = {"", request.uri, ""};
        request.call_id = "c1";
        request.cseq = 1;
        request.contacts = {{"", uri("sip:x@10.0.0.9"), ""}};
        std::vector<sip::Action> actions;
        agent.invite(request, "phones", now, actions);
        const auto& send = std::get<sip::SendRequest>(actions.at(0));
        key = send.key;
        EXPECT_FALSE(invite(send.request));
        pass(4s);
    }
    /// "ack 2, BYE 2": what the agent does about it, by the To tag, which is the attempt's number.
    std::string answer(std::size_t attempt, int status) {
        sip::Response response;
        response.status = status;
        response.to_tag = std::to_string(attempt);
        response.contacts = {{"", uri("sip:juliet@10.0.0.1:5070"), ""}};
        const auto outcome =
            outbound.on_response({sent().at(attempt).transaction, response, LocalFailure::none}, hops, turn());
        if (!outcome) return "";
        std::vector<sip::Action> actions;
        agent.receive({key, outcome->response, {}, outcome->others_may_answer}, now, actions);
        std::string text;
        const auto say = [&](const std::string& one) { text += (text.empty() ? "" : ", ") + one; };
        for (const auto& action : actions) {
            if (const auto* ack = std::get_if<sip::SendAck>(&action)) say("ack " + ack->request.to.tag);
            if (const auto* send = std::get_if<sip::SendRequest>(&action)) {
                say(send->request.method + ' ' + send->request.to.tag);
                bye = send->key;
            }
            if (std::holds_alternative<sip::Answered>(action)) say("answered");
            if (const auto* failed = std::get_if<sip::Failed>(&action)) say("failed " + std::to_string(failed->response.status));
        }
        return text;
    }

    std::uint64_t tags = 0;
    sip::UserAgent agent{{}, [](std::uint32_t) { return 0u; }, [this] { return "t" + std::to_string(++tags); }};
    sip::RequestKey key{}, bye{};
};

// Contract 4: a late 200 after fail-over to the next target is ACKed and BYEd at once.
TEST(OutboundInvite, ALate200AfterFailOverIsAcknowledgedAndEnded) {
    CallRig rig;
    EXPECT_EQ(rig.answer(1, 200), "ack 1, answered");
    EXPECT_EQ(rig.answer(0, 200), "ack 0, BYE 0");
    EXPECT_EQ(rig.answer(0, 200), "ack 0");
    sip::Response ended;
    ended.status = 200;
    std::vector<sip::Action> none;
    rig.agent.receive({rig.bye, ended}, rig.now, none);
    EXPECT_EQ(rig.agent.dialogs(), 1u) << "the call goes on";
}

TEST(OutboundInvite, ALate200AfterTheLastTargetsRefusalIsAcknowledgedAndEnded) {
    CallRig rig;
    EXPECT_EQ(rig.answer(1, 486), "failed 486");
    EXPECT_EQ(rig.answer(0, 200), "ack 0, BYE 0");
}

}  // namespace
