// Who proves to be a digest user is that user's peer; who tries and fails is counted; whom we are asked by gets our credentials.

#include "tests/engine/rig.h"

#include "mapping/sip/digest/client.h"

namespace {

using namespace stox;
using namespace stox::engine;
using namespace stox::engine::test;
using namespace std::chrono_literals;
namespace digest = sip::digest;

const Address kStranger = Address::v4({192, 0, 2, 1});
constexpr const char* kRealm = "capulet.test";

std::string ha1_line(const std::string& user, const std::string& password, digest::Algorithm algorithm) {
    return user + ':' + kRealm + ':' + std::string(to_string(algorithm)) + ':' +
           digest::ha1(algorithm, user, kRealm, password).value() + '\n';
}

/// alice and bob may write; alice as anybody of our domain, bob from one network only.
config::DomainOptions options() {
    auto made = Rig::default_options();
    made.digest.realm = kRealm;
    config::Peer alice, bob;
    alice.name = "alice's";
    alice.users = {"alice"};
    alice.kind = config::PeerKind::phone;
    bob.name = "bob's";
    bob.users = {"bob"};
    bob.source = {Prefix::parse("198.51.100.0/24").value()};
    made.peers.push_back(alice);
    made.peers.push_back(bob);
    return made;
}

Secrets secrets() {
    std::string lines;
    for (const auto algorithm : {digest::Algorithm::md5, digest::Algorithm::sha256})
        for (const std::string user : {"alice", "bob", "carol"}) lines += ha1_line(user, user + "'s secret", algorithm);
    Secrets made;
    made.users = digest::Ha1Table::parse(lines).value();
    return made;
}

class PhoneRig : public Rig {
public:
    explicit PhoneRig(config::DomainOptions with = options()) : Rig(with) { feed(OptionsChanged{std::move(with), secrets()}); }

    /// The request again with the answer to the last challenge.
    sip::Request answered(sip::Request request, const std::string& user, const std::string& password) {
        const auto uri = request.uri.to_string();
        digest::Session session;
        digest::Attempt attempt;
        auto headers =
            digest::answer({user, digest::Password{password}, {}}, digest::Counterpart::peer_of_login, challenge.headers, session,
                           attempt, {request.method, uri, request.body}, "cnonce" + std::to_string(++cnonce_));
        if (!headers)
            ADD_FAILURE() << headers.error().detail;
        else
            request.headers = headers.value();
        ++request.cseq;
        return request;
    }
    /// What a request of that phone's comes to: the first answer must be a challenge.
    PhoneRig& authenticate(const std::string& user, const std::string& password, Address source = kStranger) {
        auto request = message_request();
        this->request(request, source);
        challenge = answer();
        EXPECT_EQ(challenge.status, 401);
        last = answered(request, user, password);
        this->request(last, source);
        return *this;
    }

