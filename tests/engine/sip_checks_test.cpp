// What a SIP request must pass before it changes anything (RFC 3261 §8.2), and who may ask at all.

#include "tests/engine/rig.h"

#include <functional>

namespace {

using namespace stox;
using namespace stox::engine;
using namespace stox::engine::test;

sip::Request changed(const std::function<void(sip::Request&)>& change) {
    auto request = message_request();
    change(request);
    return request;
}

struct Case {
    const char* what;
    std::function<void(sip::Request&)> change;
    int status;
};

TEST(SipChecks, CORE_80_EachFaultGetsItsStatusAndNoStanza) {
    const std::vector<Case> cases{
        {"REGISTER", [](auto& r) { r.method = "REGISTER"; }, 403},
        {"a method of others", [](auto& r) { r.method = "INVITE"; }, 405},
        {"a method of nobody", [](auto& r) { r.method = "DANCE"; }, 501},
        {"inside a dialog that is none", [](auto& r) { r.to.tag = "x"; }, 481},
        {"BYE of no dialog", [](auto& r) { r.method = "BYE", r.to.tag = "x"; }, 481},
        {"NOTIFY of no dialog", [](auto& r) { r.method = "NOTIFY", r.to.tag = "x"; }, 481},
        {"PUBLISH of nothing", [](auto& r) { r.method = "PUBLISH"; }, 489},
        {"NOTIFY outside any dialog", [](auto& r) { r.method = "NOTIFY"; }, 481},
        {"an extension inside a dialog",
         [](auto& r) {
             r.to.tag = "x";
             r.headers = {{"Require", "eventlist"}};
         },
         420},
        {"no hop left inside a dialog", [](auto& r) { r.to.tag = "x", r.max_forwards = 0; }, 483},
        {"a method of nobody inside a dialog", [](auto& r) { r.method = "DANCE", r.to.tag = "x"; }, 501},
        {"headers in the target", [](auto& r) { r.uri.has_headers = true; }, 400},
        {"no user", [](auto& r) { r.uri.user.clear(); }, 404},
        {"no hop left", [](auto& r) { r.max_forwards = 0; }, 483},
        {"an extension",
         [](auto& r) {
             r.headers = {{"Require", "100rel"}};
         },
         420},
        {"nobody of ours", [](auto& r) { r.uri = uri("sip:romeo@verona.test"); }, 404},
        {"a picture", [](auto& r) { r.content_type = "image/png"; }, 415},
        {"a packed body",
         [](auto& r) {
             r.headers = {{"Content-Encoding", "gzip"}};
         },
         415},
        {"too long", [](auto& r) { r.body = std::string(10'001, 'x'); }, 413},
    };
    for (const auto& one : cases) {
        SCOPED_TRACE(one.what);
        Rig rig;
        EXPECT_EQ(rig.request(changed(one.change)).answer().status, one.status);
        EXPECT_TRUE(rig.stanzas.empty());
        EXPECT_TRUE(rig.logged("reason=")) << "the operator learns why";
    }
}

TEST(SipChecks, CORE_80_MethodsOfOthersAreKnownButNotServed) {
    for (const auto* method : {"BYE", "INFO", "INVITE", "PRACK", "REFER", "UPDATE"}) {
        Rig rig;
        const auto answer = rig.request(changed([method](auto& r) { r.method = method; })).answer();
        EXPECT_EQ(answer.status, 405) << method;
    }
}

TEST(SipChecks, CORE_80_TheFirstFaultInOrderIsTold) {
    Rig rig;
    auto request = changed([](auto& r) {
        r.method = "INVITE";
        r.max_forwards = 0;
        r.headers = {{"Require", "100rel, x-one"}, {"require", "x-two"}};
    });
    EXPECT_EQ(rig.request(request).answer().status, 405);
    request.method = "MESSAGE";
    EXPECT_EQ(rig.request(request).answer().status, 483);
    request.max_forwards = 70;
    const auto answer = rig.request(request).answer();
    EXPECT_EQ(answer.status, 420);
    EXPECT_EQ(*answer.header("Unsupported"), "100rel, x-one, x-two");
}

TEST(SipChecks, RefusalsSayWhatWouldBeServed) {
    Rig rig;
    EXPECT_EQ(*rig.request(changed([](auto& r) { r.method = "INVITE"; })).answer().header("Allow"),
              "MESSAGE, OPTIONS, SUBSCRIBE, NOTIFY, PUBLISH");
    EXPECT_TRUE(
        rig.request(changed([](auto& r) { r.content_type = "image/png"; })).answer().header("Accept")->starts_with("text/plain,"));
}

TEST(SipChecks, CORE_32_SipsIsNotCarriedIntoXmpp) {
    Rig rig;
    EXPECT_EQ(rig.request(changed([](auto& r) { r.uri = uri("sips:romeo@montague.test"); })).answer().status, 416);
    EXPECT_EQ(rig.request(changed([](auto& r) { r.to.uri = uri("sips:romeo@montague.test"); })).answer().status, 416);
    EXPECT_TRUE(rig.stanzas.empty());
}

TEST(SipChecks, CORE_34_OptionsWithoutUserIsAnsweredAndOtherMethodsAreNot) {
    Rig rig;
    auto options = changed([](auto& r) {
        r.method = "OPTIONS";
        r.uri = uri("sip:capulet.test");
        r.body.clear();
    });
    EXPECT_EQ(rig.request(options).answer().status, 200);
    EXPECT_EQ(*rig.answer().header("Allow"), "MESSAGE, OPTIONS, SUBSCRIBE, NOTIFY, PUBLISH");
    options.uri = uri("sip:nobody@verona.test");
    EXPECT_EQ(rig.request(options).answer().status, 404);
    EXPECT_EQ(rig.request(changed([](auto& r) { r.uri = uri("sip:montague.test"); })).answer().status, 404);
}

// Dispatchers and other gateways ask so whether we live.
TEST(SipChecks, OptionsNeedNoAuthorWhomThePeerMayName) {
    Rig rig;
    for (const auto* from : {"sip:ping@elsewhere.test", "sip:elsewhere.test", "sip:anonymous@anonymous.invalid"}) {
        const auto options = changed([from](auto& r) {
            r.method = "OPTIONS";
            r.uri = uri("sip:capulet.test");
            r.from.uri = uri(from);
            r.body.clear();
        });
        EXPECT_EQ(rig.request(options).answer().status, 200) << from;
    }
}

TEST(SipChecks, AStrangerIsRefusedWithALineForTheOperatorAndNothingElse) {
    Rig rig;
    rig.request(message_request(), Address::v4({10, 0, 0, 2}));
    EXPECT_EQ(rig.answer().status, 403);
    EXPECT_TRUE(rig.stanzas.empty());
    EXPECT_TRUE(rig.logged("security event=refused method=MESSAGE src=10.0.0.2:5060"));
    EXPECT_EQ(rig.logs.front().stranger, Address::v4({10, 0, 0, 2})) << "the host writes a few of them";
    EXPECT_EQ(rig.logs.front().level, Level::warn);
}

TEST(SipChecks, CORE_65_APeerSpeaksOnlyForItsIdentities) {
    const auto from = [](const std::string& who) { return changed([&](auto& r) { r.from.uri = uri(who); }); };
    Rig rig;
    for (const std::string forged : {"sip:mercutio@montague.test", "sip:juliet@bank.test", "tel:+123", "sip:capulet.test"})
        EXPECT_EQ(rig.request(from(forged)).answer().status, 403) << forged;
    EXPECT_TRUE(rig.request(from("sip:juliet@capulet.test")).answers.empty()) << "held until the server has it";

    auto options = Rig::default_options();
    options.scheme = config::AddressScheme::nested;
    options.peers.front().identities = {{"verona.test", "", {}}};
    Rig nested(options);
    EXPECT_EQ(nested.request(from("sip:juliet@capulet.test")).answer().status, 403);
    EXPECT_EQ(nested.request(from("sip:nurse@verona.test")).messages().size(), 1u);
}

TEST(SipChecks, CORE_71_WhoIsServedHearsOfCongestionAndAStrangerIsAStranger) {
    auto options = Rig::default_options();
    auto handset = options.peers.front();
    handset.name = "handset";
    handset.kind = config::PeerKind::phone;
    handset.source = {{Address::v4({10, 0, 0, 7}), 32}};
    options.peers.push_back(handset);
    Rig rig(options);
    const auto asked = [&](std::uint8_t host, const std::string& method = "MESSAGE") {
        auto request = message_request();
        request.method = method;
        SipRequestIn in{ServerTransaction{1}, request, {Address::v4({10, 0, 0, host}), 5060}, Transport::udp};
        in.congested = true;
        return rig.feed(std::move(in)).answer();
    };
    EXPECT_EQ(asked(1).status, 503);
    EXPECT_EQ(*rig.answer().header("Retry-After"), "2");
    EXPECT_EQ(asked(7).status, 480) << "503 would tell a phone that we are gone";
    EXPECT_EQ(*rig.answer().header("Retry-After"), "2");
    EXPECT_EQ(asked(9).status, 403);
    EXPECT_EQ(rig.refused.size(), 1u) << "and is counted as ever";
    EXPECT_EQ(asked(1, "ACK").status, 0);
    EXPECT_TRUE(rig.stanzas.empty());
}

TEST(SipChecks, IM_34_TheSameRequestByAnotherBranchIs482) {
    Rig rig;
    const auto request = message_request();
    EXPECT_EQ(rig.request(request).messages().size(), 1u);
    EXPECT_EQ(rig.request(request).answer().status, 482);
    EXPECT_TRUE(rig.stanzas.empty());
    rig.pass(std::chrono::seconds(33));
    EXPECT_NE(rig.request(request).answer().status, 482) << "remembered for 64*T1";
}

TEST(SipChecks, IM_34_AfterARefusalTheSameRequestIsANewTry) {
    Rig rig;
    const auto request = message_request();
    rig.broken_disk = true;
    EXPECT_EQ(rig.request(request).answer().status, 503);
    EXPECT_EQ(rig.request(request).answer().status, 503) << "no copy of what is over";
    rig.broken_disk = false;
    EXPECT_EQ(rig.request(request).messages().size(), 1u);
    EXPECT_EQ(rig.request(request).answer().status, 482) << "now another one is held";
    rig.answer_ping();
    EXPECT_EQ(rig.request(request).answer().status, 482) << "and accepted";
}

// However the first one ended: the stanza may have arrived all the same.
TEST(SipChecks, IM_34_ANewTryBecomesTheSameStanza) {
    Rig rig;
    const auto request = message_request();
    const auto sent = rig.request(request).messages().at(0);
    EXPECT_EQ(rig.stanza(*xmpp::make_error(sent, {})).answer().status / 100, 4);
    const auto again = rig.request(request).messages();
    ASSERT_EQ(again.size(), 1u);
    EXPECT_EQ(again.front().id, sent.id);
    while (rig.engine.pending().held_messages > 0) rig.answer_ping();
    rig.pass(std::chrono::seconds(24));
    EXPECT_EQ(rig.request(request).answer().status, 482) << "32 s are those of the newest try";
}

TEST(SipChecks, AnAckIsNeverAnswered) {
    Rig rig;
    EXPECT_TRUE(rig.request(changed([](auto& r) { r.method = "ACK"; })).answers.empty());
}

TEST(SipChecks, HostileTextReachesNoLogRaw) {
    Rig rig;
    auto request = changed([](auto& r) { r.method = "X\n\"fake\"=1"; });
    rig.request(request, Address::v4({10, 0, 0, 2}));
    ASSERT_FALSE(rig.logs.empty());
    EXPECT_EQ(rig.logs.front().text.find('\n'), std::string::npos);
    EXPECT_NE(rig.logs.front().text.find(R"(method="X\x0a\"fake\"=1")"), std::string::npos) << rig.logs.front().text;
    EXPECT_LE(logfmt(std::string(5'000, 'x')).size(), 258u);
}

}  // namespace
