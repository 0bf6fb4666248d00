// What a server accepts: with our own client at the other end, and with everything that is not quite right.

#include "mapping/sip/digest/server.h"

#include "mapping/sip/digest/client.h"

#include "tests/unit/result_testing.h"

#include <gtest/gtest.h>

namespace stox::sip::digest {

namespace {

using namespace std::chrono_literals;
using test::value;

const TimePoint kStart{1000h};
constexpr RequestParts kRequest{.method = "MESSAGE", .uri = "sip:bob@sip.example", .body = "Hi"};
const std::string kPassword = "secret";

Key key(std::uint8_t first) {
    Key octets{};
    octets.front() = first;
    return octets;
}

Authenticator::Options options(std::vector<Algorithm> algorithms = {Algorithm::sha256}, std::vector<Qop> qop = {Qop::auth}) {
    return {.realm = "sip.example", .algorithms = std::move(algorithms), .qop = std::move(qop), .nonces = {}};
}

/// Users that exist: alice, and one with every character that needs quoting.
std::optional<std::string> lookup(std::string_view user, std::string_view realm, Algorithm algorithm) {
    if (user != "alice" && user != R"(a"b\ c)" && user != "J\xC3\xA4s") return std::nullopt;
    return value(ha1(algorithm, user, realm, kPassword));
}

struct Server {
    Authenticator authenticator;
    TimePoint now = kStart;

    explicit Server(Authenticator::Options with = options()) : authenticator(std::move(with), key(1)) {}
    Verdict verify(std::string text, const RequestParts& request = kRequest) {
        return authenticator.verify(std::vector{std::move(text)}, request, lookup, now);
    }
};

struct Client {
    std::string user = "alice", password = kPassword;
    Session session{};
    Attempt attempt{};

