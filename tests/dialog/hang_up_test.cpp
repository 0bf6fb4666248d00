// The application hangs up where something else is owed first: an answer that waits for a PRACK, an INVITE of which nothing was
// heard but what is not read.

#include "mapping/sip/user_agent.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace {

using namespace stox::sip;
using std::chrono::hours;

constexpr TransactionId kInvite = 1, kPrack = 2;

NameAddr address(const char* uri, std::string tag = {}) { return {"", Uri::parse(uri).value(), std::move(tag)}; }

Request from_caller(const char* method, std::uint32_t cseq, std::string to_tag = {}) {
    Request request;
    request.method = method;
    request.uri = Uri::parse("sip:ua@127.0.0.1").value();
    request.from = address("sip:juliet@capulet.test", "caller");
    request.to = address("sip:ua@127.0.0.1", std::move(to_tag));
    request.call_id = "call";
    request.cseq = cseq;
    request.contacts = {address("sip:juliet@192.0.2.1")};
    request.headers = {{"Supported", "100rel"}};
    return request;
}

template <class Event>
std::vector<Event> all(const UserAgent::Actions& actions) {
    std::vector<Event> found;
    for (const auto& action : actions)
        if (const auto* event = std::get_if<Event>(&action)) found.push_back(*event);
    return found;
}

std::vector<int> statuses(const UserAgent::Actions& actions, TransactionId transaction) {
    std::vector<int> found;
    for (const auto& respond : all<Respond>(actions))
        if (respond.transaction == transaction) found.push_back(respond.response.status);
    return found;
}

class HangUp : public testing::Test {
protected:
    HangUp() {
        agent.receive({kInvite, from_caller("INVITE", 1), "peer", address("sip:ua@127.0.0.1"), false}, now, out);
        call = all<Invited>(out).at(0).call;
        agent.progress(call, Reply{183, {}, {}}, true, now, out);
        rings = all<Respond>(out).back().response;
    }
    void prack() {
        auto request = from_caller("PRACK", 2, rings.to_tag);
        request.headers = {{"RAck", *rings.header("RSeq") + " 1 INVITE"}};
        agent.receive({kPrack, request, "peer", address("sip:ua@127.0.0.1"), false}, now, out);
    }

    TimePoint now{hours(1)};
    UserAgent agent{{}, [](std::uint32_t) { return 0u; }, [] { return std::string("ours"); }};
    UserAgent::Actions out;
    UsageKey call = UsageKey::none;
    Response rings;
};

TEST_F(HangUp, AnAnswerThatWaitsForPrackIsTakenBack) {
    agent.answer(call, Reply{200, {}, {}}, now, out);
    agent.hang_up(call, {{"Reason", "Q.850;cause=16"}}, now, out);
    ASSERT_EQ(all<Failed>(out).size(), 1u);
    EXPECT_EQ(all<Failed>(out)[0].response.status, 480);
    prack();
    EXPECT_EQ(statuses(out, kInvite), (std::vector{183, 480}));
    EXPECT_TRUE(all<Respond>(out).back().response.header("Reason"));
    EXPECT_EQ(all<Failed>(out).size(), 1u);
    EXPECT_EQ(agent.usages(), 0u);
}

TEST_F(HangUp, BeforeAnAnswerItIsTheAnswer) {
    agent.hang_up(call, {}, now, out);
    agent.answer(call, Reply{200, {}, {}}, now, out);
    prack();
    EXPECT_EQ(statuses(out, kInvite), (std::vector{183, 480}));
    EXPECT_TRUE(all<Failed>(out).empty());
    EXPECT_EQ(agent.usages(), 0u);
}

TEST_F(HangUp, ARefusalStands) {
    agent.answer(call, Reply{486, {}, {}}, now, out);
    agent.hang_up(call, {}, now, out);
    prack();
    EXPECT_EQ(statuses(out, kInvite), (std::vector{183, 486}));
    EXPECT_TRUE(all<Failed>(out).empty());
}

/// An INVITE of ours.
class HangUpOfOurs : public testing::Test {
protected:
    HangUpOfOurs() {
        auto invite = from_caller("INVITE", 1);
        invite.headers.clear();
        call = agent.invite(invite, "peer", now, out);
        key = all<SendRequest>(out).at(0).key;
    }
    void provisional(std::string to_tag, std::vector<Header> headers) {
        Response response;
        response.status = 183;
        response.to_tag = std::move(to_tag);
        response.contacts = {address("sip:romeo@192.0.2.2")};
        response.headers = std::move(headers);
        agent.receive({key, response, {}}, now, out);
    }

    TimePoint now{hours(1)};
    UserAgent agent{{}, [](std::uint32_t) { return 0u; }, [] { return std::string("ours"); }};
    UserAgent::Actions out;
    UsageKey call = UsageKey::none;
    RequestKey key = RequestKey::none;
};

// A reliable provisional without RSeq or tag cannot be acknowledged, but after it a CANCEL may go. Without one the transaction
// would last for ever.   (RFC 3261 §9.1)
TEST_F(HangUpOfOurs, WhatCannotBeReadIsHeardAllTheSame) {
    provisional("callee", {{"Require", "100rel"}});
    EXPECT_TRUE(all<Progressed>(out).empty());
    agent.hang_up(call, {}, now, out);
    EXPECT_EQ(all<SendCancel>(out).size(), 1u);
}

TEST_F(HangUpOfOurs, TheCancelGoesWithWhatCannotBeRead) {
    agent.hang_up(call, {}, now, out);
    EXPECT_TRUE(all<SendCancel>(out).empty());
    provisional("", {{"Require", "100rel"}, {"RSeq", "1"}});
    EXPECT_EQ(all<SendCancel>(out).size(), 1u);
    EXPECT_EQ(all<SendRequest>(out).size(), 1u);
}

}  // namespace