    sip::Response challenge;
    sip::Request last;

private:
    unsigned cnonce_ = 0;
};

TEST(Authentication, AStrangerIsChallengedNotCounted) {
    PhoneRig rig;
    const auto answer = rig.request(message_request(), kStranger).answer();
    EXPECT_EQ(answer.status, 401);
    EXPECT_TRUE(rig.refused.empty());
    EXPECT_FALSE(rig.logged("security"));
    std::vector<std::string> offered;
    for (const auto& header : answer.headers)
        if (header.name == "WWW-Authenticate") offered.push_back(header.value);
    ASSERT_EQ(offered.size(), 2u) << "SHA-512-256 has no line of anybody";
    EXPECT_NE(offered[0].find("SHA-256"), std::string::npos);
    EXPECT_NE(offered[0].find("realm=\"capulet.test\""), std::string::npos);
    EXPECT_NE(offered[1].find("MD5"), std::string::npos);
}

TEST(Authentication, GoodCredentialsMakeAPeer) {
    PhoneRig rig;
    rig.authenticate("alice", "alice's secret");
    EXPECT_EQ(rig.messages().size(), 1u);
    rig.broken_disk = true;
    rig.authenticate("alice", "alice's secret");
    EXPECT_EQ(rig.answer().status, 480) << "a phone";
    EXPECT_EQ(rig.logs.back().peer, "alice's");
}

TEST(Authentication, WrongCredentialsAreCountedAndChallengedAnew) {
    for (const auto& [user, password] : {std::pair("alice", "guess"), {"nobody", "alice's secret"}}) {
        PhoneRig rig;
        rig.authenticate(user, password);
        EXPECT_EQ(rig.answer().status, 401);
        EXPECT_NE(*rig.answer().header("WWW-Authenticate"), *rig.challenge.header("WWW-Authenticate"));
        EXPECT_EQ(rig.answer().header("WWW-Authenticate")->find("stale"), std::string::npos);
        EXPECT_EQ(rig.refused, std::vector{kStranger});
        EXPECT_TRUE(rig.logged("security event=refused"));
        EXPECT_TRUE(rig.messages().empty());
    }
}

TEST(Authentication, AUserOfNoPeerIsRefused) {
    PhoneRig rig;
    rig.authenticate("carol", "carol's secret");
    EXPECT_EQ(rig.answer().status, 403);
    EXPECT_EQ(rig.refused.size(), 1u);
    EXPECT_TRUE(rig.logged("user of no peer"));
}

TEST(Authentication, AllConditionsOfAMatchMustHold) {
    PhoneRig rig;
    rig.authenticate("bob", "bob's secret");
    EXPECT_EQ(rig.answer().status, 403) << "right password, wrong network";
    rig.authenticate("bob", "bob's secret", Address::v4({198, 51, 100, 7}));
    EXPECT_EQ(rig.messages().size(), 1u);
}

TEST(Authentication, AReplayIsRefused) {
    PhoneRig rig;
    rig.authenticate("alice", "alice's secret");
    EXPECT_EQ(rig.messages().size(), 1u);
    auto replay = rig.last;
    replay.call_id = "another";
    EXPECT_EQ(rig.request(replay, kStranger).answer().status, 401);
    EXPECT_TRUE(rig.refused.empty()) << "a proxy that forks a request to two of our addresses does the same";
    EXPECT_TRUE(rig.messages().empty());
    auto changed = rig.last;
    changed.body = "something else";
    changed.call_id = "third";
    rig.request(changed, kStranger);
    EXPECT_TRUE(rig.messages().empty());
}

TEST(Authentication, AnOldNonceIsStaleAndNobodysFault) {
    PhoneRig rig;
    auto request = message_request();
    rig.request(request, kStranger);
    rig.challenge = rig.answer();
    rig.now += 1h;
    rig.request(rig.answered(request, "alice", "alice's secret"), kStranger);
    EXPECT_EQ(rig.answer().status, 401);
    EXPECT_NE(rig.answer().header("WWW-Authenticate")->find("stale=true"), std::string::npos);
    EXPECT_TRUE(rig.refused.empty());
}

TEST(Authentication, AKnownSourceNeedsNoPasswordButAWrongOneIsRefusedThereToo) {
    PhoneRig rig;
    EXPECT_EQ(rig.request(message_request()).messages().size(), 1u);
    rig.request(message_request(), kStranger);
    rig.challenge = rig.answer();
    const auto wrong = rig.answered(message_request(), "alice", "guess");
    EXPECT_EQ(rig.request(wrong).answer().status, 401);
    auto foreign = message_request();
    foreign.headers = {
        {"Authorization", R"(Digest username="x", realm="elsewhere.test", nonce="n", uri="sip:a", response="00")"}};
    EXPECT_EQ(rig.request(foreign).messages().size(), 1u) << "what is for another realm is for somebody else";
}

TEST(Authentication, REGISTERIsNeverChallenged) {
    PhoneRig rig;
    auto request = message_request();
    request.method = "REGISTER";
    EXPECT_EQ(rig.request(request, kStranger).answer().status, 403);
    EXPECT_EQ(rig.refused.size(), 1u);
    EXPECT_EQ(rig.request(request).answer().status, 403);
    EXPECT_TRUE(rig.refused.empty());
}

TEST(Authentication, ADomainWithoutDigestUsersChallengesNobody) {
    Rig rig;
    EXPECT_EQ(rig.request(message_request(), kStranger).answer().status, 403);
    EXPECT_FALSE(rig.answer().header("WWW-Authenticate"));
}

// As a client

sip::Response challenged(int status, const std::string& realm, const std::string& nonce, bool stale = false) {
    sip::Response response;
    response.status = status;
    response.headers = {{status == 401 ? "WWW-Authenticate" : "Proxy-Authenticate",
                         "Digest realm=\"" + realm + "\", nonce=\"" + nonce + "\", algorithm=SHA-256, qop=\"auth\"" +
                             (stale ? ", stale=true" : "")}};
    return response;
}

class CarrierRig : public Rig {
public:
    CarrierRig() {
        auto with = Rig::default_options();
        with.peers.front().next_hops = {hop(1), hop(2)};
        with.peers.front().next_hops[1].priority = 1;
        Secrets made;
        made.logins.emplace("phones", digest::Login{"gateway", digest::Password{"s3cr3t"}, {"carrier.test"}});
        feed(OptionsChanged{std::move(with), std::move(made)});
    }
    Rig& respond(sip::Response response) { return feed(SipResponseIn{sent.at(0).transaction, std::move(response)}); }
    std::string credentials(const char* name = "Authorization") const {
        const auto* value = sent.at(0).request.header(name);
        return value ? *value : std::string();
    }
};

TEST(Credentials, CORE_54_AChallengeOfTheNextHopIsAnsweredUnderANewCSeq) {
    for (const int status : {401, 407}) {
        CarrierRig rig;
        rig.stanza(message_stanza());
        const auto first = rig.sent.at(0).request;
        rig.respond(challenged(status, "carrier.test", "n1"));
        ASSERT_EQ(rig.sent.size(), 1u);
        const auto& second = rig.sent.front().request;
        EXPECT_EQ(second.cseq, first.cseq + 1);
        EXPECT_EQ(second.call_id, first.call_id);
        EXPECT_EQ(second.from, first.from);
        EXPECT_EQ(second.body, first.body);
        EXPECT_EQ(rig.sent.front().target.endpoint.to_string(), "10.0.0.1:5060");
        const auto value = rig.credentials(status == 401 ? "Authorization" : "Proxy-Authorization");
        EXPECT_NE(value.find("username=\"gateway\""), std::string::npos);
        EXPECT_EQ(value.find("s3cr3t"), std::string::npos);
        EXPECT_TRUE(rig.respond([] {
                           sip::Response ok;
                           ok.status = 200;
                           return ok;
                       }())
                        .stanzas.empty());
        EXPECT_EQ(rig.engine.pending().transactions, 0u);
    }
}

TEST(Credentials, ASecondChallengeIsTheLastWord) {
    CarrierRig rig;
    rig.stanza(message_stanza());
    rig.respond(challenged(401, "carrier.test", "n1"));
    rig.respond(challenged(401, "carrier.test", "n2"));
    EXPECT_TRUE(rig.sent.empty());
    EXPECT_EQ(rig.error().sip_status, 401);
    EXPECT_TRUE(rig.logged("challenge not answered"));
    EXPECT_EQ(rig.logs.front().peer, "phones");
    rig.stanza(message_stanza());
    rig.respond(challenged(401, "carrier.test", "n3"));
    if (!rig.sent.empty()) rig.respond(challenged(401, "carrier.test", "n4"));
    EXPECT_FALSE(rig.logged("challenge not answered")) << "told once until it works again";
}

TEST(Credentials, AnotherRealmOrAnotherPeerGetsNothing) {
    CarrierRig rig;
    rig.stanza(message_stanza());
    rig.respond(challenged(401, "thief.test", "n1"));
    EXPECT_TRUE(rig.sent.empty());
    EXPECT_EQ(rig.error().sip_status, 401);
    Rig without;
    without.stanza(message_stanza());
    without.feed(SipResponseIn{without.sent.at(0).transaction, challenged(401, "carrier.test", "n1")});
    EXPECT_TRUE(without.sent.empty());
    EXPECT_EQ(without.error().sip_status, 401);
}

TEST(Credentials, TheNextMessageCarriesThemFromTheStartWithAHigherCount) {
    CarrierRig rig;
    rig.stanza(message_stanza());
    rig.respond(challenged(401, "carrier.test", "n1"));
    EXPECT_NE(rig.credentials().find("nc=00000001"), std::string::npos);
    sip::Response ok;
    ok.status = 200;
    rig.respond(ok);
    rig.stanza(message_stanza());
    EXPECT_NE(rig.credentials().find("nc=00000002"), std::string::npos);
    rig.respond(challenged(401, "carrier.test", "n2", true));
    ASSERT_EQ(rig.sent.size(), 1u) << "a stale nonce is no refusal";
    EXPECT_NE(rig.credentials().find("\"n2\""), std::string::npos);
}

TEST(Credentials, AnotherTargetNeverSeesTheSameCountTwice) {
    CarrierRig rig;
    rig.stanza(message_stanza());
    rig.respond(challenged(401, "carrier.test", "n1"));
    sip::Response busy;
    busy.status = 503;
    rig.respond(busy);
    ASSERT_EQ(rig.sent.size(), 1u);
    EXPECT_EQ(rig.sent.front().target.endpoint.to_string(), "10.0.0.2:5060");
    EXPECT_NE(rig.credentials().find("nc=00000002"), std::string::npos);
}

}  // namespace