    std::string answer_to(const std::vector<std::string>& challenges, const RequestParts& request = kRequest) {
        std::vector<Header> headers;
        for (const auto& text : challenges) headers.push_back({"WWW-Authenticate", text});
        attempt = {};
        return value(answer(login(), Counterpart::peer_of_login, headers, session, attempt, request, "c")).front().value;
    }
    std::string next(const RequestParts& request = kRequest) {
        return value(authorize(login(), Counterpart::peer_of_login, session, attempt, request, "c")).front().value;
    }
    Login login() const { return {.user = user, .secret = Password{password}, .realms = {}}; }
};

Credentials read(const std::string& text) { return value(Credentials::from(value(parse_credentials(text)))); }

/// The credentials that this secret makes of those, whatever stands in them.
std::string made(Credentials credentials, const RequestParts& request = kRequest) {
    const auto algorithm = credentials.algorithm.value_or(Algorithm::md5);
    const auto secret = value(ha1(algorithm, credentials.username, credentials.realm, kPassword));
    credentials.response = value(response(algorithm, secret, credentials.nonce, credentials.protection,
                                          {.method = request.method, .uri = credentials.uri, .body = request.body}));
    return credentials.to_string();
}

std::string counted(const std::string& text, std::uint32_t count) {
    auto credentials = read(text);
    credentials.protection->nc = nc_text(count);
    return made(credentials);
}

Verdict accepted(std::string user = "alice") { return Accepted{std::move(user)}; }
Verdict wrong(Reason reason) { return Wrong{reason}; }
const Verdict kStale = Stale{}, kAbsent = Absent{};

}  // namespace

void PrintTo(const Verdict& verdict, std::ostream* out) {
    constexpr std::string_view kNames[] = {"accepted", "stale", "wrong", "absent"};
    *out << kNames[verdict.index()];
    if (const auto* because = std::get_if<Wrong>(&verdict)) *out << " " << to_string(because->reason);
}

TEST(DigestServer, EveryReasonHasItsWordInTheLog) {
    const std::pair<Reason, std::string_view> words[] = {
        {Reason::malformed, "malformed"}, {Reason::unsupported, "unsupported"}, {Reason::uri, "uri"},
        {Reason::unknown_user, "unknown-user"}, {Reason::response, "response"}, {Reason::replay, "replay"}, {Reason::unavailable, "unavailable"}};
    for (const auto& [reason, word] : words) EXPECT_EQ(to_string(reason), word);
}

TEST(DigestServer, AcceptsOurClientForEveryAlgorithmQopAndName) {
    for (const auto algorithm : {Algorithm::md5, Algorithm::sha256, Algorithm::sha512_256})
        for (const auto qop : {Qop::auth, Qop::auth_int})
            for (const std::string user : {"alice", R"(a"b\ c)", "J\xC3\xA4s"}) {
                Server server(options({algorithm}, {qop}));
                Client client{.user = user};
                EXPECT_EQ(server.verify(client.answer_to(server.authenticator.challenges(server.now, false))), accepted(user));
                EXPECT_EQ(read(client.next()).protection->qop, qop);
                EXPECT_EQ(server.verify(client.next()), accepted(user));
                Client guesser{.user = user, .password = "Secret"};
                EXPECT_EQ(server.verify(guesser.answer_to(server.authenticator.challenges(server.now, false))),
                          wrong(Reason::response));
            }
}

TEST(DigestServer, OffersItsAlgorithmsInItsOrder) {
    Authenticator server({.realm = "a\"b",
                          .algorithms{Algorithm::sha512_256, Algorithm::sha256, Algorithm::md5},
                          .qop{Qop::auth, Qop::auth_int},
                          .nonces = {}},
                         key(1));
    const auto values = server.challenges(kStart, true);
    ASSERT_EQ(values.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) {
        const auto challenge = value(Challenge::from(value(parse_credentials(values[i]))));
        EXPECT_EQ(challenge.realm, "a\"b");
        EXPECT_EQ(challenge.algorithm, (std::array{Algorithm::sha512_256, Algorithm::sha256, Algorithm::md5}[i]));
        EXPECT_EQ(challenge.qop, (std::vector{Qop::auth, Qop::auth_int}));
        EXPECT_TRUE(challenge.stale);
    }
    EXPECT_NE(values[0].find("qop=\"auth,auth-int\""), std::string::npos);
    EXPECT_NE(values[0].find("stale=true"), std::string::npos);
    EXPECT_EQ(server.challenges(kStart, false)[0].find("stale"), std::string::npos);
    EXPECT_NE(server.challenges(kStart, false)[0], server.challenges(kStart, false)[0]);
}

TEST(DigestServer, WhatIsForOthersIsPassedOver) {
    Server server;
    Client client;
    const auto good = client.answer_to(server.authenticator.challenges(server.now, false));
    const std::string other = R"(Digest username="alice", realm="proxy", nonce="n", uri="sip:x", response="")";
    const auto judge = [&](std::vector<std::string> values) {
        return server.authenticator.verify(values, kRequest, lookup, server.now);
    };
    EXPECT_EQ(judge({}), kAbsent);
    EXPECT_EQ(judge({"Basic YTpi"}), kAbsent);
    EXPECT_EQ(judge({other, R"(Newauth realm="sip.example")"}), kAbsent);
    EXPECT_EQ(judge({other, "Digest ???"}), wrong(Reason::malformed));
    EXPECT_EQ(judge({"Basic YTpi", other, good}), accepted());
    EXPECT_EQ(judge({client.next(), "Digest ???"}), accepted());
    EXPECT_EQ(judge(std::vector<std::string>(16, other)), kAbsent);
    auto buried = std::vector<std::string>(16, other);
    buried.push_back(client.next());
    EXPECT_EQ(judge(buried), kAbsent);
}

TEST(DigestServer, OneChangeAndItIsWrong) {
    Server server(options({Algorithm::sha256}, {Qop::auth_int}));
    Client client;
    const auto text = client.answer_to(server.authenticator.challenges(server.now, false));
    const auto good = read(text);
    const auto changed = [&](auto change) {
        auto credentials = good;
        change(credentials);
        return server.verify(credentials.to_string());
    };
    EXPECT_EQ(server.verify(text, {.method = "INVITE", .uri = kRequest.uri, .body = kRequest.body}), wrong(Reason::response));
    EXPECT_EQ(server.verify(text, {.method = kRequest.method, .uri = kRequest.uri, .body = "Ho"}), wrong(Reason::response));
    EXPECT_EQ(server.verify(text, {.method = kRequest.method, .uri = "sip:eve@sip.example", .body = kRequest.body}),
              wrong(Reason::uri));
    EXPECT_EQ(changed([](auto& c) { c.uri = "sip:eve@sip.example"; }), wrong(Reason::uri));
    EXPECT_EQ(changed([](auto& c) { c.uri = "sip:bob@sip.example;x"; }), wrong(Reason::response));
    EXPECT_EQ(changed([](auto& c) { c.username = "eve"; }), wrong(Reason::unknown_user));
    EXPECT_EQ(changed([](auto& c) { c.username = R"(a"b\ c)"; }), wrong(Reason::response));
    EXPECT_EQ(changed([](auto& c) { c.realm = "other"; }), kAbsent);
    EXPECT_EQ(changed([](auto& c) { c.nonce.back() = c.nonce.back() == '0' ? '1' : '0'; }), wrong(Reason::response));
    EXPECT_EQ(changed([](auto& c) { c.protection->nc = "00000002"; }), wrong(Reason::response));
    EXPECT_EQ(changed([](auto& c) { c.protection->cnonce = "d"; }), wrong(Reason::response));
    EXPECT_EQ(changed([](auto& c) { c.protection->qop = Qop::auth; }), wrong(Reason::unsupported));
    EXPECT_EQ(changed([](auto& c) { c.protection.reset(); }), wrong(Reason::unsupported));
    EXPECT_EQ(changed([](auto& c) { c.userhash = true; }), wrong(Reason::unsupported));
    EXPECT_EQ(changed([](auto& c) { c.algorithm = Algorithm::sha512_256; }), wrong(Reason::unsupported));
    EXPECT_EQ(changed([](auto& c) { c.algorithm.reset(); }), wrong(Reason::malformed));  // 64 digits are no MD5
    EXPECT_EQ(changed([](auto& c) { c.response.back() = c.response.back() == '0' ? '1' : '0'; }), wrong(Reason::response));
    EXPECT_EQ(server.verify(text + ", algorithm=MD5-sess"), wrong(Reason::malformed));
    EXPECT_EQ(server.verify(text), accepted());
}

TEST(DigestServer, TheUriMayBeSpelledOtherwise) {
    const auto judge = [](std::string_view digest_uri, std::string_view request_uri) {
        Server server;
        Client client;
        const auto text = client.answer_to(server.authenticator.challenges(server.now, false),
                                           {.method = kRequest.method, .uri = digest_uri, .body = kRequest.body});
        return server.verify(text, {.method = kRequest.method, .uri = request_uri, .body = kRequest.body});
    };
    EXPECT_EQ(judge("sip:bob@sip.example", "sip:b%6fb@SIP.example:5060;transport=tcp"), accepted());
    EXPECT_EQ(judge("sips:bob@sip.example:5061", "sips:bob@sip.example"), accepted());
    EXPECT_EQ(judge("urn:service:sos", "urn:service:sos"), accepted());
    EXPECT_EQ(judge("tel:+15551230000", "tel:+15551230000"), accepted());
    for (const std::string_view uri :
         {"sip:Bob@sip.example", "sip:sip.example", "sip:bob@sip.example:5070", "sips:bob@sip.example",
          "sips:bob@sip.example:5060", "sip:bob@example", "tel:+1555", "urn:service:sos", "", "*"})
        EXPECT_EQ(judge(uri, "sip:bob@sip.example"), wrong(Reason::uri)) << uri;
}

TEST(DigestServer, NobodyIsAcceptedWithoutASecretInTheTable) {
    Server server;
    Client client;
    const auto text = client.answer_to(server.authenticator.challenges(server.now, false));
    // A table that says "nothing" with an empty or a cut word must not make that word the password.
    for (const std::string broken : {"", "abc"}) {
        auto credentials = read(text);
        credentials.response = value(response(Algorithm::sha256, broken, credentials.nonce, credentials.protection, kRequest));
        const auto table = [&broken](auto, auto, auto) { return std::optional(broken); };
        EXPECT_EQ(server.authenticator.verify(std::vector{credentials.to_string()}, kRequest, table, server.now),
                  wrong(Reason::unknown_user));
    }
    // Nor may what stands in for the secret of unknown users be one.
    auto eve = read(text);
    eve.username = "eve";
    eve.response = value(response(Algorithm::sha256, to_hex(key(1)), eve.nonce, eve.protection, kRequest));
    EXPECT_EQ(server.verify(eve.to_string()), wrong(Reason::unknown_user));
}

TEST(DigestServer, ANonceLivesFiveMinutes) {
    Server server;
    Client client;
    const auto text = client.answer_to(server.authenticator.challenges(server.now, false));
    server.now = kStart + 5min;
    EXPECT_EQ(server.verify(text), accepted());
    server.now = kStart + 5min + 1ms;
    EXPECT_EQ(server.verify(counted(text, 2)), kStale);
    EXPECT_EQ(server.verify(client.answer_to(server.authenticator.challenges(server.now, true))), accepted());
    server.now = kStart - 1ms;
    EXPECT_EQ(server.verify(counted(text, 3)), kStale);
}

TEST(DigestServer, ANonceOfAnotherProcessIsStaleForWhoKnowsTheSecret) {
    Server server;
    Authenticator other(options(), key(2));
    Client client, guesser{.password = "Secret"};
    EXPECT_EQ(server.verify(client.answer_to(other.challenges(kStart, false))), kStale);
    EXPECT_EQ(server.verify(guesser.answer_to(other.challenges(kStart, false))), wrong(Reason::response));
    auto other_realm = options();
    other_realm.realm = "other";
    Client elsewhere;
    auto stolen = read(elsewhere.answer_to(Authenticator(other_realm, key(1)).challenges(kStart, false)));
    stolen.realm = "sip.example";
    EXPECT_EQ(server.verify(made(stolen)), kStale);
    for (const std::string nonce : {"", "n"}) {
        stolen.nonce = nonce;
        EXPECT_EQ(server.verify(made(stolen)), kStale);
    }
}

TEST(DigestServer, ACountIsGoodOnce) {
    Server server;
    Client client;
    const auto text = client.answer_to(server.authenticator.challenges(server.now, false));
    EXPECT_EQ(server.verify(text), accepted());
    EXPECT_EQ(server.verify(text), wrong(Reason::replay));
    EXPECT_EQ(server.verify(counted(text, 2)), accepted());
    EXPECT_EQ(server.verify(text), wrong(Reason::replay));
    // Requests overtake each other.
    EXPECT_EQ(server.verify(counted(text, 66)), accepted());
    EXPECT_EQ(server.verify(counted(text, 3)), accepted());
    EXPECT_EQ(server.verify(counted(text, 3)), wrong(Reason::replay));
    EXPECT_EQ(server.verify(counted(text, 65)), accepted());
    EXPECT_EQ(server.verify(counted(text, 2)), kStale);  // 64 behind
    EXPECT_EQ(server.verify(counted(text, 0xffffffff)), accepted());
    EXPECT_EQ(server.verify(counted(text, 66)), kStale);
    EXPECT_EQ(server.verify(counted(text, 0xffffffff)), wrong(Reason::replay));
    EXPECT_EQ(server.verify(counted(text, 0xfffffffe)), accepted());
}

TEST(DigestServer, AWrongResponseUsesNoCount) {
    Server server;
    Client client, guesser{.password = "Secret"};
    const auto challenges = server.authenticator.challenges(server.now, false);
    EXPECT_EQ(server.verify(guesser.answer_to(challenges)), wrong(Reason::response));
    EXPECT_EQ(server.verify(client.answer_to(challenges)), accepted());
}

TEST(DigestServer, AClientOfRfc2069HasOneRequestForEachNonce) {
    Server server;
    Client client;
    auto credentials = read(client.answer_to(server.authenticator.challenges(server.now, false)));
    const auto counting = credentials.to_string();
    credentials.protection.reset();
    EXPECT_EQ(server.verify(made(credentials)), accepted());
    EXPECT_EQ(server.verify(made(credentials)), kStale);
    EXPECT_EQ(server.verify(counting), kStale);
    EXPECT_EQ(server.verify(counted(counting, 0xffffffff)), wrong(Reason::replay));
    Client second;
    credentials = read(second.answer_to(server.authenticator.challenges(server.now, false)));
    EXPECT_EQ(server.verify(credentials.to_string()), accepted());
    credentials.protection.reset();
    EXPECT_EQ(server.verify(made(credentials)), kStale);
}

TEST(DigestServer, ReasonsHaveNames) {
    EXPECT_EQ(to_string(Reason::unknown_user), "unknown-user");
    EXPECT_EQ(to_string(Reason::unavailable), "unavailable");
    EXPECT_EQ(to_string(Reason::malformed), "malformed");
}

}  // namespace stox::sip::digest
