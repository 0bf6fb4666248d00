// The dialog layer between the engine and the wire: where its requests go, by which way, and who may speak in a dialog.

#include "plugin/engine/dialogs.h"

#include "mapping/sip/header_values.h"
#include "tests/engine/rig.h"

#include <gtest/gtest.h>

#include <random>

namespace {

using namespace stox;
using namespace stox::engine;
using namespace stox::engine::test;
using namespace std::chrono_literals;

/// The dialogs of one domain whose peer `phones` has next hops 10.0.0.1 and 10.0.0.2.
class DialogRig {
public:
    explicit DialogRig(config::DomainOptions made = two_hops()) : options(std::move(made)) {
        hops.configure(options);
        dialogs.begin(ids, "capulet.test");
        dialogs.set_addresses(
            {{"192.0.2.9", 5060, Transport::udp}, {"192.0.2.9", 5062, Transport::tcp}, {"2001:db8::9", 5060, Transport::udp}});
    }

    static config::DomainOptions two_hops() {
        auto options = Rig::default_options();
        options.peers.front().next_hops = {hop(1), hop(2)};
        options.peers.front().next_hops[1].priority = 1;
        return options;
    }

    Ways ways() { return {hops, outbound, options, {now, ids, last, out}}; }
    template <class Do>
    DialogRig& turn(Do work) {
        out.clear();
        work(ways());
        for (auto& one : dialogs.take_news()) news.push_back(std::move(one));
        return *this;
    }
    DialogRig& subscribe() {
        sip::Request request;
        request.method = "SUBSCRIBE";
        request.uri = uri("sip:juliet@capulet.test");
        request.from.uri = uri("sip:romeo@montague.test");
        request.to.uri = request.uri;
        request.headers = {{"Event", "presence"}, {"Expires", "3600"}};
        return turn([&](const Ways& ways) { usage = dialogs.subscribe(request, "phones", ways); });
    }
    DialogRig& receive(sip::Request request, Transport transport = Transport::udp, Flow flow = Flow::none) {
        return turn([&](const Ways& ways) {
            SipRequestIn in{ServerTransaction{++transactions}, std::move(request), source, transport};
            in.flow = flow;
            in.tls = tls;
            dialogs.receive(in, "phones", ways);
        });
    }
    DialogRig& respond(const SendSip& sent, sip::Response response, LocalFailure local = LocalFailure::none) {
        const auto transaction = sent.transaction;
        return turn([&](const Ways& ways) {
            const auto outcome = outbound.on_response({transaction, response, local}, hops, ways.turn);
            EXPECT_TRUE(!outcome || dialogs.over(*outcome, ways));
        });
    }
    DialogRig& respond(const SendSip& sent, int status) {
        sip::Response response;
        response.status = status;
        return respond(sent, response);
    }
    DialogRig& pass(std::chrono::milliseconds time) {
        now += time;
        return turn([&](const Ways& ways) {
            outbound.tick(hops, ways.turn);
            dialogs.tick(ways);
        });
    }
    template <class One>
    std::vector<One> all() const {
        std::vector<One> found;
        for (const auto& action : out)
            if (const auto* one = std::get_if<One>(&action)) found.push_back(*one);
        return found;
    }
    SendSip sent() const {
        const auto found = all<SendSip>();
        EXPECT_EQ(found.size(), 1u);
        return found.empty() ? SendSip{} : found.front();
    }
    int answered() const {
        const auto found = all<RespondSip>();
        return found.size() == 1 ? found.front().response.status : 0;
    }
    template <class One>
    std::size_t heard() const {
        return static_cast<std::size_t>(
            std::ranges::count_if(news, [](const auto& one) { return std::holds_alternative<One>(one); }));
    }

