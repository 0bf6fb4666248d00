// An established call: changes both ways, glare, BYE, refreshes and what ends it.
// (RFC 3261 §12.2, §14, §15; RFC 3311; RFC 4028; RFC 5057; RFC 6141)

#include "tests/dialog/rig.h"

namespace stox::test {
namespace {

using namespace sip;

struct Talking : testing::Test {
    Rig rig;
    UsageKey key{};
    std::vector<Header> allow{{"Allow", "INVITE, ACK, BYE, UPDATE"}};

    void SetUp() override { as_caller(); }
    void as_caller(std::vector<Header> headers = {}) {
        if (key != UsageKey::none) rig.inside("BYE");
        rig.call_id += "+";
        key = rig.call();
        rig.response("INVITE", 200, {.body = "A", .headers = std::move(headers)});
        rig.pass(seconds(33));  // no other fork
    }
    void as_callee(std::vector<Header> headers = {}) {
        if (key != UsageKey::none) rig.inside("BYE");
        rig.call_id += "+";
        rig.first("INVITE", {.body = "O", .headers = std::move(headers)});
        key = rig.last<Invited>().call;
        rig.does([&](auto& out) { rig.agent.answer(key, {200, {}, sdp("A")}, rig.now, out); });
        rig.ack(rig.peer_cseq);
    }
    Words modify(const std::string& method, const std::string& body) {
        return rig.does([&](auto& out) {
            rig.agent.modify(key, {method, {}, body.empty() ? Description{} : sdp(body)}, rig.now, out);
        });
    }
    Words answer(int status, const std::string& body = {}) {
        Reply reply{status, {}, body.empty() ? Description{} : sdp(body)};
        return rig.does(
            [&](auto& out) { rig.agent.answer_modify(key, rig.last<ModifyRequested>().transaction, reply, rig.now, out); });
    }
    Words send(const std::string& method) {
        return rig.does([&](auto& out) { rig.agent.send(key, method, {}, "", "", rig.now, out); });
    }
    Words hang_up() {
        return rig.does([&](auto& out) { rig.agent.hang_up(key, {}, rig.now, out); });
    }
};

// ---- The order of requests ----

TEST_F(Talking, CSeqRisesWithGapsAndNeverFalls) {
    EXPECT_EQ(rig.inside("INFO", {}, 200), Words{"Requested INFO"});
    EXPECT_EQ(rig.inside("INFO", {}, 900), Words{"Requested INFO"});
    EXPECT_EQ(rig.inside("INFO", {}, 900), Words{"respond 500"});
    EXPECT_EQ(rig.inside("INFO", {}, 899), Words{"respond 500"});
    EXPECT_EQ(rig.inside("INFO", {}, 1u << 31), Words{"respond 400"});
    EXPECT_EQ(rig.inside("INFO", {}, 901), Words{"Requested INFO"});
}

TEST_F(Talking, OursCountUpWhateverTheyAre) {
    const auto first = rig.sent("INVITE").request.cseq;
    send("INFO");
    EXPECT_EQ(rig.sent("INFO").request.cseq, first + 1);
    modify("INVITE", "O2");
    EXPECT_EQ(rig.sent("INVITE").request.cseq, first + 2);
}

// ---- The peer's changes ----

TEST_F(Talking, ReInviteIsAnsweredAndRefreshesTheTarget) {
    EXPECT_EQ(rig.inside("INVITE", {.body = "O2", .contact = "moved.example"}), Words{"ModifyRequested INVITE offer"});
    send("INFO");
    EXPECT_EQ(rig.sent("INFO").request.uri.host, "peer.example");  // not before the 2xx (RFC 6141 §4.6)
    EXPECT_EQ(answer(200, "A2"), Words{"respond 200 [A2]"});
    EXPECT_EQ(rig.last<Respond>().response.contacts.size(), 1u);
    EXPECT_EQ(rig.pass(milliseconds(500)), Words{"respond 200 [A2]"});
    EXPECT_EQ(rig.ack(rig.peer_cseq), Words{"Established"});
    EXPECT_EQ(rig.pass(seconds(30)), Words{});
    send("INFO");
    EXPECT_EQ(rig.sent("INFO").request.uri.host, "moved.example");
}

TEST_F(Talking, RefusedReInviteChangesNothing) {
    rig.inside("INVITE", {.body = "O2", .contact = "moved.example"});
    EXPECT_EQ(answer(488), Words{"respond 488"});
    send("INFO");
    EXPECT_EQ(rig.sent("INFO").request.uri.host, "peer.example");
    EXPECT_EQ(modify("INVITE", "O3"), Words{"send INVITE [O3]"});  // the offer is not open any more
}

TEST_F(Talking, ReInviteWithoutOfferGetsOneAndAnswersInTheAck) {
    EXPECT_EQ(rig.inside("INVITE"), Words{"ModifyRequested INVITE"});
    EXPECT_EQ(answer(200, "O2"), Words{"respond 200 [O2]"});
    EXPECT_EQ(rig.ack(rig.peer_cseq, {.body = "A2"}), Words{"Established answer"});
}

TEST_F(Talking, ReInviteThatIsNeverAcknowledgedEndsTheCall) {
    rig.inside("INVITE", {.body = "O2"});
    answer(200, "A2");
    const auto words = rig.pass(seconds(32));
    EXPECT_EQ(words[words.size() - 2], "Ended no_ack");
    EXPECT_EQ(words.back(), "send BYE");
}

TEST_F(Talking, AfterHangingUpTheAnswerToAReInviteIsNotRepeated) {
    rig.inside("INVITE", {.body = "O2"});
    answer(200, "A2");
    EXPECT_EQ(hang_up(), (Words{"Ended local", "send BYE"}));
    EXPECT_EQ(rig.pass(seconds(5)), Words{});
    EXPECT_EQ(rig.response("BYE", 200), Words{});
    EXPECT_TRUE(rig.empty());
}

TEST_F(Talking, CancelledReInviteGets487AndTheApplicationHearsOfIt) {
    rig.inside("INVITE", {.body = "O2"});
    const auto invite = rig.transaction;
    EXPECT_EQ(rig.does([&](auto& out) { rig.agent.cancelled(invite, rig.now, out); }), (Words{"respond 487", "ModifyWithdrawn"}));
    EXPECT_EQ(answer(200, "A2"), Words{});
    EXPECT_EQ(rig.does([&](auto& out) { rig.agent.cancelled(invite, rig.now, out); }), Words{});
}

TEST_F(Talking, UpdateIsAnsweredAtOnceWithoutAnOffer) {
    EXPECT_EQ(rig.inside("UPDATE", {.contact = "moved.example"}), Words{"respond 200"});
    send("INFO");
    EXPECT_EQ(rig.sent("INFO").request.uri.host, "moved.example");
}

TEST_F(Talking, UpdateWithOfferIsForTheApplication) {
    EXPECT_EQ(rig.inside("UPDATE", {.body = "O2"}), Words{"ModifyRequested UPDATE offer"});
    EXPECT_EQ(answer(200, "A2"), Words{"respond 200 [A2]"});
    EXPECT_EQ(rig.inside("UPDATE", {.body = "O3"}), Words{"ModifyRequested UPDATE offer"});
    EXPECT_EQ(answer(488), Words{"respond 488"});
}

TEST_F(Talking, UpdateTheApplicationForgetsIsRefused) {
    rig.inside("UPDATE", {.body = "O2"});
    EXPECT_EQ(rig.pass(milliseconds(19'999)), Words{});
    EXPECT_EQ(rig.pass(milliseconds(1)), (Words{"respond 504", "ModifyWithdrawn"}));
    EXPECT_EQ(answer(200, "A2"), Words{});
    EXPECT_EQ(rig.inside("UPDATE", {.body = "O3"}), Words{"ModifyRequested UPDATE offer"});
}

TEST_F(Talking, ReInviteTheApplicationForgetsIsRefused) {
    rig.inside("INVITE", {.body = "O2"});
    EXPECT_EQ(rig.pass(seconds(180)), (Words{"respond 504", "ModifyWithdrawn"}));
}

// ---- Ours ----

TEST_F(Talking, ReInviteOfOursIsAcknowledged) {
    EXPECT_EQ(modify("INVITE", "O2"), Words{"send INVITE [O2]"});
    EXPECT_EQ(rig.sent("INVITE").request.contacts.size(), 1u);
    EXPECT_EQ(rig.response("INVITE", 180), Words{});
    EXPECT_EQ(rig.response("INVITE", 200, {.body = "A2", .contact = "moved.example"}), (Words{"Modified 200 answer", "ack"}));
    EXPECT_EQ(rig.last<SendAck>().request.uri.host, "moved.example");
    EXPECT_EQ(rig.response("INVITE", 200, {.body = "A2"}), Words{"ack"});
}

TEST_F(Talking, ReInviteThatAsksForAnOfferAnswersItInTheAck) {
    EXPECT_EQ(modify("INVITE", ""), Words{"send INVITE"});
    EXPECT_EQ(rig.response("INVITE", 200, {.body = "O2"}), Words{"Modified 200 offer"});
    EXPECT_EQ(rig.does([&](auto& out) { rig.agent.acknowledge(key, sdp("A2"), rig.now, out); }), Words{"ack [A2]"});
    EXPECT_EQ(rig.pass(seconds(60)), Words{});  // nothing is owed any more
    EXPECT_EQ(rig.response("INVITE", 200, {.body = "O2"}), Words{"ack [A2]"});
}

TEST_F(Talking, OfferOfA200ThatNobodyAnswersEndsTheCall) {
    modify("INVITE", "");
    rig.response("INVITE", 200, {.body = "O2"});
    EXPECT_EQ(rig.pass(seconds(20)), (Words{"ack", "Ended no_answer_given", "send BYE"}));
}

TEST_F(Talking, RefusedChangeLeavesTheCallAsItWas) {
    modify("INVITE", "O2");
    EXPECT_EQ(rig.response("INVITE", 488), Words{"ModifyFailed 488"});
    EXPECT_EQ(modify("UPDATE", "O3"), Words{"send UPDATE [O3]"});
    EXPECT_EQ(modify("INVITE", "O4"), Words{"ModifyFailed 491"});  // one at a time
    EXPECT_EQ(rig.response("UPDATE", 200, {.body = "A3"}), Words{"Modified 200 answer"});
}

TEST_F(Talking, ChallengedChangeGoesAgain) {
    modify("INVITE", "O2");
    EXPECT_EQ(rig.response("INVITE", 401, {.credentials = {{"Authorization", "x"}}}), Words{"send INVITE [O2]"});
    EXPECT_EQ(*rig.sent("INVITE").request.header("Authorization"), "x");
}

TEST_F(Talking, ReInviteThatIsNotAnsweredIsCancelledAndThenEndsTheCall) {
    modify("INVITE", "O2");
    rig.response("INVITE", 180);
    EXPECT_EQ(rig.pass(seconds(60)), Words{"cancel"});
    EXPECT_EQ(rig.pass(seconds(32)), (Words{"ModifyFailed 408", "Ended peer_lost", "send BYE"}));
}

// ---- Glare ----

TEST_F(Talking, CORE_54_CORE_S491_GlareOfReInvites) {
    modify("INVITE", "O2");
    EXPECT_EQ(rig.inside("INVITE", {.body = "P"}), Words{"respond 491"});
    EXPECT_EQ(rig.response("INVITE", 491), Words{});
    EXPECT_EQ(rig.pass(milliseconds(2099)), Words{});  // the owner of the Call-ID: 2.1 to 4 s
    EXPECT_EQ(rig.pass(milliseconds(1)), Words{"send INVITE [O2]"});
    rig.chance = 1'000'000;
    rig.response("INVITE", 491);
    EXPECT_EQ(rig.pass(milliseconds(3999)), Words{});
    EXPECT_EQ(rig.pass(milliseconds(1)), Words{"send INVITE [O2]"});
}

TEST_F(Talking, TheOtherSideWaitsUpToTwoSeconds) {
    as_callee();
    modify("INVITE", "O2");
    rig.response("INVITE", 491);
    EXPECT_EQ(rig.pass(milliseconds(0)), Words{"send INVITE [O2]"});
    rig.chance = 1'000'000;
    rig.response("INVITE", 491);
    EXPECT_EQ(rig.pass(milliseconds(1999)), Words{});
    EXPECT_EQ(rig.pass(milliseconds(1)), Words{"send INVITE [O2]"});
}

TEST_F(Talking, CORE_S491_GlareDoesNotGoOnForEver) {
    modify("INVITE", "O2");
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(rig.response("INVITE", 491), Words{});
        rig.pass(seconds(4));
    }
    EXPECT_EQ(rig.response("INVITE", 491), Words{"ModifyFailed 491"});
}

TEST_F(Talking, ChangeOfThePeerIsWaitedForButNotForEver) {
    modify("INVITE", "O2");
    rig.response("INVITE", 491);
    rig.inside("INVITE", {.body = "P"});
    EXPECT_EQ(rig.pass(milliseconds(2100)), Words{});  // its change is under way
    answer(488);
    EXPECT_EQ(rig.pass(milliseconds(2100)), Words{"send INVITE [O2]"});
    rig.response("INVITE", 491);
    rig.inside("INVITE", {.body = "P"});
    EXPECT_EQ(rig.pass(seconds(20)), Words{"ModifyFailed 491"});
}

TEST_F(Talking, GlareOfUpdates) {
    modify("UPDATE", "O2");
    EXPECT_EQ(rig.inside("UPDATE", {.body = "P"}), Words{"respond 491"});  // our own offer is open
    EXPECT_EQ(rig.inside("UPDATE"), Words{"respond 200"});                 // without one there is no conflict
    rig.response("UPDATE", 200, {.body = "A2"});
    rig.inside("UPDATE", {.body = "P"});
    EXPECT_EQ(rig.inside("UPDATE", {.body = "P2"}), Words{"respond 500"});  // we owe an answer
    EXPECT_EQ(*rig.last<Respond>().response.header("Retry-After"), "0");
    rig.chance = 1'000'000;
    EXPECT_EQ(rig.inside("INVITE", {.body = "P2"}), Words{"respond 500"});
    EXPECT_EQ(*rig.last<Respond>().response.header("Retry-After"), "10");
    EXPECT_EQ(modify("UPDATE", "O3"), Words{"ModifyFailed 491"});
}

TEST_F(Talking, PeerInTheMiddleOfAChangeIsAskedAgainWhenItSays) {
    modify("UPDATE", "O2");
    EXPECT_EQ(rig.response("UPDATE", 500, {.headers = {{"Retry-After", "3"}}}), Words{});
    EXPECT_EQ(rig.pass(milliseconds(2999)), Words{});
    EXPECT_EQ(rig.pass(milliseconds(1)), Words{"send UPDATE [O2]"});
    EXPECT_EQ(rig.response("UPDATE", 500), Words{"ModifyFailed 500"});
}

// ---- The end ----

TEST_F(Talking, ByeOfThePeer) {
    EXPECT_EQ(rig.inside("BYE"), (Words{"respond 200", "Ended remote"}));
    EXPECT_EQ(rig.inside("INFO"), Words{"respond 481"});
    EXPECT_TRUE(rig.empty());
}

TEST_F(Talking, ByeOfThePeerEndsItsOwnReInvite) {
    rig.inside("INVITE", {.body = "O2"});
    EXPECT_EQ(rig.inside("BYE"), (Words{"respond 200", "respond 487", "ModifyWithdrawn", "Ended remote"}));
    EXPECT_TRUE(rig.empty());
}

TEST_F(Talking, ByeOfThePeerEndsItsOwnUpdate) {
    rig.inside("UPDATE", {.body = "O2"});
    EXPECT_EQ(rig.inside("BYE"), (Words{"respond 200", "respond 487", "ModifyWithdrawn", "Ended remote"}));
    EXPECT_TRUE(rig.empty());
}

TEST_F(Talking, ByeOfThePeerIsAsGoodAsItsAck) {
    rig.inside("INVITE", {.body = "O2"});
    answer(200, "A2");
    EXPECT_EQ(rig.inside("BYE"), (Words{"respond 200", "Ended remote"}));
    EXPECT_EQ(rig.pass(seconds(32)), Words{});
    EXPECT_TRUE(rig.empty());
}

TEST_F(Talking, ByeOfOurs) {
    EXPECT_EQ(hang_up(), (Words{"Ended local", "send BYE"}));
    EXPECT_EQ(hang_up(), Words{});
    EXPECT_EQ(rig.inside("INFO"), Words{"respond 481"});
    EXPECT_EQ(rig.inside("BYE"), Words{"respond 200"});  // they cross
    EXPECT_EQ(rig.response("BYE", 481), Words{});
    EXPECT_TRUE(rig.empty());
}

TEST_F(Talking, ByeThatNobodyAnswersIsForgotten) {
    hang_up();
    EXPECT_EQ(rig.pass(seconds(32)), Words{});
    EXPECT_TRUE(rig.empty());
}

TEST_F(Talking, ChallengedByeGoesAgain) {
    hang_up();
    EXPECT_EQ(rig.response("BYE", 401, {.credentials = {{"Authorization", "x"}}}), Words{"send BYE"});
    EXPECT_EQ(*rig.sent("BYE").request.header("Authorization"), "x");
    EXPECT_EQ(rig.response("BYE", 200), Words{});
    EXPECT_TRUE(rig.empty());
}

TEST_F(Talking, ByeWhileOurReInviteIsOut) {
    modify("INVITE", "O2");
    EXPECT_EQ(rig.inside("BYE"), (Words{"respond 200", "Ended remote"}));
    EXPECT_EQ(rig.response("INVITE", 487), Words{});
    EXPECT_TRUE(rig.empty());
}

/// What a failure of a request in the call's dialog means.   (RFC 5057 §5.1 to §5.3)
struct Failure {
    const char* method;
    int status;
    bool ends;
};
struct FailureInCall : Talking, testing::WithParamInterface<Failure> {};

TEST_P(FailureInCall, EndsWhatItSays) {
    const auto& [method, status, ends] = GetParam();
    const std::string name = method;
    const bool change = name == "INVITE" || name == "UPDATE";
    change ? modify(name, "O2") : send(name);
    const auto words = rig.response(name, status);
    const std::string told = (change ? "ModifyFailed " : "RequestAnswered ") + std::to_string(status);
    EXPECT_EQ(words, (ends ? Words{told, "Ended peer_lost", "send BYE"} : Words{told})) << name << ' ' << status;
}

INSTANTIATE_TEST_SUITE_P(
    Rfc5057, FailureInCall,
    testing::Values(Failure{"INVITE", 481, true}, Failure{"INVITE", 408, true}, Failure{"INVITE", 404, true},
                    Failure{"INVITE", 410, true}, Failure{"INVITE", 416, true}, Failure{"INVITE", 480, true},
                    Failure{"INVITE", 482, true}, Failure{"INVITE", 483, true}, Failure{"INVITE", 484, true},
                    Failure{"INVITE", 485, true}, Failure{"INVITE", 502, true}, Failure{"INVITE", 604, true},
                    Failure{"INVITE", 501, true}, Failure{"INVITE", 405, true}, Failure{"INVITE", 403, false},
                    Failure{"INVITE", 415, false}, Failure{"INVITE", 486, false}, Failure{"INVITE", 488, false},
                    Failure{"INVITE", 500, false}, Failure{"INVITE", 503, false}, Failure{"INVITE", 504, false},
                    Failure{"INVITE", 600, false}, Failure{"INVITE", 603, false}, Failure{"INVITE", 606, false},
                    Failure{"UPDATE", 481, true}, Failure{"UPDATE", 408, true}, Failure{"UPDATE", 501, false},
                    Failure{"UPDATE", 405, false}, Failure{"INFO", 481, true}, Failure{"INFO", 408, true},
                    Failure{"INFO", 501, false}, Failure{"INFO", 405, false}, Failure{"INFO", 469, false},
                    Failure{"INFO", 415, false}, Failure{"MESSAGE", 481, false}, Failure{"MESSAGE", 408, false},
                    Failure{"MESSAGE", 480, false}, Failure{"MESSAGE", 404, true}, Failure{"OPTIONS", 481, false},
                    Failure{"OPTIONS", 408, false}, Failure{"OPTIONS", 604, true}));

// ---- Session timers ----

TEST_F(Talking, WeRefreshAtHalfTheInterval) {
    as_caller({{"Session-Expires", "1800;refresher=uac"}, {"Allow", "INVITE, UPDATE"}});
    rig.pass(milliseconds(866'999));  // 33 s are over
    EXPECT_EQ(rig.pass(milliseconds(1)), Words{"send UPDATE"});
    EXPECT_EQ(*rig.sent("UPDATE").request.header("Session-Expires"), "1800;refresher=uac");
    EXPECT_EQ(rig.response("UPDATE", 200, {.headers = {{"Session-Expires", "600;refresher=uac"}}}), Words{});
    EXPECT_EQ(rig.pass(milliseconds(299'999)), Words{});
    EXPECT_EQ(rig.pass(milliseconds(1)), Words{"send UPDATE"});
}

TEST_F(Talking, ReInviteRefreshesWhereUpdateIsNotTaken) {
    as_caller({{"Session-Expires", "1800;refresher=uac"}, {"Allow", "INVITE, ACK, BYE"}});
    EXPECT_EQ(rig.pass(seconds(867)), Words{"send INVITE [O]"});  // the same description
    EXPECT_EQ(rig.response("INVITE", 200, {.body = "A", .headers = {{"Session-Expires", "1800;refresher=uac"}}}),
              (Words{"Modified 200 answer", "ack"}));
}

TEST_F(Talking, SessionThatIsNotRefreshedEndsBefore) {
    as_caller({{"Session-Expires", "1800;refresher=uas"}});
    EXPECT_EQ(rig.pass(milliseconds(1'734'999)), Words{});  // 32 s before the end, 33 s are over
    EXPECT_EQ(rig.pass(milliseconds(1)), (Words{"Ended session_expired", "send BYE"}));
    as_caller({{"Session-Expires", "90;refresher=uas"}});
    EXPECT_EQ(rig.pass(milliseconds(26'999)), Words{});  // a third before it
    EXPECT_EQ(rig.pass(milliseconds(1)), (Words{"Ended session_expired", "send BYE"}));
}

TEST_F(Talking, RefreshOfThePeerExtendsTheSession) {
    as_callee({{"Session-Expires", "1800;refresher=uac"}, {"Supported", "timer"}});
    rig.pass(seconds(900));
    EXPECT_EQ(rig.inside("UPDATE", {.headers = {{"Session-Expires", "1800;refresher=uac"}, {"Supported", "timer"}}}),
              Words{"respond 200"});
    EXPECT_EQ(*rig.last<Respond>().response.header("Session-Expires"), "1800;refresher=uac");
    EXPECT_EQ(rig.pass(milliseconds(1'767'999)), Words{});
    EXPECT_EQ(rig.pass(milliseconds(1)), (Words{"Ended session_expired", "send BYE"}));
}

TEST_F(Talking, RefreshThatIsNotAnsweredEndsTheCall) {
    as_caller({{"Session-Expires", "1800;refresher=uac"}, allow[0]});
    rig.pass(seconds(867));
    EXPECT_EQ(rig.response("UPDATE", 408), (Words{"Ended peer_lost", "send BYE"}));
}

TEST_F(Talking, RefreshThatFailedIsTriedAgainButExtendsNothing) {
    as_caller({{"Session-Expires", "1800;refresher=uac"}, allow[0]});
    rig.pass(seconds(867));
    EXPECT_EQ(rig.response("UPDATE", 503), Words{});
    EXPECT_EQ(rig.pass(seconds(434)), Words{"send UPDATE"});  // half of the 868 s until the end
    EXPECT_EQ(rig.response("UPDATE", 501), Words{});
    EXPECT_EQ(rig.pass(seconds(217)), Words{"send INVITE [O]"});  // it does not take UPDATE after all
    rig.response("INVITE", 500);
    Words words;
    for (int second = 0; second < 217 && (words.empty() || words.front() == "send INVITE [O]"); ++second) {
        if (!words.empty()) rig.response("INVITE", 500);
        words = rig.pass(seconds(1));
    }
    EXPECT_EQ(words, (Words{"Ended session_expired", "send BYE"}));
}

TEST_F(Talking, TooShortARefreshIsAskedForAgain) {
    as_caller({{"Session-Expires", "90;refresher=uac"}, allow[0]});
    EXPECT_EQ(rig.pass(seconds(12)), Words{"send UPDATE"});
    EXPECT_EQ(rig.response("UPDATE", 422, {.headers = {{"Min-SE", "300"}}}), Words{"send UPDATE"});
    EXPECT_EQ(*rig.sent("UPDATE").request.header("Session-Expires"), "300;refresher=uac");
    EXPECT_EQ(*rig.sent("UPDATE").request.header("Min-SE"), "300");
}

}  // namespace
}  // namespace stox::test
