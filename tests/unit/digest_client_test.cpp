// What a client answers, and what it does not.

#include "mapping/sip/digest/client.h"

#include "tests/unit/result_testing.h"

#include <gtest/gtest.h>

namespace stox::sip::digest {

namespace {

using test::code;
using test::value;

constexpr RequestParts kRequest{.method = "INVITE", .uri = "sip:bob@biloxi.com", .body = "v=0"};
constexpr auto kPeer = Counterpart::peer_of_login;

/// One login at one peer, and one request.
struct Client {
    Login login{.user = "bob", .secret = Password{"zanzibar"}, .realms = {}};
    Session session;
    Attempt attempt;

    Result<std::vector<Header>> answer_to(std::vector<Header> headers, Counterpart from = kPeer) {
        return answer(login, from, headers, session, attempt, kRequest, "cnonce");
    }
    Result<std::vector<Header>> answer_to(std::string_view challenge) {
        return answer_to({{"WWW-Authenticate", std::string(challenge)}});
    }
    Result<std::vector<Header>> next_request(Counterpart to = kPeer) {
        attempt = {};
        return authorize(login, to, session, attempt, kRequest, "cnonce");
    }
};

Credentials read(const Header& header) { return value(Credentials::from(value(parse_credentials(header.value)))); }
Credentials only(Result<std::vector<Header>> headers) {
    const auto all = value(std::move(headers));
    if (all.size() != 1) throw std::runtime_error(std::to_string(all.size()) + " headers");
    return read(all.front());
}

std::string challenge(std::string_view nonce, std::string_view more = "", std::string_view realm = "r") {
    return "Digest realm=\"" + std::string(realm) + "\", nonce=\"" + std::string(nonce) + "\", qop=\"auth\"" + std::string(more);
}

}  // namespace

TEST(DigestClient, AnswersTheExampleOfRfc3261) {
    Client client;
    const auto headers =
        value(client.answer_to(R"(Digest realm="biloxi.com", qop="auth,auth-int", )"
                               R"(nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41")"));
    ASSERT_EQ(headers.size(), 1U);
    EXPECT_EQ(headers[0].name, "Authorization");
    const auto made = read(headers[0]);
    const auto secret = value(ha1(Algorithm::md5, "bob", "biloxi.com", "zanzibar"));
    const Protection protection{Qop::auth, "00000001", "cnonce"};
    EXPECT_EQ(made, (Credentials{.username = "bob",
                                 .realm = "biloxi.com",
                                 .nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093",
                                 .uri = "sip:bob@biloxi.com",
                                 .response = value(response(Algorithm::md5, secret, made.nonce, protection, kRequest)),
                                 .algorithm = std::nullopt,
                                 .opaque = "5ccc069c403ebaf9f0171e9517f40e41",
                                 .protection = protection,
                                 .userhash = false}));
}

// RFC 7616 §3.9.1: the server prefers SHA-256, and what the client sends is printed there.
TEST(DigestClient, AnswersTheExampleOfRfc7616) {
    const std::string rest =
        R"(, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS")";
    const auto offer = [&rest](std::string_view algorithm) {
        return Header{"WWW-Authenticate", R"(Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=)" +
                                              std::string(algorithm) + rest};
    };
    const Login login{.user = "Mufasa", .secret = Password{"Circle of Life"}, .realms = {"http-auth@example.org"}};
    const auto answered = [&](std::vector<Header> headers) {
        Session session;
        Attempt attempt;
        return only(answer(login, kPeer, headers, session, attempt, {.method = "GET", .uri = "/dir/index.html", .body = ""},
                           "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"));
    };
    EXPECT_EQ(answered({offer("SHA-256"), offer("MD5")}).response,
              "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
    EXPECT_EQ(answered({offer("MD5"), offer("SHA-256")}).response, "8ca523f5e9506fed4657c9700eebdbec");
    EXPECT_EQ(answered({offer("MD5"), offer("SHA-256")}).opaque, "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS");
}

TEST(DigestClient, NobodyButThePeerIsAnswered) {
    Client client;
    EXPECT_EQ(code(client.answer_to({{"WWW-Authenticate", challenge("n")}}, Counterpart::anyone_else)), Code::forbidden);
    EXPECT_TRUE(client.session.entries.empty());
    client.login.realms = {"ours", "r2"};
    EXPECT_EQ(code(client.answer_to(challenge("n"))), Code::forbidden);
    EXPECT_TRUE(client.session.entries.empty());
    EXPECT_EQ(only(client.answer_to(challenge("n", "", "r2"))).realm, "r2");
    // Nor does it get without asking what the peer would get.
    EXPECT_TRUE(value(client.next_request(Counterpart::anyone_else)).empty());
    EXPECT_EQ(value(client.next_request()).size(), 1U);
}

TEST(DigestClient, TheFirstChallengeThatItCanAnswerIsTaken) {
    Client client;
    const auto made = only(client.answer_to({{"WWW-Authenticate", R"(Basic realm="r", Bearer abc)"},
                                             {"WWW-Authenticate", "Digest realm=\"r"},
                                             {"WWW-Authenticate", challenge("1", ", algorithm=SHA-512")},
                                             {"Server", challenge("2")},
                                             {"WWW-Authenticate", challenge("3", ", algorithm=SHA-256-sess") + ", " +
                                                                      challenge("4", ", algorithm=SHA-256, userhash=true")},
                                             {"WWW-Authenticate", challenge("5", ", algorithm=MD5")}}));
    EXPECT_EQ(made.nonce, "4");
    EXPECT_EQ(made.algorithm, Algorithm::sha256);
    EXPECT_EQ(made.username, "bob");
    EXPECT_FALSE(made.userhash);
    EXPECT_EQ(code(Client().answer_to(R"(Basic realm="r")")), Code::unsupported);
    EXPECT_EQ(code(Client().answer_to("Digest")), Code::unsupported);
    EXPECT_EQ(code(Client().answer_to(std::vector<Header>{})), Code::unsupported);
}

TEST(DigestClient, Ha1AnswersItsRealmAndAlgorithmOnly) {
    Client client;
    const auto secret = value(ha1(Algorithm::sha256, "bob", "r", "zanzibar"));
    client.login.secret = std::vector{Ha1{"r", Algorithm::sha256, secret}};
    const auto made = only(client.answer_to({{"WWW-Authenticate", challenge("1")},
                                             {"WWW-Authenticate", challenge("2", ", algorithm=SHA-256", "other")},
                                             {"WWW-Authenticate", challenge("3", ", algorithm=SHA-256")}}));
    EXPECT_EQ(made.nonce, "3");
    Client knows_password;
    EXPECT_EQ(made, only(knows_password.answer_to(challenge("3", ", algorithm=SHA-256"))));
}

TEST(DigestClient, AServerOfRfc2069GetsNoQop) {
    Client client;
    const auto made = only(client.answer_to(R"(Digest realm="r", nonce="n")"));
    EXPECT_EQ(made.protection, std::nullopt);
    const auto secret = value(ha1(Algorithm::md5, "bob", "r", "zanzibar"));
    EXPECT_EQ(made.response, value(response(Algorithm::md5, secret, "n", std::nullopt, kRequest)));
}

TEST(DigestClient, AuthIntOnlyWhereNothingElseIsOffered) {
    EXPECT_EQ(only(Client().answer_to(R"(Digest realm="r", nonce="n", qop="auth-int,auth")")).protection->qop, Qop::auth);
    EXPECT_EQ(only(Client().answer_to(R"(Digest realm="r", nonce="n", qop="auth-int")")).protection->qop, Qop::auth_int);
}

TEST(DigestClient, CountsBelongToTheirNonce) {
    Client client;
    EXPECT_EQ(only(client.answer_to(challenge("1"))).protection->nc, "00000001");
    EXPECT_EQ(only(client.next_request()).protection->nc, "00000002");
    EXPECT_EQ(only(client.next_request()).protection->nc, "00000003");
    EXPECT_EQ(only(client.answer_to(challenge("2", ", stale=true"))).protection->nc, "00000001");
    EXPECT_EQ(only(client.next_request()).protection->nc, "00000002");
    // A server may give one nonce to two requests that are under way together.
    client.attempt = {};
    EXPECT_EQ(only(client.answer_to(challenge("2"))).protection->nc, "00000003");
    client.session.entries.front().used = 0xffffffff;
    EXPECT_TRUE(value(client.next_request()).empty());
}

TEST(DigestClient, RefusedCredentialsAreNotSentAgain) {
    for (const std::string_view again : {"1", "2"}) {
        Client client;
        EXPECT_TRUE(client.answer_to(challenge("1")));
        EXPECT_EQ(code(client.answer_to(challenge(again))), Code::forbidden) << again;
        EXPECT_TRUE(client.session.entries.empty());
    }
    // Sent unasked: the same nonce back means a refusal, another one that the first was too old.
    Client client;
    EXPECT_TRUE(client.answer_to(challenge("1")));
    EXPECT_TRUE(client.next_request());
    EXPECT_EQ(only(client.answer_to(challenge("2"))).nonce, "2");
    EXPECT_EQ(code(client.answer_to(challenge("3"))), Code::forbidden);
    EXPECT_TRUE(value(client.next_request()).empty());
    EXPECT_TRUE(client.answer_to(challenge("4")));
    EXPECT_TRUE(client.next_request());
    EXPECT_EQ(code(client.answer_to(challenge("4"))), Code::forbidden);
}

TEST(DigestClient, StaleIsAnsweredAgainButNotWithoutEnd) {
    Client client;
    EXPECT_TRUE(client.answer_to(challenge("0")));
    for (int i = 1; i < 4; ++i) EXPECT_TRUE(client.answer_to(challenge(std::to_string(i), ", stale=true"))) << i;
    EXPECT_EQ(code(client.answer_to(challenge("4", ", stale=true"))), Code::forbidden);
}

TEST(DigestClient, ProxyAndServerAreAnsweredTogether) {
    Client client;
    EXPECT_EQ(value(client.answer_to({{"Proxy-Authenticate", challenge("p")}})).front().name, "Proxy-Authorization");
    const auto headers = value(client.answer_to(challenge("s")));
    ASSERT_EQ(headers.size(), 2U);
    EXPECT_EQ(headers[0].name, "Proxy-Authorization");
    EXPECT_EQ(read(headers[0]).protection->nc, "00000002");
    EXPECT_EQ(headers[1].name, "Authorization");
    EXPECT_EQ(read(headers[1]).nonce, "s");
    // One realm refuses us, another asks for the first time.
    const auto rest =
        value(client.answer_to({{"www-authenticate", challenge("s2")}, {"WWW-Authenticate", challenge("t", "", "r2")}}));
    ASSERT_EQ(rest.size(), 2U);
    EXPECT_EQ(read(rest[1]).realm, "r2");
}

TEST(DigestClient, AHostileServerFindsBounds) {
    Client client;
    std::vector<Header> headers;
    for (int i = 0; i < 9; ++i) headers.push_back({"WWW-Authenticate", challenge("n", "", "r" + std::to_string(i))});
    EXPECT_EQ(value(client.answer_to(headers)).size(), 8U);
    client.attempt = {};
    EXPECT_EQ(value(client.answer_to(challenge("n", "", "r9"))).size(), 8U);
    EXPECT_EQ(client.session.entries.front().challenge.realm, "r1");
    EXPECT_EQ(client.session.entries.back().challenge.realm, "r9");
    headers.assign(16, {"WWW-Authenticate", "Basic"});
    headers.push_back({"WWW-Authenticate", challenge("n")});
    EXPECT_EQ(code(Client().answer_to(headers)), Code::unsupported);
    headers.erase(headers.begin());
    EXPECT_TRUE(Client().answer_to(headers));
}

// All of it would go into each request to that peer from then on, until none fits a datagram.
TEST(DigestClient, AChallengeThatIsTooLongToBeCarriedIsRefused) {
    const std::string longest(kMaxChallenge - 1, 'n');
    Client client;
    EXPECT_EQ(only(client.answer_to(challenge(longest))).nonce, longest);
    for (const auto& asked : {challenge(longest + "n"), challenge(longest, ", opaque=\"o\""), challenge(longest, "", "realm")}) {
        Client other;
        const auto refused = other.answer_to(asked);
        ASSERT_TRUE(refused.has_error());
        EXPECT_EQ(refused.error().code, Code::forbidden);
        EXPECT_NE(refused.error().detail.find("512 octets"), std::string::npos);
        EXPECT_TRUE(other.session.entries.empty());
    }
}

TEST(DigestClient, WhatAServerWritesCannotBreakOutOfTheHeader) {
    Client client;
    client.login.user = R"(a"b\c)";
    const auto headers = value(client.answer_to(R"(Digest realm="x\", nonce=\"evil", nonce="n\\", opaque="\"")"));
    ASSERT_EQ(headers.size(), 1U);
    EXPECT_EQ(headers[0].value.substr(0, headers[0].value.find(", uri")),
              R"(Digest username="a\"b\\c", realm="x\", nonce=\"evil", nonce="n\\")");
    client.login.user = "a\r\nX: y";
    EXPECT_EQ(code(client.next_request()), Code::malformed);
}

}  // namespace stox::sip::digest