    config::DomainOptions options;
    Endpoint source{Address::v4({10, 0, 0, 1}), 5070};  ///< of requests that come
    sip::CertifiedNames tls{};                          ///< and what is proven of their sender
    IdGenerator ids{[random = std::mt19937_64(7)](std::span<std::uint8_t> wanted) mutable {
        for (auto& octet : wanted) octet = static_cast<std::uint8_t>(random());
    }};
    std::uint64_t last = 0, transactions = 0;
    Actions out;
    std::vector<sip::Action> news;
    TimePoint now{};
    NextHops hops;
    Outbound outbound;
    Dialogs dialogs;
    sip::UsageKey usage = sip::UsageKey::none;
};

/// The notifier's answer to that SUBSCRIBE.
sip::Request notify_for(const sip::Request& subscribe, const std::string& tag = "n1",
                        const std::string& state = "active;expires=3600") {
    sip::Request notify;
    notify.method = "NOTIFY";
    notify.uri = subscribe.contacts.front().uri;
    notify.from = subscribe.to;
    notify.from.tag = tag;
    notify.to = subscribe.from;
    notify.call_id = subscribe.call_id;
    notify.cseq = 10;
    notify.contacts = {{{}, uri("sip:juliet@10.0.0.1:5080"), {}}};
    notify.headers = {{"Event", "presence"}, {"Subscription-State", state}};
    return notify;
}

sip::Request subscribe_to_us(const std::string& contact = "sip:juliet@10.0.0.1:5080") {
    static unsigned number = 0;
    sip::Request request;
    request.method = "SUBSCRIBE";
    request.uri = uri("sip:romeo@montague.test");
    request.from = {"", uri("sip:juliet@capulet.test"), "w1"};
    request.to = {"", request.uri, ""};
    request.call_id = "watch" + std::to_string(++number);
    request.cseq = 1;
    request.contacts = {{{}, uri(contact), {}}};
    request.headers = {{"Event", "presence"}, {"Expires", "600"}};
    return request;
}

sip::UsageKey wanted(const DialogRig& rig) { return std::get<sip::SubscriptionWanted>(rig.news.back()).subscription; }

TEST(Dialogs, PRES_10_ASubscribeOfOursHasAllThatMakesADialog) {
    DialogRig rig;
    const auto sent = rig.subscribe().sent();
    EXPECT_EQ(sent.target.endpoint.to_string(), "10.0.0.1:5060");
    EXPECT_TRUE(sent.target.configured);
    const auto& request = sent.request;
    ASSERT_EQ(request.contacts.size(), 1u);
    EXPECT_EQ(request.contacts.front().uri.to_string(), "sip:" + rig.dialogs.token() + "@192.0.2.9:5060;transport=udp");
    EXPECT_FALSE(request.from.tag.empty());
    EXPECT_FALSE(request.call_id.empty());
    EXPECT_TRUE(request.to.tag.empty());
    EXPECT_NE(rig.usage, sip::UsageKey::none);
}

TEST(Dialogs, PRES_102_ANotifyBeforeTheAnswerMakesTheDialogWithItsRoutes) {
    DialogRig rig;
    const auto sent = rig.subscribe().sent();
    auto notify = notify_for(sent.request);
    notify.record_routes = {{{}, uri("sip:10.0.0.1:5090;lr"), {}}, {{}, uri("sip:10.0.0.9;lr"), {}}};
    EXPECT_EQ(rig.receive(notify).answered(), 200);
    EXPECT_EQ(rig.heard<sip::Notified>(), 1u);
    rig.respond(sent, 200);
    const auto leave = rig.turn([&](const Ways& ways) { rig.dialogs.unsubscribe(rig.usage, ways); }).sent();
    EXPECT_EQ(leave.target.endpoint.to_string(), "10.0.0.1:5090") << "the first route, not the target";
    EXPECT_EQ(leave.request.uri, uri("sip:juliet@10.0.0.1:5080"));
    EXPECT_EQ(leave.request.to.tag, "n1");
    ASSERT_EQ(leave.request.routes.size(), 2u);
}

TEST(Dialogs, AStrictRouterIsWhereTheRequestGoes) {
    DialogRig rig;
    const auto sent = rig.subscribe().sent();
    auto notify = notify_for(sent.request);
    notify.record_routes = {{{}, uri("sip:10.0.0.1:5090"), {}}, {{}, uri("sip:10.0.0.9;lr"), {}}};
    rig.receive(notify);
    const auto leave = rig.turn([&](const Ways& ways) { rig.dialogs.unsubscribe(rig.usage, ways); }).sent();
    EXPECT_EQ(leave.request.uri, uri("sip:10.0.0.1:5090"));
    EXPECT_EQ(leave.target.endpoint.to_string(), "10.0.0.1:5090") << "though the routes that are left begin with another";
}

TEST(Dialogs, PRES_25_TheFirstOfTwoNotifiersIsTheOnlyOne) {
    DialogRig rig;
    const auto sent = rig.subscribe().sent();
    EXPECT_EQ(rig.receive(notify_for(sent.request, "n1")).answered(), 200);
    EXPECT_EQ(rig.receive(notify_for(sent.request, "n2")).answered(), 481);
    EXPECT_EQ(rig.heard<sip::Notified>(), 1u);
    EXPECT_EQ(rig.dialogs.dialogs(), 1u);
}

TEST(Dialogs, ASilentTargetIsLeftForTheNextOne) {
    DialogRig rig;
    rig.subscribe();
    const auto second = rig.pass(4s).sent();
    EXPECT_EQ(second.target.endpoint.to_string(), "10.0.0.2:5060");
    rig.respond(second, 503);
    EXPECT_EQ(rig.heard<sip::Failed>(), 1u);
    EXPECT_EQ(rig.dialogs.usages(), 0u);
    EXPECT_EQ(rig.dialogs.requests(), 0u);
}

TEST(Dialogs, WhatCanGoNowhereFailsAtOnceAndNeverInsideTheCall) {
    DialogRig rig;
    rig.hops.configure({});
    rig.subscribe();
    ASSERT_NE(rig.usage, sip::UsageKey::none) << "its owner knows it before it hears of its end";
    ASSERT_EQ(rig.heard<sip::Failed>(), 1u);
    EXPECT_EQ(std::get<sip::Failed>(rig.news.back()).response.status, 503);
    EXPECT_TRUE(rig.all<SendSip>().empty());
}

sip::Response challenge(const std::string& nonce) {
    sip::Response response;
    response.status = 401;
    response.headers = {
        {"WWW-Authenticate", "Digest realm=\"capulet.test\", nonce=\"" + nonce + "\", algorithm=MD5, qop=\"auth\""}};
    return response;
}

TEST(Dialogs, PRES_42_AChallengeIsAnsweredOnceWithANumberOfTheDialog) {
    DialogRig rig;
    rig.outbound.accounts().configure({{"phones", {"gateway", sip::digest::Password{"secret"}, {}}}});
    const auto first = rig.subscribe().sent();
    EXPECT_FALSE(first.request.header("Authorization"));
    const auto again = rig.respond(first, challenge("n1")).sent();
    ASSERT_TRUE(again.request.header("Authorization"));
    EXPECT_EQ(again.request.cseq, first.request.cseq + 1);
    EXPECT_EQ(again.request.call_id, first.request.call_id);
    auto notify = notify_for(again.request);
    notify.contacts = {{{}, uri("sip:juliet@10.0.0.1:5060"), {}}};
    rig.receive(notify);
    rig.respond(again, 200);
    const auto leave = rig.turn([&](const Ways& ways) { rig.dialogs.unsubscribe(rig.usage, ways); }).sent();
    const auto* next = leave.request.header("Authorization");
    ASSERT_TRUE(next) << "what was asked before is given unasked";
    EXPECT_NE(next->find("nc=00000002"), std::string::npos) << *next;
    EXPECT_NE(next->find("uri=\"sip:juliet@10.0.0.1:5060\""), std::string::npos) << *next;
    EXPECT_EQ(std::ranges::count(leave.request.headers, std::string("Authorization"), &sip::Header::name), 1);
    EXPECT_EQ(leave.request.cseq, again.request.cseq + 1);
}

/// The peer `phones` has challenged us and was answered.
void log_in(DialogRig& rig) {
    rig.outbound.accounts().configure({{"phones", {"gateway", sip::digest::Password{"secret"}, {}}}});
    const auto again = rig.respond(rig.subscribe().sent(), challenge("n1")).sent();
    ASSERT_TRUE(again.request.header("Authorization"));
    rig.respond(again, 200);
}

SendSip first_notify(DialogRig& rig) {
    return rig.turn([&](const Ways& ways) { rig.dialogs.grant(wanted(rig), {}, ways); }).sent();
}

TEST(Dialogs, AContactSeesNoCredentialsOfThePeerAndNoAnswerToItsChallenge) {
    DialogRig rig;
    log_in(rig);
    rig.receive(subscribe_to_us("sip:juliet@198.51.100.66:5060"));
    const auto notify = first_notify(rig);
    EXPECT_EQ(notify.target.endpoint.to_string(), "198.51.100.66:5060");
    EXPECT_FALSE(notify.request.header("Authorization")) << "unasked";
    rig.respond(notify, challenge("n2"));
    EXPECT_TRUE(rig.all<SendSip>().empty()) << "nor asked";
}

TEST(Dialogs, AContactThatIsLocatedSeesNoCredentialsEither) {
    DialogRig rig;
    log_in(rig);
    rig.receive(subscribe_to_us("sip:juliet@phone.capulet.test"));
    rig.turn([&](const Ways& ways) { rig.dialogs.grant(wanted(rig), {}, ways); });
    const auto asked = rig.all<Locate>();
    ASSERT_EQ(asked.size(), 1u);
    const Located found{
        asked.front().location,
        {{Transport::udp, {Address::v4({10, 0, 0, 1}), 5060}}, {Transport::udp, {Address::v4({198, 51, 100, 66}), 5060}}}};
    const auto notify = rig.turn([&](const Ways& ways) { EXPECT_TRUE(rig.dialogs.located(found, ways)); }).sent();
    EXPECT_FALSE(notify.request.header("Authorization")) << "one of the two is not the peer's";
}

TEST(Dialogs, PRES_42_AChallengeIsAnsweredAlsoWhenWhereItGoesIsLocatedAgain) {
    DialogRig rig;
    log_in(rig);
    rig.receive(subscribe_to_us("sip:juliet@phone.capulet.test"));
    rig.turn([&](const Ways& ways) { rig.dialogs.grant(wanted(rig), {}, ways); });
    const auto find = [&] {
        const auto asked = rig.all<Locate>();
        EXPECT_EQ(asked.size(), 1u);
        const Located found{asked.at(0).location, {{Transport::udp, {Address::v4({10, 0, 0, 1}), 5060}}}};
        return rig.turn([&](const Ways& ways) { EXPECT_TRUE(rig.dialogs.located(found, ways)); }).sent();
    };
    rig.respond(find(), challenge("n2"));
    const auto again = find();
    const auto* credentials = again.request.header("Authorization");
    ASSERT_TRUE(credentials);
    EXPECT_NE(credentials->find("\"n2\""), std::string::npos) << *credentials;
}

/// Whose next hop is 10.0.0.1 over TCP, and which is heard from all of 10.0.0.0/24.
config::DomainOptions wide_source() {
    auto options = DialogRig::two_hops();
    options.peers.front().source = {{Address::v4({10, 0, 0, 0}), 24}};
    options.peers.front().next_hops = {hop(1, 5060, Transport::tcp)};
    return options;
}

bool logged(const DialogRig& rig, std::string_view part) {
    return std::ranges::any_of(rig.all<Log>(), [&](const Log& log) { return log.text.find(part) != std::string::npos; });
}

TEST(Dialogs, AConnectionFromElsewhereSeesNoCredentialsThoughTheContactIsTheNextHop) {
    DialogRig rig(wide_source());
    log_in(rig);
    rig.source = {Address::v4({10, 0, 0, 7}), 5070};  // one of many who are heard as that peer
    rig.receive(subscribe_to_us("sip:juliet@10.0.0.1:5060;transport=tcp"), Transport::tcp, Flow{7});
    const auto notify = first_notify(rig);
    EXPECT_TRUE(notify.target.configured);
    EXPECT_EQ(notify.target.flow, Flow{7});
    EXPECT_FALSE(notify.request.header("Authorization"));
    rig.respond(notify, challenge("n2"));
    EXPECT_TRUE(rig.all<SendSip>().empty());
    EXPECT_TRUE(logged(rig, "challenge not answered") && logged(rig, "match.tls_name")) << "and the operator what to set";
    rig.receive(subscribe_to_us("sip:juliet@10.0.0.1:5060;transport=tcp"), Transport::tcp, Flow{7});
    rig.respond(first_notify(rig), challenge("n3"));
    EXPECT_FALSE(logged(rig, "challenge not answered")) << "once";
}

// A PBX that opens the connection itself, from any port, is the PBX all the same.
TEST(Dialogs, PRES_42_APeerThatChallengesOverItsOwnConnectionIsAnsweredOverThat) {
    enum class By { next_hop, own_address, tls_name };
    for (const auto by : {By::next_hop, By::own_address, By::tls_name}) {
        auto options = wide_source();
        if (by == By::own_address) options.peers.front().source = {{Address::v4({10, 0, 0, 7}), 32}};
        if (by == By::tls_name) {
            options.peers.front().source.clear();
            options.peers.front().tls_names = {"pbx.capulet.test"};
        }
        DialogRig rig(options);
        rig.outbound.accounts().configure({{"phones", {"gateway", sip::digest::Password{"secret"}, {"capulet.test"}}}});
        rig.source = {Address::v4({10, 0, 0, by == By::next_hop ? std::uint8_t{1} : std::uint8_t{7}}), 40'001};
        const auto transport = by == By::tls_name ? Transport::tls : Transport::tcp;
        if (by == By::tls_name) rig.tls = {options.tls.trust, {"pbx.capulet.test"}};
        const std::string contact =
            "sip:juliet@10.9.9.9:5080;transport=" + std::string(transport == Transport::tls ? "tls" : "tcp");
        rig.receive(subscribe_to_us(contact), transport, Flow{7});
        const auto notify = first_notify(rig);
        EXPECT_EQ(notify.target.endpoint.to_string(), "10.9.9.9:5080") << "for when that connection is gone";
        EXPECT_FALSE(notify.request.header("Authorization")) << "the Contact may be anybody's";
        const auto again = rig.respond(notify, challenge("n1")).sent();
        ASSERT_TRUE(again.request.header("Authorization")) << static_cast<int>(by);
        EXPECT_EQ(again.target.flow, Flow{7});
        EXPECT_EQ(again.target.endpoint, rig.source) << "never to an address that was merely claimed";
        EXPECT_EQ(again.request.cseq, notify.request.cseq + 1);
        rig.respond(again, 200);
        // A datagram says nothing of who sent it.
        rig.receive(subscribe_to_us("sip:juliet@10.0.0.7:5080"));
        rig.respond(first_notify(rig), challenge("n2"));
        EXPECT_TRUE(rig.all<SendSip>().empty());
    }
}

// A phone behind the peer's proxy answers what it is sent with any challenge that it likes.
TEST(Dialogs, AChallengeInADialogChangesNothingElseThatThePeerIsSent) {
    DialogRig rig;
    log_in(rig);
    rig.receive(subscribe_to_us("sip:juliet@10.0.0.1:5060"));
    const auto notify = first_notify(rig);
    ASSERT_NE(notify.request.header("Authorization"), nullptr) << "it goes to a next hop";
    sip::Response asks;
    asks.status = 401;
    for (int realm = 0; realm < 7; ++realm)
        asks.headers.push_back({"WWW-Authenticate", "Digest realm=\"r" + std::to_string(realm) + "\", nonce=\"" +
                                                        std::string(400, 'n') + "\", algorithm=MD5, qop=\"auth\""});
    const auto again = rig.respond(notify, asks).sent();
    const auto carried = [](const SendSip& sent) {
        return std::ranges::count(sent.request.headers, std::string("Authorization"), &sip::Header::name);
    };
    EXPECT_EQ(carried(again), 2) << "that request is answered, as far as there is room for answers";
    rig.respond(again, 200);
    const auto next = rig.subscribe().sent();
    ASSERT_EQ(carried(next), 1);
    EXPECT_NE(next.request.header("Authorization")->find("realm=\"capulet.test\", nonce=\"n1\""), std::string::npos)
        << *next.request.header("Authorization");
    EXPECT_NE(next.request.header("Authorization")->find("nc=00000003"), std::string::npos) << "counted wherever it is used";
}

// A datagram that is too long fails at each hop; told apart before, the message goes over a connection or its author hears why.
TEST(Dialogs, WhatThePeerAskedForCountsForTheLengthOfADatagram) {
    const auto begins = [](const std::string& nonce) {
        DialogRig rig;
        rig.outbound.accounts().configure({{"phones", {"gateway", sip::digest::Password{"secret"}, {}}}});
        rig.respond(rig.respond(rig.subscribe().sent(), challenge(nonce)).sent(), 200);
        sip::Request message;
        message.method = "MESSAGE";
        message.uri = message.to.uri = message.from.uri = uri("sip:juliet@capulet.test");
        message.body = std::string(400, 'x');
        std::optional<Outcome> outcome;
        rig.turn([&](const Ways& ways) { outcome = ways.outbound.start(RequestId{900}, message, "phones", ways.hops, ways.turn); });
        return outcome ? outcome->kind : Outcome::Kind::answered;
    };
    EXPECT_EQ(begins("n1"), Outcome::Kind::answered);
    EXPECT_EQ(begins(std::string(300, 'n')), Outcome::Kind::too_large);
}

TEST(Dialogs, AChallengeThatIsTooLongIsNotAnsweredInADialogAndTheOperatorHearsWhy) {
    DialogRig rig;
    log_in(rig);
    rig.receive(subscribe_to_us("sip:juliet@10.0.0.1:5060"));
    rig.respond(first_notify(rig), challenge(std::string(7'000, 'n')));
    EXPECT_TRUE(rig.all<SendSip>().empty());
    EXPECT_TRUE(logged(rig, "challenge not answered") && logged(rig, "512 octets"));
}

// Who stands behind the peer asks for a proof in a realm of their own choice, to guess the password from it.
TEST(Dialogs, OverAConnectionOfThePeerItselfOnlyABoundLoginAnswers) {
    using sip::digest::Ha1;
    using sip::digest::Password;
    const auto answers = [](sip::digest::Login login) {
        DialogRig rig(wide_source());
        rig.outbound.accounts().configure({{"phones", std::move(login)}});
        rig.receive(subscribe_to_us("sip:juliet@10.9.9.9:5080;transport=tcp"), Transport::tcp, Flow{7});
        rig.respond(first_notify(rig), challenge("n1"));
        const bool answered = !rig.all<SendSip>().empty();
        EXPECT_NE(answered, logged(rig, "challenge not answered"));
        return std::pair(answered, logged(rig, "auth.realms"));
    };
    const std::vector<Ha1> ha1{{"capulet.test", sip::digest::Algorithm::md5, std::string(32, 'a')}};
    EXPECT_EQ(answers({"gateway", Password{"secret"}, {}}), std::pair(false, true)) << "and what to set is said";
    EXPECT_EQ(answers({"gateway", Password{"secret"}, {"capulet.test"}}), std::pair(true, false));
    EXPECT_EQ(answers({"gateway", Password{"secret"}, {"other.test"}}), std::pair(false, false));
    EXPECT_EQ(answers({"gateway", ha1, {}}), std::pair(true, false));
}

TEST(Dialogs, WhoIsHeardByADigestUserIsNotThePeerItself) {
    auto options = wide_source();
    options.peers.front().source.clear();
    options.peers.front().users = {"juliet"};
    DialogRig rig(options);
    rig.outbound.accounts().configure({{"phones", {"gateway", sip::digest::Password{"secret"}, {}}}});
    rig.source = {Address::v4({10, 0, 0, 7}), 40'001};
    rig.receive(subscribe_to_us("sip:juliet@10.0.0.7:5080;transport=tcp"), Transport::tcp, Flow{7});
    rig.respond(first_notify(rig), challenge("n1"));
    EXPECT_TRUE(rig.all<SendSip>().empty());
}

/// Whether a challenge to a NOTIFY over a connection from 10.0.0.1 is answered by that peer's login.
bool is_answered(const config::DomainOptions& options, Transport transport, const sip::CertifiedNames& tls = {}) {
    DialogRig rig(options);
    rig.outbound.accounts().configure({{"phones", {"gateway", sip::digest::Password{"secret"}, {"capulet.test"}}}});
    rig.tls = tls;
    rig.receive(subscribe_to_us("sip:juliet@10.9.9.9:5080;transport=" + std::string(transport == Transport::tls ? "tls" : "tcp")),
                transport, Flow{7});
    rig.respond(first_notify(rig), challenge("n1"));
    return !rig.all<SendSip>().empty();
}

// Any program on the host of a TLS peer can open a connection in clear from there.
TEST(Dialogs, APeerThatIsReachedByTlsAloneProvesItsName) {
    auto options = wide_source();
    auto& peer = options.peers.front();
    const sip::CertifiedNames proof{options.tls.trust, {"pbx.capulet.test"}};
    peer.source = {{Address::v4({10, 0, 0, 1}), 32}};
    peer.tls_names = {"pbx.capulet.test"};
    peer.next_hops = {hop(1, 5061, Transport::tls)};
    EXPECT_FALSE(is_answered(options, Transport::tcp)) << "neither its next hop's address nor its own says enough";
    EXPECT_FALSE(is_answered(options, Transport::tls)) << "nor does TLS with no name";
    EXPECT_TRUE(is_answered(options, Transport::tls, proof));
    peer.next_hops = {hop(2)};
    EXPECT_TRUE(is_answered(options, Transport::tcp)) << "what goes in clear anyway";
    peer.source.clear();
    peer.next_hops = {hop(1, 5061, Transport::tls), hop(2)};
    EXPECT_FALSE(is_answered(options, Transport::tcp)) << "the next hop at this address is TLS, and another is not";
    peer.next_hops.push_back(hop(1));
    EXPECT_TRUE(is_answered(options, Transport::tcp));
}

TEST(Dialogs, AnAddressThatDigestUsersShareIsNotThePeerItself) {
    auto options = wide_source();
    auto& peer = options.peers.front();
    peer.source = {{Address::v4({10, 0, 0, 1}), 32}};
    peer.next_hops = {hop(2)};
    EXPECT_TRUE(is_answered(options, Transport::tcp));
    peer.users = {"juliet"};
    EXPECT_FALSE(is_answered(options, Transport::tcp));
}

TEST(Dialogs, AChallengeWithoutAuthIsToldToTheOperatorOnce) {
    DialogRig rig;
    rig.respond(rig.subscribe().sent(), challenge("n1"));
    EXPECT_TRUE(logged(rig, "no auth is set for this peer"));
    rig.respond(rig.subscribe().sent(), challenge("n2"));
    EXPECT_FALSE(logged(rig, "challenge not answered"));
}

TEST(Dialogs, CredentialsThatAreRefusedAreNotGivenAgain) {
    DialogRig rig;
    rig.outbound.accounts().configure({{"phones", {"gateway", sip::digest::Password{"wrong"}, {}}}});
    const auto again = rig.respond(rig.subscribe().sent(), challenge("n1")).sent();
    rig.respond(again, challenge("n2"));
    EXPECT_TRUE(rig.all<SendSip>().empty());
    ASSERT_EQ(rig.heard<sip::Failed>(), 1u);
    EXPECT_EQ(std::get<sip::Failed>(rig.news.back()).response.status, 401);
}

TEST(Dialogs, CORE_46_ANotifiersContactIsAGruuOfTheListenerItCameBy) {
    DialogRig rig;
    rig.receive(subscribe_to_us(), Transport::tcp);
    rig.turn([&](const Ways& ways) { rig.dialogs.grant(wanted(rig), {}, ways); });
    const auto answer = rig.all<RespondSip>();
    ASSERT_EQ(answer.size(), 1u);
    const auto expected = "sip:" + rig.dialogs.token() + "@192.0.2.9:5062;transport=tcp;gr";
    EXPECT_EQ(answer.front().response.contacts.front().uri.to_string(), expected);
    EXPECT_EQ(rig.sent().request.contacts.front().uri.to_string(), expected);
}

TEST(Dialogs, ANotifyGoesToTheContactOverTheConnectionThatItsDialogWasMadeOn) {
    DialogRig rig;
    rig.receive(subscribe_to_us("sip:juliet@10.9.9.9:5080;transport=tcp"), Transport::tcp, Flow{77});
    const auto notify = rig.turn([&](const Ways& ways) { rig.dialogs.grant(wanted(rig), {}, ways); }).sent();
    EXPECT_EQ(notify.target.endpoint.to_string(), "10.9.9.9:5080");
    EXPECT_EQ(notify.target.transport, Transport::tcp);
    EXPECT_EQ(notify.target.flow, Flow{77});
    EXPECT_FALSE(notify.target.configured) << "an address that the message made up";
}

std::vector<std::string> holds(const DialogRig& rig) {
    std::vector<std::string> all;
    for (const auto& action : rig.out) {
        if (const auto* hold = std::get_if<HoldFlow>(&action)) all.push_back('+' + std::to_string(static_cast<int>(hold->flow)));
        if (const auto* release = std::get_if<ReleaseFlow>(&action))
            all.push_back('-' + std::to_string(static_cast<int>(release->flow)));
    }
    return all;
}

using Held = std::vector<std::string>;

sip::Request refreshed(const sip::Request& subscribe, const DialogRig& rig, sip::UsageKey usage, std::uint32_t cseq, const std::string& expires) {
    auto inside = subscribe;
    inside.to.tag = rig.dialogs.dialog(usage)->id.local_tag;
    inside.cseq = cseq;
    inside.headers.back().value = expires;
    return inside;
}

// A phone behind a translator can be reached by that connection alone, and a subscription is silent for an hour.
TEST(Dialogs, AConnectionIsHeldForAsLongAsDialogsAreReachedByIt) {
    DialogRig rig;
    const auto first = subscribe_to_us(), second = subscribe_to_us();
    rig.receive(first, Transport::tcp, Flow{7});
    EXPECT_EQ(holds(rig), Held{"+7"});
    const auto one = wanted(rig);
    rig.receive(second, Transport::tcp, Flow{7});
    EXPECT_EQ(holds(rig), Held{}) << "once for all";
    const auto other = wanted(rig);
    rig.respond(rig.turn([&](const Ways& ways) { rig.dialogs.grant(one, {}, ways); }).sent(), 200);
    rig.respond(rig.turn([&](const Ways& ways) { rig.dialogs.grant(other, {}, ways); }).sent(), 200);
    rig.receive(refreshed(first, rig, one, 2, "600"), Transport::tcp, Flow{8});
    EXPECT_EQ(holds(rig), Held{"+8"}) << "it came back by another one; the second dialog still needs the first";
    EXPECT_EQ(rig.sent().target.flow, Flow{8});
    rig.respond(rig.sent(), 200);
    sip::Notification last;
    last.state.phase = sip::SubscriptionPhase::terminated;
    const auto end = rig.turn([&](const Ways& ways) { rig.dialogs.publish(other, last, ways); }).sent();
    EXPECT_EQ(end.target.flow, Flow{7}) << "the last word goes there too";
    EXPECT_EQ(holds(rig), Held{});
    rig.respond(end, 200);
    EXPECT_EQ(holds(rig), Held{"-7"});
    rig.receive(refreshed(first, rig, one, 3, "0"), Transport::tcp, Flow{8});
    rig.respond(rig.sent(), 200);
    EXPECT_EQ(holds(rig), Held{"-8"});
}

TEST(Dialogs, ASubscriptionThatIsRefusedHoldsNoConnection) {
    DialogRig rig;
    rig.receive(subscribe_to_us(), Transport::tcp, Flow{7});
    sip::Reply no;
    no.status = 403;
    rig.turn([&](const Ways& ways) { rig.dialogs.deny(wanted(rig), no, ways); });
    EXPECT_EQ(holds(rig), Held{"-7"});
}

TEST(Dialogs, ASecondNotifierMovesNothing) {
    DialogRig rig;
    const auto sent = rig.subscribe().sent();
    rig.receive(notify_for(sent.request, "n1"), Transport::tcp, Flow{7});
    EXPECT_EQ(holds(rig), Held{"+7"});
    EXPECT_EQ(rig.receive(notify_for(sent.request, "n2"), Transport::tcp, Flow{8}).answered(), 481);
    EXPECT_EQ(holds(rig), Held{});
    rig.respond(sent, 200);
    auto last = notify_for(sent.request, "n1", "terminated;reason=timeout");
    last.cseq = 11;
    EXPECT_EQ(rig.receive(last, Transport::tcp, Flow{7}).answered(), 200);
    EXPECT_EQ(holds(rig), Held{"-7"});
}

TEST(Dialogs, SoManyConnectionsAreHeldAndNoMore) {
    DialogRig rig;
    for (std::size_t flow = 1; flow <= Dialogs::kHeld; ++flow) {
        rig.receive(subscribe_to_us(), Transport::tcp, Flow{flow});
        ASSERT_EQ(holds(rig).size(), 1u) << flow;
    }
    rig.receive(subscribe_to_us(), Transport::tcp, Flow{Dialogs::kHeld + 1});
    EXPECT_EQ(holds(rig), Held{});
    const auto one_too_many = wanted(rig);
    const auto notify = rig.turn([&](const Ways& ways) { rig.dialogs.grant(one_too_many, {}, ways); }).sent();
    EXPECT_EQ(notify.target.flow, Flow{Dialogs::kHeld + 1}) << "while it lives it is the way all the same";
}

TEST(Dialogs, WhereThePeerItselfWasHeardFromIsSaidToTheDialPolicy) {
    DialogRig rig;
    rig.receive(subscribe_to_us());
    const auto notify = rig.turn([&](const Ways& ways) { rig.dialogs.grant(wanted(rig), {}, ways); }).sent();
    EXPECT_EQ(notify.target.endpoint.to_string(), "10.0.0.1:5080");
    EXPECT_FALSE(notify.target.configured) << "another port of that address, which the Contact made up";
    ASSERT_TRUE(notify.target.heard);
    EXPECT_EQ(notify.target.heard->endpoint.to_string(), "10.0.0.1:5070");
    EXPECT_EQ(notify.target.heard->transport, Transport::udp);
    EXPECT_EQ(notify.target.flow, Flow::none);
}

TEST(Dialogs, ANextHopOfThePeerIsTheOperatorsOwnWhateverNamesIt) {
    DialogRig rig;
    rig.receive(subscribe_to_us("sip:juliet@10.0.0.2:5060"));
    const auto notify = rig.turn([&](const Ways& ways) { rig.dialogs.grant(wanted(rig), {}, ways); }).sent();
    EXPECT_EQ(notify.target.endpoint.to_string(), "10.0.0.2:5060");
    EXPECT_TRUE(notify.target.configured);
}

TEST(Dialogs, WhatIsTooLongForADatagramTriesAConnectionFirst) {
    DialogRig rig;
    rig.receive(subscribe_to_us("sip:juliet@10.0.0.1:5080"));
    sip::Notification long_one;
    long_one.body = std::string(1'300, 'x');
    const auto by_tcp = rig.turn([&](const Ways& ways) { rig.dialogs.grant(wanted(rig), long_one, ways); }).sent();
    EXPECT_EQ(by_tcp.target.text(), "tcp:10.0.0.1:5080");
    sip::Response none;
    none.status = 503;
    const auto by_udp = rig.respond(by_tcp, none, LocalFailure::unsent).sent();
    EXPECT_EQ(by_udp.target.text(), "udp:10.0.0.1:5080") << "rather than not at all";
    rig.respond(by_udp, 200);
    rig.receive(subscribe_to_us("sip:juliet@10.0.0.1:5080;transport=udp"));
    const auto as_said = rig.turn([&](const Ways& ways) { rig.dialogs.grant(wanted(rig), long_one, ways); }).sent();
    EXPECT_EQ(as_said.target.text(), "udp:10.0.0.1:5080");
}

TEST(Dialogs, AContactWithANameIsLocated) {
    DialogRig rig;
    rig.receive(subscribe_to_us("sip:juliet@phone.capulet.test;transport=tcp"));
    rig.turn([&](const Ways& ways) { rig.dialogs.grant(wanted(rig), {}, ways); });
    const auto asked = rig.all<Locate>();
    ASSERT_EQ(asked.size(), 1u);
    EXPECT_EQ(asked.front().hop.host, "phone.capulet.test");
    EXPECT_EQ(asked.front().hop.transport, Transport::tcp);
    EXPECT_TRUE(rig.all<SendSip>().empty());
    const Located found{asked.front().location, {{Transport::tcp, {Address::v4({198, 51, 100, 7}), 5060}}}};
    const auto notify = rig.turn([&](const Ways& ways) { EXPECT_TRUE(rig.dialogs.located(found, ways)); }).sent();
    EXPECT_EQ(notify.target.endpoint.to_string(), "198.51.100.7:5060");
    EXPECT_FALSE(notify.target.configured);
    rig.turn([&](const Ways& ways) { EXPECT_FALSE(rig.dialogs.located(found, ways)) << "answered once"; });
}

TEST(Dialogs, AContactThatNobodyLocatesCostsTheNotifyAndNotTheSubscription) {
    DialogRig rig;
    rig.receive(subscribe_to_us("sip:juliet@phone.capulet.test"));
    rig.turn([&](const Ways& ways) { rig.dialogs.grant(wanted(rig), {}, ways); });
    rig.pass(30s);
    EXPECT_EQ(rig.dialogs.requests(), 0u);
    EXPECT_EQ(rig.dialogs.usages(), 1u);
    rig.turn([&](const Ways& ways) { rig.dialogs.publish(wanted(rig), {}, ways); });
    EXPECT_EQ(rig.all<Locate>().size(), 1u) << "the next state is told again";
}

TEST(Dialogs, ARequestInADialogIsOfItsPeerAlone) {
    auto options = Rig::default_options();
    auto other = options.peers.front();
    other.name = "others";
    other.source = {{Address::v4({10, 0, 0, 2}), 32}};
    options.peers.push_back(other);
    Rig rig(options);
    auto subscribe = subscribe_to_us();
    rig.request(subscribe);
    ASSERT_EQ(rig.answer().status, 200);
    const auto tag = rig.answer().to_tag;
    auto inside = subscribe;
    inside.to.tag = tag;
    inside.cseq = 2;
    EXPECT_EQ(rig.request(inside, Address::v4({10, 0, 0, 2})).answer().status, 403);
    EXPECT_EQ(rig.request(inside).answer().status, 200);
    inside.to.tag = "unknown";
    EXPECT_EQ(rig.request(inside).answer().status, 481);
}

// 480 is the word for a phone outside of dialogs; in one it ends the subscription, for a lack of room that is ours and passes.
TEST(Dialogs, OurWantOfRoomEndsNoSubscriptionOfAPhone) {
    auto options = Rig::default_options();
    options.peers.front().kind = config::PeerKind::phone;
    options.peers.front().limits.per_second = 2;
    Rig rig(options);
    const auto crowded = [&](sip::Request request) {
        SipRequestIn in{ServerTransaction{900 + request.cseq}, std::move(request), {Address::v4({10, 0, 0, 1}), 5060}, Transport::udp};
        in.congested = true;
        return rig.feed(std::move(in)).answer();
    };
    const auto later = [](const sip::Response& response, int status, const std::string& seconds) {
        EXPECT_EQ(response.status, status);
        const auto* after = response.header("Retry-After");
        EXPECT_EQ(after ? *after : "", seconds);
    };
    auto refresh = subscribe_to_us();
    later(crowded(refresh), 480, "2");
    rig.request(refresh);
    ASSERT_EQ(rig.answer().status, 200);
    refresh.to.tag = rig.answer().to_tag;
    refresh.cseq = 2;
    later(crowded(refresh), 503, "2");
    refresh.cseq = 3;
    EXPECT_EQ(rig.request(refresh).answer().status, 200) << "it is there";
    refresh.cseq = 4;
    later(rig.request(refresh).answer(), 503, "1");
    later(rig.request(subscribe_to_us()).answer(), 480, "1");
}

}  // namespace
