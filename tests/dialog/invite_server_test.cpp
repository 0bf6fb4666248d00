// The peer's INVITE, row by row as RFC 3261 §13.3, §9.2 and §15, and RFC 3262 §3 want it.

#include "tests/dialog/rig.h"

#include <algorithm>

namespace stox::test {
namespace {

using namespace sip;

struct Called : testing::Test {
    Rig rig;
    UsageKey key{};
    std::uint32_t cseq = 0;
    TransactionId invite = 0;
    std::vector<Header> supported{{"Supported", "100rel"}};
    void ring(const std::string& offer = "O", std::vector<Header> headers = {}) {
        EXPECT_EQ(rig.first("INVITE", {.body = offer, .headers = std::move(headers)}),
                  Words{offer.empty() ? "Invited" : "Invited offer"});
        key = rig.last<Invited>().call;
        cseq = rig.peer_cseq;
        invite = rig.transaction;
    }
    Words progress(int status, bool reliable, const std::string& body = {}) {
        Reply reply{status, {}, body.empty() ? Description{} : sdp(body)};
        return rig.does([&](auto& out) { rig.agent.progress(key, reply, reliable, rig.now, out); });
    }
    Words answer(int status, const std::string& body = {}) {
        Reply reply{status, {}, body.empty() ? Description{} : sdp(body)};
        return rig.does([&](auto& out) { rig.agent.answer(key, reply, rig.now, out); });
    }
    Words hang_up() {
        return rig.does([&](auto& out) { rig.agent.hang_up(key, {}, rig.now, out); });
    }
    Words cancel() {
        return rig.does([&](auto& out) { rig.agent.cancelled(invite, rig.now, out); });
    }
    Words prack(const std::string& body = {}, int rseq_off = 0) {
        const auto& headers = reliable_.headers;
        const auto at = std::ranges::find(headers, "RSeq", &Header::name);
        const auto rseq = at == headers.end() ? 0 : std::stol(at->value);
        return rig.inside(
            "PRACK",
            {.body = body, .headers = {{"RAck", std::to_string(rseq + rseq_off) + " " + std::to_string(cseq) + " INVITE"}}});
    }
    void note_reliable() { reliable_ = rig.last<Respond>().response; }
    Response reliable_;
};

TEST_F(Called, ProvisionalsKeepProxiesWaiting) {
    ring();
    EXPECT_EQ(progress(180, false), Words{"respond 180"});
    EXPECT_EQ(rig.last<Respond>().response.to_tag, rig.ours);
    EXPECT_EQ(rig.pass(milliseconds(59'999)), Words{});
    EXPECT_EQ(rig.pass(milliseconds(1)), Words{"respond 180"});
    EXPECT_EQ(progress(100, false), Words{});
    EXPECT_EQ(progress(200, false), Words{});
}

TEST_F(Called, UnreliablePreviewsTheAnswer) {
    ring();
    EXPECT_EQ(progress(183, false, "A"), Words{"respond 183 [A]"});
    EXPECT_EQ(answer(200, "A"), Words{"respond 200 [A]"});
}

TEST_F(Called, ReliableIsRepeatedUntilItsPrack) {
    ring("O", supported);
    EXPECT_EQ(progress(183, true, "A"), Words{"respond 183 [A]"});
    note_reliable();
    EXPECT_EQ(*reliable_.header("Require"), "100rel");
    EXPECT_EQ(*reliable_.header("RSeq"), "1");
    EXPECT_EQ(rig.pass(milliseconds(499)), Words{});
    EXPECT_EQ(rig.pass(milliseconds(1)), Words{"respond 183 [A]"});
    EXPECT_EQ(rig.pass(milliseconds(999)), Words{});
    EXPECT_EQ(rig.pass(milliseconds(1)), Words{"respond 183 [A]"});  // doubling
    EXPECT_EQ(prack("", 1), Words{"respond 481"});
    EXPECT_EQ(prack(), Words{"respond 200"});
    EXPECT_EQ(prack(), Words{"respond 481"});
    EXPECT_EQ(rig.pass(seconds(30)), Words{});
    EXPECT_EQ(answer(200, "A"), Words{"respond 200"});  // said already
}

TEST_F(Called, OneReliableAtATimeAndTheFinalLast) {
    ring("O", supported);
    progress(183, true, "A");
    note_reliable();
    EXPECT_EQ(progress(180, true), Words{});
    EXPECT_EQ(answer(200), Words{});
    EXPECT_EQ(prack(), (Words{"respond 200", "respond 180"}));
    note_reliable();
    EXPECT_EQ(*reliable_.header("RSeq"), "2");
    EXPECT_EQ(prack(), (Words{"respond 200", "respond 200"}));
    EXPECT_EQ(rig.ack(cseq), Words{"Established"});
}

TEST_F(Called, RefusalDropsWhatWaits) {
    ring("O", supported);
    progress(183, true, "A");
    note_reliable();
    progress(180, true);
    EXPECT_EQ(answer(486), Words{});
    EXPECT_EQ(prack(), (Words{"respond 200", "respond 486"}));
    EXPECT_TRUE(rig.empty());
}

TEST_F(Called, RequiredReliabilityIsKept) {
    ring("O", {{"Require", "100rel"}});
    progress(180, false);
    EXPECT_EQ(*rig.last<Respond>().response.header("Require"), "100rel");
    auto words = rig.pass(milliseconds(31'999));
    EXPECT_EQ(words.size(), 6u);  // 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s
    EXPECT_EQ(rig.pass(milliseconds(1)), (Words{"Failed 504", "respond 504"}));
    EXPECT_TRUE(rig.empty());
}

TEST_F(Called, NotReliableForWhoDoesNotSupportIt) {
    ring();
    progress(180, true);
    EXPECT_FALSE(rig.last<Respond>().response.header("RSeq"));
}

TEST_F(Called, PrackAnswersTheOfferOfAReliable) {
    ring("", supported);
    EXPECT_EQ(progress(183, true, "O"), Words{"respond 183 [O]"});
    note_reliable();
    EXPECT_EQ(prack("A"), (Words{"respond 200", "AnsweredByPrack"}));
    EXPECT_EQ(answer(200, "O2"), Words{"respond 200"});  // agreed: no place for a description
}

TEST_F(Called, PrackWithoutTheOwedAnswerVoidsTheOffer) {
    ring("", supported);
    progress(183, true, "O");
    note_reliable();
    EXPECT_EQ(prack(), Words{"respond 200"});
    EXPECT_EQ(answer(200, "O2"), Words{"respond 200 [O2]"});
    EXPECT_EQ(rig.ack(cseq, {.body = "A2"}), Words{"Established answer"});
}

TEST_F(Called, OfferInPrackIsForTheApplication) {
    ring("O", supported);
    progress(183, true, "A");
    note_reliable();
    EXPECT_EQ(prack("O2"), Words{"ModifyRequested PRACK offer"});
    const auto transaction = rig.last<ModifyRequested>().transaction;
    EXPECT_EQ(rig.does([&](auto& out) {
        rig.agent.answer_modify(key, transaction, {200, {}, sdp("A2")}, rig.now, out);
    }),
              Words{"respond 200 [A2]"});
}

TEST_F(Called, SuccessIsRepeatedUntilItsAck) {
    ring();
    EXPECT_EQ(answer(200, "A"), Words{"respond 200 [A]"});
    EXPECT_EQ(answer(486), Words{});  // the first one counts
    EXPECT_EQ(rig.pass(milliseconds(500)), Words{"respond 200 [A]"});
    EXPECT_EQ(rig.pass(milliseconds(1000)), Words{"respond 200 [A]"});
    EXPECT_EQ(rig.pass(milliseconds(2000)), Words{"respond 200 [A]"});
    EXPECT_EQ(rig.pass(milliseconds(4000)), Words{"respond 200 [A]"});
    EXPECT_EQ(rig.pass(milliseconds(4000)), Words{"respond 200 [A]"});  // no more than T2
    EXPECT_EQ(rig.ack(cseq), Words{"Established"});
    EXPECT_EQ(rig.ack(cseq), Words{});
    EXPECT_EQ(rig.pass(seconds(30)), Words{});
}

TEST_F(Called, NoAckEndsTheCallByBye) {
    ring();
    answer(200, "A");
    const auto words = rig.pass(seconds(32));
    ASSERT_GT(words.size(), 2u);
    EXPECT_EQ(words[words.size() - 2], "Ended no_ack");
    EXPECT_EQ(words.back(), "send BYE");
    EXPECT_EQ(std::ranges::count(words, "respond 200 [A]"), 10);  // 0.5 1.5 3.5 7.5 11.5 ... 31.5
}

TEST_F(Called, ByeOfOursWaitsForTheAck) {
    ring();
    answer(200, "A");
    EXPECT_EQ(hang_up(), Words{});
    EXPECT_EQ(rig.ack(cseq), (Words{"Established", "Ended local", "send BYE"}));
    EXPECT_EQ(rig.response("BYE", 200), Words{});
    EXPECT_TRUE(rig.empty());
}

TEST_F(Called, ByeOfThePeerMayComeBeforeItsAck) {
    ring();
    answer(200, "A");
    EXPECT_EQ(rig.inside("BYE"), (Words{"respond 200", "Ended remote"}));
    EXPECT_TRUE(rig.empty());
}

TEST_F(Called, LostPeerOwesNoAck) {
    ring();
    answer(200, "A");
    rig.does([&](auto& out) { rig.agent.send(key, "INFO", {}, "", "", rig.now, out); });
    EXPECT_EQ(rig.response("INFO", 481), (Words{"RequestAnswered 481", "Ended peer_lost", "send BYE"}));
    EXPECT_EQ(rig.ack(cseq), Words{});
    EXPECT_EQ(rig.pass(seconds(31)), Words{});  // the 2xx is not repeated
}

TEST_F(Called, CancelBeforeTheAnswerOnly) {
    ring();
    progress(180, false);
    EXPECT_EQ(cancel(), (Words{"Failed 487", "respond 487"}));
    EXPECT_TRUE(rig.empty());

    ring();
    answer(200, "A");
    EXPECT_EQ(cancel(), Words{});
    EXPECT_EQ(rig.ack(cseq), Words{"Established"});
}

TEST_F(Called, CancelWaitsForThePrackThatIsOut) {
    ring("O", supported);
    progress(183, true, "A");
    note_reliable();
    answer(200);
    EXPECT_EQ(cancel(), Words{"Failed 487"});  // the 2xx has not left
    EXPECT_EQ(cancel(), Words{});
    EXPECT_EQ(prack(), (Words{"respond 200", "respond 487"}));
    EXPECT_TRUE(rig.empty());
}

TEST_F(Called, ByeInTheEarlyDialogEndsTheInvite) {
    ring();
    progress(180, false);
    EXPECT_EQ(rig.inside("BYE"), (Words{"respond 200", "Failed 487", "respond 487"}));
    EXPECT_TRUE(rig.empty());
}

TEST_F(Called, RefusalsAndGivingUp) {
    ring();
    EXPECT_EQ(answer(603), Words{"respond 603"});
    EXPECT_TRUE(rig.empty());
    ring();
    EXPECT_EQ(hang_up(), Words{"respond 480"});
    EXPECT_TRUE(rig.empty());
    ring();
    EXPECT_EQ(rig.pass(seconds(180)), (Words{"respond 183", "respond 183", "Failed 480", "respond 480"}));
    EXPECT_TRUE(rig.empty());
}

TEST_F(Called, OfferInOur200IsAnsweredInTheAck) {
    ring("");
    EXPECT_EQ(answer(200, "O"), Words{"respond 200 [O]"});
    EXPECT_EQ(rig.ack(cseq, {.body = "A"}), Words{"Established answer"});
    EXPECT_EQ(rig.inside("INVITE", {.body = "O2"}), Words{"ModifyRequested INVITE offer"});
}

TEST_F(Called, AckWithoutTheOwedAnswerClosesTheExchange) {
    ring("");
    answer(200, "O");
    EXPECT_EQ(rig.ack(cseq), Words{"Established"});
    EXPECT_EQ(rig.inside("INVITE", {.body = "O2"}), Words{"ModifyRequested INVITE offer"});
}

TEST_F(Called, SecondInviteBeforeTheFinalComesLater) {
    ring();
    progress(180, false);
    rig.chance = 7;
    EXPECT_EQ(rig.inside("INVITE", {.body = "O2"}), Words{"respond 500"});
    EXPECT_EQ(*rig.last<Respond>().response.header("Retry-After"), "7");
}

TEST_F(Called, TooShortASessionIsRefused) {
    EXPECT_EQ(rig.first("INVITE", {.headers = {{"Session-Expires", "89"}, {"Supported", "timer"}}}), Words{"respond 422"});
    EXPECT_EQ(*rig.last<Respond>().response.header("Min-SE"), "90");
    EXPECT_TRUE(rig.empty());
}

TEST_F(Called, WithoutContactThereIsNoDialog) {
    EXPECT_EQ(rig.first("INVITE", {.contact = ""}), Words{"respond 400"});
    EXPECT_TRUE(rig.empty());
}

}  // namespace
}  // namespace stox::test
