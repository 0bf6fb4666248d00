// Our INVITE, row by row as RFC 3261 §13.2 and §9.1, RFC 3262 §4 and RFC 4028 §7.3 want it.

#include "tests/dialog/rig.h"

namespace stox::test {
namespace {

using namespace sip;

Say reliable(const std::string& rseq, std::string body = {}, std::string tag = "b") {
    return {.tag = std::move(tag), .body = std::move(body), .headers = {{"Require", "100rel"}, {"RSeq", rseq}}};
}

struct Calling : testing::Test {
    Rig rig;
    UsageKey key{};
    void call(const std::string& offer = "O") { key = rig.call(offer); }
    Words response(int status, Say say = {}) { return rig.response("INVITE", status, std::move(say)); }
    Words hang_up() {
        return rig.does([&](auto& out) { rig.agent.hang_up(key, {}, rig.now, out); });
    }
    Words acknowledge(const std::string& answer) {
        return rig.does([&](auto& out) { rig.agent.acknowledge(key, sdp(answer), rig.now, out); });
    }
    Words answer_provisional(const std::string& answer, const std::string& tag = "b") {
        return rig.does([&](auto& out) { rig.agent.answer_provisional(key, tag, sdp(answer), rig.now, out); });
    }
};

TEST_F(Calling, SaysWhatItSupports) {
    call();
    const auto& invite = rig.sent("INVITE").request;
    EXPECT_EQ(*invite.header("Session-Expires"), "1800");
    EXPECT_TRUE(invite.header("Allow")->find("UPDATE") != std::string::npos);
    std::string supported;
    for (const auto& header : invite.headers)
        if (header.name == "Supported") supported += header.value + ' ';
    EXPECT_EQ(supported, "100rel timer ");
    EXPECT_FALSE(invite.header("Min-SE"));
}

TEST_F(Calling, EachTryWaitsForItsOwnProvisionalBeforeItIsCancelled) {
    call();
    response(180);
    EXPECT_EQ(response(401, {.credentials = {{"Authorization", "x"}}}), Words{"send INVITE [O]"});
    EXPECT_EQ(hang_up(), Words{});
    EXPECT_EQ(response(100), Words{"cancel"});
    EXPECT_EQ(response(180), Words{});  // once is enough
    EXPECT_EQ(response(487), Words{"Failed 487"});
}

TEST_F(Calling, ProvisionalsMakeEarlyDialogs) {
    call();
    EXPECT_EQ(response(100), Words{});
    EXPECT_EQ(rig.agent.dialogs(), 0u);
    EXPECT_EQ(response(180), Words{"Progressed 180"});
    EXPECT_EQ(response(183, {.tag = "c", .body = "A"}), Words{"Progressed 183 preview"});
    EXPECT_EQ(rig.agent.dialogs(), 2u);
    EXPECT_EQ(response(180, {.tag = ""}), Words{"Progressed 180"});  // no tag, no dialog
    EXPECT_EQ(rig.agent.dialogs(), 2u);
}

TEST_F(Calling, ReliableProvisionalsAreAcknowledgedInOrder) {
    call();
    EXPECT_EQ(response(183, reliable("5", "A")), (Words{"send PRACK", "Progressed 183 answer reliable"}));
    EXPECT_EQ(*rig.sent("PRACK").request.header("RAck"), "5 1 INVITE");
    EXPECT_EQ(rig.sent("PRACK").request.cseq, 2u);
    EXPECT_EQ(response(183, reliable("5", "A")), Words{});  // again
    EXPECT_EQ(response(180, reliable("7")), Words{});       // out of order
    EXPECT_EQ(response(180, reliable("6")), (Words{"send PRACK", "Progressed 180 reliable"}));
    EXPECT_EQ(response(180, reliable("0", "", "c")), Words{});
    EXPECT_EQ(response(180, reliable("900", "", "c")),
              (Words{"send PRACK", "Progressed 180 reliable"}));  // each fork counts alone
}

TEST_F(Calling, OfferInReliableProvisionalIsAnsweredInPrack) {
    call("");
    EXPECT_EQ(response(183, reliable("5", "O")), Words{"Progressed 183 offer reliable"});
    EXPECT_EQ(response(180, reliable("6")), Words{});  // its successor before the PRACK
    EXPECT_EQ(answer_provisional("A"), Words{"send PRACK [A]"});
    EXPECT_EQ(answer_provisional("A"), Words{});
    EXPECT_EQ(response(200, {.body = "O"}), (Words{"ack", "Answered 200"}));
}

TEST_F(Calling, ChallengedPrackGoesAgain) {
    call();
    response(183, reliable("5", "A"));
    EXPECT_EQ(rig.response("PRACK", 407, {.credentials = {{"Proxy-Authorization", "x"}}}), Words{"send PRACK"});
    EXPECT_EQ(*rig.sent("PRACK").request.header("Proxy-Authorization"), "x");
    EXPECT_EQ(*rig.sent("PRACK").request.header("RAck"), "5 1 INVITE");
    EXPECT_EQ(rig.sent("PRACK").request.cseq, 3u);
    EXPECT_EQ(rig.response("PRACK", 200), Words{});
}

TEST_F(Calling, FirstDescriptionIsTheAnswerAndLaterOnesAreIgnored) {
    call();
    response(183, reliable("5", "A"));
    EXPECT_EQ(response(183, reliable("6", "A")), (Words{"send PRACK", "Progressed 183 reliable"}));
    EXPECT_EQ(response(200, {.body = "A"}), (Words{"ack", "Answered 200"}));
}

TEST_F(Calling, AnswerToAnEarlyUpdateIsNotSoughtInThe200) {
    call();
    response(183, reliable("5", "A"));
    rig.does([&](auto& out) { rig.agent.modify(key, {"UPDATE", {}, sdp("O2")}, rig.now, out, "b"); });
    EXPECT_EQ(response(200, {.body = "A"}), (Words{"ack", "Answered 200"}));
    EXPECT_EQ(rig.response("UPDATE", 200, {.body = "A2"}), Words{"Modified 200 answer"});
}

TEST_F(Calling, SuccessIsAcknowledgedEachTime) {
    call();
    EXPECT_EQ(response(200, {.body = "A"}), (Words{"ack", "Answered 200 answer"}));
    EXPECT_EQ(response(200, {.body = "A"}), Words{"ack"});
    EXPECT_EQ(rig.last<SendAck>().request.cseq, 1u);
    EXPECT_EQ(response(180), Words{});
    EXPECT_EQ(rig.agent.dialogs(), 1u);
}

TEST_F(Calling, SuccessesOfOtherForksAreEnded) {
    call();
    response(180, {.tag = "c"});
    response(200, {.body = "A"});
    EXPECT_EQ(rig.agent.dialogs(), 1u);  // the early one of c went
    EXPECT_EQ(response(200, {.tag = "c", .body = "A"}), (Words{"ack", "send BYE"}));
    EXPECT_EQ(rig.sent("BYE").request.to.tag, "c");
    EXPECT_EQ(response(200, {.tag = "c", .body = "A"}), Words{"ack"});
    EXPECT_EQ(rig.response("BYE", 200), Words{});
    EXPECT_EQ(rig.agent.dialogs(), 1u);
}

TEST_F(Calling, AfterAFailureOfOneTargetTheSuccessOfAnotherIsEnded) {
    struct Fresh : Calling {
        void TestBody() override {}
    };
    for (const bool rings : {false, true})
        for (const bool hangs_up : {false, true}) {
            SCOPED_TRACE(std::to_string(rings) + std::to_string(hangs_up));
            Fresh fresh;
            fresh.call();
            if (rings) fresh.response(180, {.tag = "c"});
            if (hangs_up) fresh.hang_up();
            EXPECT_EQ(fresh.response(486, {.others = true}), Words{"Failed 486"});
            EXPECT_EQ(fresh.rig.agent.dialogs(), 0u);
            EXPECT_EQ(fresh.rig.agent.usages(), 1u) << "it listens";
            EXPECT_EQ(fresh.response(200, {.tag = "d", .body = "A"}), (Words{"ack", "send BYE"}));
            EXPECT_EQ(fresh.rig.sent("BYE").request.to.tag, "d");
            EXPECT_EQ(fresh.response(200, {.tag = "d", .body = "A"}), Words{"ack"});
            EXPECT_EQ(fresh.rig.response("BYE", 200), Words{});
            fresh.rig.pass(seconds(32));
            EXPECT_TRUE(fresh.rig.empty());
        }
}

TEST_F(Calling, ItListensFor64T1AfterAFailureOfOneTarget) {
    call();
    response(486, {.others = true});
    rig.pass(milliseconds(31'999));
    EXPECT_EQ(rig.agent.usages(), 1u);
    rig.pass(milliseconds(1));
    EXPECT_TRUE(rig.empty());
}

TEST_F(Calling, OfferInThe200WaitsForItsAnswer) {
    call("");
    EXPECT_EQ(response(200, {.body = "O"}), Words{"Answered 200 offer"});
    EXPECT_EQ(response(200, {.body = "O"}), Words{});  // no ACK without the answer
    EXPECT_EQ(acknowledge("A"), Words{"ack [A]"});
    EXPECT_EQ(response(200, {.body = "O"}), Words{"ack [A]"});
}

TEST_F(Calling, OfferThatNobodyAnswersEndsTheCall) {
    call("");
    response(200, {.body = "O"});
    EXPECT_EQ(rig.pass(seconds(20)), (Words{"ack", "Ended no_answer_given", "send BYE"}));
    EXPECT_EQ(rig.response("BYE", 200), Words{});
    EXPECT_EQ(rig.pass(seconds(40)), Words{});
    EXPECT_TRUE(rig.empty());
}

TEST_F(Calling, HangingUpBeforeTheAnswerAcknowledgesFirst) {
    call("");
    response(200, {.body = "O"});
    EXPECT_EQ(hang_up(), (Words{"ack", "Ended local", "send BYE"}));
}

TEST_F(Calling, RefusalEndsIt) {
    call();
    response(180);
    EXPECT_EQ(response(486), Words{"Failed 486"});
    EXPECT_TRUE(rig.empty());
}

TEST_F(Calling, NoCancelBeforeAProvisional) {
    call();
    EXPECT_EQ(hang_up(), Words{});
    EXPECT_EQ(response(100), Words{"cancel"});
    EXPECT_EQ(hang_up(), Words{});
    EXPECT_EQ(response(487), Words{"Failed 487"});
    EXPECT_TRUE(rig.empty());
}

TEST_F(Calling, WhateverComesFirstMeetsTheWishToCancel) {
    const auto wishing = [&] {
        rig.call_id += "+";
        call();
        EXPECT_EQ(hang_up(), Words{});
    };
    wishing();
    EXPECT_EQ(response(180), Words{"cancel"});
    response(487);
    wishing();
    EXPECT_EQ(response(183, reliable("5", "A")), (Words{"cancel", "send PRACK"}));
    response(487);
    wishing();
    EXPECT_EQ(response(486), Words{"Failed 486"});
    EXPECT_TRUE(rig.empty());
    wishing();
    EXPECT_EQ(response(200, {.body = "A"}), (Words{"ack", "send BYE", "Failed 487"}));
}

TEST_F(Calling, CancelAtOnceAfterAProvisional) {
    call();
    response(100);
    EXPECT_EQ(hang_up(), Words{"cancel"});
    EXPECT_EQ(response(180), Words{});
    EXPECT_EQ(response(183, reliable("5", "A")), Words{"send PRACK"});  // the callee may hold its 487 back for it
    EXPECT_EQ(rig.pass(seconds(32)), Words{"Failed 487"});              // 64*T1 after the CANCEL it is over
    EXPECT_TRUE(rig.empty());
}

TEST_F(Calling, CancelSendsTheOwedPrackWithoutAnswer) {
    call("");
    response(183, reliable("5", "O"));
    EXPECT_EQ(hang_up(), (Words{"cancel", "send PRACK"}));
}

TEST_F(Calling, SuccessAfterCancelIsAcknowledgedAndEnded) {
    call();
    response(100);
    hang_up();
    EXPECT_EQ(response(200, {.body = "A"}), (Words{"ack", "send BYE", "Failed 487"}));
    EXPECT_EQ(response(200, {.body = "A"}), Words{"ack"});
    EXPECT_EQ(response(200, {.tag = "c", .body = "A"}), (Words{"ack", "send BYE"}));
    EXPECT_EQ(rig.pass(seconds(70)), Words{});
    EXPECT_TRUE(rig.empty());
}

TEST_F(Calling, RingsForAMinute) {
    call();
    response(180);
    EXPECT_EQ(rig.pass(milliseconds(59'999)), Words{});
    EXPECT_EQ(rig.pass(milliseconds(1)), Words{"cancel"});
    EXPECT_EQ(response(487), Words{"Failed 487"});
}

TEST_F(Calling, SilentTransactionsBelowAreGivenUp) {
    call();
    EXPECT_EQ(rig.pass(seconds(36)), Words{});
    EXPECT_EQ(rig.pass(seconds(32)), Words{"Failed 487"});
    EXPECT_TRUE(rig.empty());
}

TEST_F(Calling, CORE_54_CORE_S422_TooSmallAnIntervalIsAskedForAgain) {
    call();
    EXPECT_EQ(response(422, {.headers = {{"Min-SE", "3600"}}}), Words{"send INVITE [O]"});
    const auto& again = rig.sent("INVITE").request;
    EXPECT_EQ(*again.header("Session-Expires"), "3600");
    EXPECT_EQ(*again.header("Min-SE"), "3600");
    EXPECT_EQ(again.cseq, 2u);
    EXPECT_EQ(again.call_id, "c1");
    EXPECT_EQ(response(422, {.headers = {{"Min-SE", "90"}}}), Words{"Failed 422"});  // it had more
}

TEST_F(Calling, AskingAgainForgetsEarlyDialogs) {
    call();
    response(180);
    EXPECT_EQ(response(422, {.headers = {{"Min-SE", "3600"}}}), Words{"send INVITE [O]"});
    EXPECT_EQ(rig.agent.dialogs(), 0u);
    EXPECT_EQ(rig.inside("INFO"), Words{"respond 481"});
}

TEST_F(Calling, ChallengeIsAnsweredOnceCredentialsAreThere) {
    call();
    EXPECT_EQ(response(401, {.credentials = {{"Authorization", "x"}}}), Words{"send INVITE [O]"});
    EXPECT_EQ(*rig.sent("INVITE").request.header("Authorization"), "x");
    EXPECT_EQ(rig.sent("INVITE").request.cseq, 2u);
    EXPECT_EQ(response(401), Words{"Failed 401"});
}

TEST_F(Calling, ChallengesDoNotGoOnForEver) {
    call();
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(response(407, {.credentials = {{"Proxy-Authorization", "x"}}}), Words{"send INVITE [O]"});
    EXPECT_EQ(response(407, {.credentials = {{"Proxy-Authorization", "x"}}}), Words{"Failed 407"});
}

TEST_F(Calling, SixteenForksAtMost) {
    call();
    for (int i = 0; i < 20; ++i) response(180, {.tag = "f" + std::to_string(i)});
    EXPECT_EQ(rig.agent.dialogs(), 16u);
    EXPECT_EQ(response(200, {.tag = "late", .body = "A"}), (Words{"ack", "Answered 200 answer"}));  // takes the place of one
    EXPECT_EQ(rig.agent.dialogs(), 1u);
}

TEST_F(Calling, RouteSetIsThatOfThe200AndStaysSo) {
    call();
    const auto route = [](const std::string& host) {
        auto made = address(host);
        made.uri.parameters.push_back({"lr", std::nullopt});
        return made;
    };
    response(180, {.record_routes = {route("early.example")}});
    response(200, {.body = "A", .contact = "target.example", .record_routes = {route("near.example"), route("far.example")}});
    const auto& ack = rig.last<SendAck>().request;
    ASSERT_EQ(ack.routes.size(), 2u);
    EXPECT_EQ(ack.routes[0].uri.host, "far.example");  // reversed
    EXPECT_EQ(ack.routes[1].uri.host, "near.example");
    EXPECT_EQ(ack.uri.host, "target.example");
    rig.inside("UPDATE", {.contact = "moved.example", .record_routes = {route("evil.example")}});
    hang_up();
    const auto& bye = rig.sent("BYE").request;
    EXPECT_EQ(bye.uri.host, "moved.example");
    EXPECT_EQ(bye.routes, ack.routes);
}

TEST_F(Calling, SuccessWithoutContactIsAcknowledgedWhereTheInviteWent) {
    call();
    EXPECT_EQ(response(200, {.body = "A", .contact = ""}), (Words{"ack", "Answered 200 answer"}));
    EXPECT_EQ(rig.last<SendAck>().request.uri.host, "peer.example");
}

TEST_F(Calling, CalleeMustNotLeaveAnEarlyDialogByBye) {
    call();
    response(180);
    EXPECT_EQ(rig.inside("BYE"), Words{"respond 481"});
    EXPECT_EQ(rig.inside("INVITE", {.body = "O2"}), Words{"respond 491"});
    EXPECT_EQ(rig.inside("PRACK"), Words{"respond 481"});
}

}  // namespace
}  // namespace stox::test
