// Our Contact in dialogs: what is written into them is where the peer's next request arrives.

#include "mapping/sip/own_contact.h"
#include "tests/dialog/rig.h"

namespace stox::test {
namespace {

using namespace sip;

const OwnAddress kUs{"192.0.2.2", 5060, Transport::udp};

struct OwnContact : testing::Test {
    Rig rig;
    NameAddr contact(bool gruu) { return rig.own = own_contact(kUs, "k7", gruu).value(); }
    const std::vector<NameAddr>& answered() { return rig.last<Respond>().response.contacts; }
};

TEST_F(OwnContact, CORE_46_ANotifierIsAGruuInItsAnswerAndInEachNotify) {
    const auto own = contact(true);
    rig.first("SUBSCRIBE", {.headers = {{"Event", "presence"}, {"Expires", "600"}}});
    const auto key = rig.last<SubscriptionWanted>().subscription;
    rig.does([&](auto& out) { rig.agent.grant(key, {{SubscriptionPhase::active}, "text/plain", "1"}, rig.now, out); });
    ASSERT_EQ(answered(), std::vector{own});
    EXPECT_TRUE(answered().front().uri.parameter("gr"));
    EXPECT_EQ(rig.sent("NOTIFY").request.contacts, std::vector{own});
    rig.response("NOTIFY", 200);
    rig.does([&](auto& out) { rig.agent.publish(key, {{}, "text/plain", "2"}, rig.now, out); });
    EXPECT_EQ(rig.sent("NOTIFY").request.body, "2");
    EXPECT_EQ(rig.sent("NOTIFY").request.contacts, std::vector{own});
    rig.response("NOTIFY", 200);
    // A new subscription to that GRUU is a dialog of its own.
    rig.call_id = "c2";
    const auto before = rig.agent.dialogs();
    EXPECT_EQ(rig.first("SUBSCRIBE", {.headers = {{"Event", "presence"}, {"Expires", "600"}}}), Words{"SubscriptionWanted presence"});
    EXPECT_EQ(rig.agent.dialogs(), before + 1);
}

TEST_F(OwnContact, CORE_46_SoItIsForAReferThatWeServe) {
    const auto own = contact(true);
    rig.first("REFER", {.headers = {{"Refer-To", "<sip:c@else.example>"}}});
    const auto key = rig.last<ReferWanted>().subscription;
    rig.does([&](auto& out) { rig.agent.grant(key, refer_news(100), rig.now, out); });
    EXPECT_EQ(answered(), std::vector{own});
    EXPECT_EQ(rig.sent("NOTIFY").request.contacts, std::vector{own});
}

TEST_F(OwnContact, CORE_45_AByeToItEndsTheCallWithAndWithoutGr) {
    for (const bool gruu : {false, true}) {
        const auto own = contact(gruu);
        rig.call_id += "+";
        rig.first("INVITE", {.body = "O"});
        const auto key = rig.last<Invited>().call;
        rig.does([&](auto& out) { rig.agent.answer(key, {200, {}, sdp("A")}, rig.now, out); });
        ASSERT_EQ(answered(), std::vector{own});
        rig.ack(rig.peer_cseq);
        // The peer sends to the Contact it was given, and that is ours whatever stands in its user.
        EXPECT_EQ(own_token(kUs, answered().front().uri), "k7");
        EXPECT_EQ(rig.inside("BYE"), (Words{"respond 200", "Ended remote"}));
    }
}

}  // namespace
}  // namespace stox::test
