// The values of a dialog: routing, targets, the exchange of offers, and the headers that Sofia leaves to us.
// (RFC 3261 §12, RFC 3264 §4, RFC 3891 §3, RFC 3515 §2.1, RFC 6665 §8)

#include "mapping/sip/dialog_table.h"
#include "mapping/sip/event_package.h"
#include "mapping/sip/offer_exchange.h"
#include "mapping/sip/refer.h"
#include "mapping/sip/replaces.h"
#include "tests/dialog/rig.h"

namespace stox::test {
namespace {

using namespace sip;

NameAddr router(const std::string& uri) { return {{}, Uri::parse(uri).value(), {}}; }

Request invite_from_peer() {
    Request invite;
    invite.method = "INVITE";
    invite.uri = address("us.example").uri;
    invite.from = address("peer.example", "b");
    invite.to = address("us.example");
    invite.call_id = "c1";
    invite.cseq = 7;
    invite.contacts = {address("phone.example")};
    return invite;
}

Dialog callee() { return Dialog::as_uas(invite_from_peer(), "t", address("us.example"), false).value(); }

// ---- Dialog ----

TEST(DialogOf, TheCallee) {
    auto invite = invite_from_peer();
    invite.record_routes = {router("sip:p2.example;lr"), router("sip:p1.example;lr")};
    auto dialog = Dialog::as_uas(invite, "t", address("us.example"), false).value();
    EXPECT_EQ(dialog.id, (DialogId{"c1", "t", "b"}));
    EXPECT_FALSE(dialog.caller);
    EXPECT_EQ(dialog.remote_cseq, 7u);
    const auto bye = dialog.request("BYE");
    EXPECT_EQ(bye.uri.host, "phone.example");
    EXPECT_EQ(bye.routes, invite.record_routes);  // as they stand
    EXPECT_EQ(bye.from.tag, "t");
    EXPECT_EQ(bye.to.tag, "b");
    EXPECT_EQ(bye.call_id, "c1");
    EXPECT_EQ(bye.cseq, 1u);
}

TEST(DialogOf, TheCaller) {
    auto invite = invite_from_peer();
    Response response;
    response.status = 200;
    response.to_tag = "z";
    response.contacts = {address("far.example")};
    response.record_routes = {router("sip:p2.example;lr"), router("sip:p1.example;lr")};
    auto dialog = Dialog::as_uac(invite, response).value();
    EXPECT_EQ(dialog.id, (DialogId{"c1", "b", "z"}));
    EXPECT_TRUE(dialog.caller);
    EXPECT_FALSE(dialog.remote_cseq);
    const auto bye = dialog.request("BYE");
    ASSERT_EQ(bye.routes.size(), 2u);
    EXPECT_EQ(bye.routes.front().uri.host, "p1.example");  // the other way round
    EXPECT_EQ(bye.cseq, 8u);
    EXPECT_EQ(dialog.ack(7).cseq, 7u);
    response.status = 180;
    EXPECT_EQ(Dialog::as_uac(invite, response).value().state, DialogState::early);
}

TEST(DialogOf, StrictRouterIsTheRequestUri) {
    auto invite = invite_from_peer();
    invite.record_routes = {router("sip:strict.example;method=INVITE"), router("sip:p1.example;lr")};
    auto dialog = Dialog::as_uas(invite, "t", address("us.example"), false).value();
    const auto bye = dialog.request("BYE");
    EXPECT_EQ(bye.uri.to_string(), "sip:strict.example");
    ASSERT_EQ(bye.routes.size(), 2u);
    EXPECT_EQ(bye.routes[0].uri.host, "p1.example");
    EXPECT_EQ(bye.routes[1].uri.host, "phone.example");  // the target is the last one
}

struct Target {
    const char* contact;
    bool sip, secure;  ///< whether it may be one in a dialog, in a secure one
};

TEST(DialogOf, TargetsThatMayBe) {
    for (const auto& [contact, sip, secure] :
         {Target{"sip:p@h.example", true, false}, Target{"sips:p@h.example", true, true}, Target{"tel:+123", false, false},
          Target{"im:p@h.example", false, false}, Target{"sip:p@h.example?Route=x", false, false}}) {
        auto invite = invite_from_peer();
        invite.contacts = {router(contact)};
        EXPECT_EQ(bool(Dialog::as_uas(invite, "t", {}, true)), sip) << contact;
        auto dialog = callee();
        EXPECT_EQ(dialog.refresh_target(invite.contacts), sip) << contact;
        EXPECT_EQ(dialog.remote_target.to_string() == contact, sip) << contact;
        invite.uri.scheme = Scheme::sips;
        EXPECT_EQ(bool(Dialog::as_uas(invite, "t", {}, true)), secure) << contact;
        EXPECT_EQ(bool(Dialog::as_uas(invite, "t", {}, false)), sip) << contact;  // sips that came in the clear
    }
    auto dialog = callee();
    EXPECT_FALSE(dialog.refresh_target({}));
    EXPECT_EQ(dialog.remote_target.host, "phone.example");
}

TEST(DialogOf, TooLongARouteIsRefused) {
    auto invite = invite_from_peer();
    invite.record_routes.assign(32, router("sip:p.example;lr"));
    EXPECT_TRUE(Dialog::as_uas(invite, "t", {}, false));
    invite.record_routes.push_back(router("sip:p.example;lr"));
    EXPECT_FALSE(Dialog::as_uas(invite, "t", {}, false));
    invite.record_routes = {router("tel:+1")};
    EXPECT_FALSE(Dialog::as_uas(invite, "t", {}, false));
}

TEST(DialogOf, OrderOfRequests) {
    auto dialog = callee();  // 7 came
    EXPECT_EQ(dialog.receive_cseq(7), Dialog::Order::stale);
    EXPECT_EQ(dialog.receive_cseq(6), Dialog::Order::stale);
    EXPECT_EQ(dialog.receive_cseq(8), Dialog::Order::next);
    EXPECT_EQ(dialog.receive_cseq(1000), Dialog::Order::next);
    EXPECT_EQ(dialog.receive_cseq(0x80000000u), Dialog::Order::invalid);
    EXPECT_EQ(dialog.receive_cseq(0x7fffffffu), Dialog::Order::next);
    dialog.remote_cseq.reset();
    EXPECT_EQ(dialog.receive_cseq(0), Dialog::Order::next);
}

TEST(DialogOf, FailuresThatDestroyIt) {
    for (int status = 300; status < 700; ++status) {
        const bool listed =
            status == 404 || status == 410 || status == 416 || (status >= 482 && status <= 485) || status == 502 || status == 604;
        EXPECT_EQ(destroys_dialog(status), listed) << status;
    }
}

TEST(DialogTable, UsagesHoldADialogAndTheLastTakesItAlong) {
    DialogTable table({.per_peer = 1, .in_all = 2});
    const auto dialog = std::make_shared<Dialog>(callee());
    EXPECT_TRUE(table.add(dialog, "peer", UsageKey{1}));
    EXPECT_TRUE(table.add(dialog, "peer", UsageKey{1}));
    EXPECT_TRUE(table.add(dialog, "peer", UsageKey{2}));
    EXPECT_FALSE(table.has_room("peer"));
    EXPECT_TRUE(table.has_room("other"));
    table.remove(dialog->id, UsageKey{1});
    EXPECT_EQ(table.size(), 1u);
    table.remove(dialog->id, UsageKey{2});
    table.remove(dialog->id, UsageKey{2});
    EXPECT_EQ(table.size(), 0u);
    EXPECT_TRUE(table.has_room("peer"));
}

// ---- Offers and answers ----

using State = OfferExchange::State;
using Role = DescriptionRole;

/// Each state with each thing that can happen.   (RFC 3264 §4: one offer at a time)
TEST(OfferExchange, EachStep) {
    const auto made = [](State state) {
        OfferExchange exchange;
        if (state == State::offered) exchange.sent();
        if (state == State::asked) exchange.received();
        if (state == State::agreed) exchange.sent(), exchange.received();
        EXPECT_EQ(exchange.state(), state);
        return exchange;
    };
    struct Row {
        State from;
        char what;  // Sent, Received, Undone
        Role role;
        State to;
    };
    for (const auto& row :
         {Row{State::none, 'S', Role::offer, State::offered}, Row{State::none, 'R', Role::offer, State::asked},
          Row{State::none, 'U', Role::none, State::none}, Row{State::offered, 'S', Role::none, State::offered},
          Row{State::offered, 'R', Role::answer, State::agreed}, Row{State::offered, 'U', Role::none, State::none},
          Row{State::asked, 'S', Role::answer, State::agreed}, Row{State::asked, 'R', Role::none, State::asked},
          Row{State::asked, 'U', Role::none, State::none}, Row{State::agreed, 'S', Role::offer, State::offered},
          Row{State::agreed, 'R', Role::offer, State::asked}, Row{State::agreed, 'U', Role::none, State::agreed}}) {
        auto exchange = made(row.from);
        auto role = Role::none;
        if (row.what == 'S') role = exchange.sent();
        if (row.what == 'R') role = exchange.received();
        if (row.what == 'U') exchange.undo();
        EXPECT_EQ(role, row.role) << int(row.from) << row.what;
        EXPECT_EQ(exchange.state(), row.to) << int(row.from) << row.what;
    }
    auto again = made(State::agreed);
    again.received();
    again.undo();
    EXPECT_EQ(again.state(), State::agreed);  // what was agreed before stands
}

TEST(OfferExchange, BodiesThatDescribeASession) {
    EXPECT_TRUE(describes_session("application/sdp"));
    EXPECT_TRUE(describes_session("Application/SDP; charset=utf-8"));
    EXPECT_TRUE(describes_session("multipart/mixed;boundary=x"));
    EXPECT_FALSE(describes_session(""));
    EXPECT_FALSE(describes_session("application/sdpx"));
    EXPECT_FALSE(describes_session("multipart/"));
    EXPECT_FALSE(describes_session("message/sipfrag"));
}

// ---- Replaces ----

TEST(Replaces, IsReadAndWritten) {
    const auto read = Replaces::read("12@x ;to-tag=t; from-tag=f;early-only;x=y").value();
    EXPECT_EQ(read, (Replaces{"12@x", "t", "f", true}));
    EXPECT_EQ(Replaces::read(read.to_string()).value(), read);
    for (const auto* bad : {"", ";to-tag=t;from-tag=f", "1;to-tag=t", "1;from-tag=f", "1;to-tag=t;to-tag=t;from-tag=f",
                            "1;to-tag=t;from-tag=f,2;to-tag=t;from-tag=f", "1;to-tag=;from-tag=f", "1 2;to-tag=t;from-tag=f"})
        EXPECT_FALSE(Replaces::read(bad)) << bad;
}

TEST(Replaces, Decisions) {
    const DialogId id{"c", "t", "f"};
    const auto decide = [](const Replaces& replaces, std::vector<ReplaceCandidate> candidates) {
        return decide_replaces(replaces, candidates).refusal;
    };
    const Replaces plain{"c", "t", "f", false}, early{"c", "t", "f", true};
    const auto confirmed = DialogState::confirmed, ringing = DialogState::early;
    EXPECT_EQ(decide(plain, {}), 481);
    EXPECT_EQ(decide(plain, {{id, confirmed, false, true, false}}), 0);
    EXPECT_EQ(decide(early, {{id, confirmed, false, true, false}}), 486);
    EXPECT_EQ(decide(plain, {{id, ringing, true, true, false}}), 0);
    EXPECT_EQ(decide(early, {{id, ringing, true, true, false}}), 0);
    EXPECT_EQ(decide(plain, {{id, ringing, false, true, false}}), 481);
    EXPECT_EQ(decide(plain, {{id, confirmed, false, false, false}}), 481);  // no call
    EXPECT_EQ(decide(plain, {{id, confirmed, false, true, true}}), 603);    // over
    EXPECT_EQ(decide(plain, {{id, confirmed, false, true, false}, {id, confirmed, false, true, false}}), 481);
    EXPECT_EQ(decide({"c", "0", "f", false}, {{{"c", "", "f"}, confirmed, false, true, false}}), 0);
    EXPECT_EQ(decide({"c", "0", "f", false}, {{{"c", "x", "f"}, confirmed, false, true, false}}), 481);
    EXPECT_EQ(decide_replaces(plain, {{{"c", "t", "g"}}, {id, confirmed, false, true, false}}).index, 1u);
}

TEST(Replaces, OnlyOneAndOnlyInInvite) {
    auto invite = invite_from_peer();
    EXPECT_FALSE(replaces_of(invite).value());
    invite.headers = {{"replaces", "c;to-tag=t;from-tag=f"}};
    EXPECT_TRUE(replaces_of(invite).value());
    invite.method = "UPDATE";
    EXPECT_FALSE(replaces_of(invite));
    invite.method = "INVITE";
    invite.headers.push_back(invite.headers.front());
    EXPECT_FALSE(replaces_of(invite));
}

// ---- Refer-To and sipfrag ----

TEST(ReferTo, IsReadAndWritten) {
    const auto read = [](std::vector<std::string> values) {
        Request refer;
        for (auto& value : values) refer.headers.push_back({"Refer-To", std::move(value)});
        return ReferTo::read(refer);
    };
    EXPECT_EQ(read({"<sip:c@h.example>"}).value().to_string(), "<sip:c@h.example>");
    EXPECT_EQ(read({"\"A, <b>\" <sip:c@h.example;method=BYE>;x=y"}).value().method, "BYE");
    EXPECT_EQ(read({"sip:c@h.example"}).value().uri.host, "h.example");
    const auto attended = read({"<sip:c@h.example?Replaces=1%40x%3Bto-tag%3Dt%3Bfrom-tag%3Df>"}).value();
    EXPECT_EQ(attended.replaces, (Replaces{"1@x", "t", "f", false}));
    EXPECT_EQ(read({attended.to_string()}).value(), attended);
    EXPECT_EQ(read({}).error().code, Code::malformed);
    EXPECT_EQ(read({"<sip:c@h.example>", "<sip:d@h.example>"}).error().code, Code::malformed);
    EXPECT_EQ(read({"<sip:c@h.example>, <sip:d@h.example>"}).error().code, Code::malformed);
    EXPECT_EQ(read({"<http://h.example>"}).error().code, Code::unsupported);
    EXPECT_EQ(read({"<sip:c@h.example?Route=x>"}).error().code, Code::forbidden);
    EXPECT_EQ(read({"<sip:c@h.example?Replaces=1&Replaces=2>"}).error().code, Code::malformed);
}

TEST(Sipfrag, IsReadAndWritten) {
    EXPECT_EQ(write_sipfrag(180), "SIP/2.0 180 Ringing\r\n");
    EXPECT_EQ(read_sipfrag("SIP/2.0 200 OK"), 200);
    EXPECT_EQ(read_sipfrag("sip/2.0 603 Decline\r\nTo: x\r\n"), 603);
    EXPECT_EQ(read_sipfrag("SIP/2.0 100\r\n"), 100);
    for (const auto* bad : {"", "SIP/2.0 ", "SIP/2.0 99 x", "SIP/2.0 700 x", "SIP/2.0 2000 x", "SIP/3.0 200 OK", "INVITE sip:x"})
        EXPECT_EQ(read_sipfrag(bad), std::nullopt) << bad;
    EXPECT_EQ(refer_news(180).state.phase, SubscriptionPhase::active);
    EXPECT_EQ(refer_news(200).state.to_string(), "terminated;reason=noresource");
}

// ---- Event and Subscription-State ----

TEST(EventPackage, IsReadAndWritten) {
    const auto read = [](std::string value) { return EventPackage::read(&value); };
    EXPECT_EQ(read("presence").value(), (EventPackage{"presence"}));
    EXPECT_EQ(read("refer; id=93809824").value(), (EventPackage{"refer", "93809824"}));
    EXPECT_EQ(read("refer;id=7").value().to_string(), "refer;id=7");
    EXPECT_FALSE(read(""));
    EXPECT_FALSE(EventPackage::read(nullptr));
}

TEST(SubscriptionState, IsReadAndWritten) {
    const auto read = [](std::string value) { return SubscriptionState::read(&value); };
    EXPECT_EQ(read("active;expires=60").value(), (SubscriptionState{SubscriptionPhase::active, seconds(60), "", {}}));
    EXPECT_EQ(read("Pending").value().phase, SubscriptionPhase::pending);
    EXPECT_EQ(read("terminated;reason=probation;retry-after=5").value(),
              (SubscriptionState{SubscriptionPhase::terminated, {}, "probation", seconds(5)}));
    EXPECT_EQ(read("resting").value().phase, SubscriptionPhase::active);
    EXPECT_EQ(read("active;expires=x").value().expires, std::nullopt);
    EXPECT_FALSE(read(""));
    EXPECT_FALSE(SubscriptionState::read(nullptr));
    EXPECT_EQ((SubscriptionState{SubscriptionPhase::terminated, seconds(9), "timeout", {}}).to_string(),
              "terminated;reason=timeout");
}

}  // namespace
}  // namespace stox::test
