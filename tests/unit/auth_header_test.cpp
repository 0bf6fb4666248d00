// Challenges and credentials as text.

#include "mapping/sip/digest/digest_header.h"

#include "tests/unit/result_testing.h"

#include <gtest/gtest.h>

namespace stox::sip::digest {

namespace {

using test::code;
using test::value;

std::vector<std::string> schemes(std::string_view text) {
    std::vector<std::string> names;
    for (const auto& challenge : value(parse_challenges(text))) names.push_back(challenge.scheme);
    return names;
}

Result<Challenge> challenge(std::string_view text) { return Challenge::from(value(parse_credentials(text))); }
Result<Credentials> credentials(std::string_view text) { return Credentials::from(value(parse_credentials(text))); }

std::string many(std::string_view piece, int count, std::string_view first) {
    std::string text(first);
    for (int i = 0; i < count; ++i)
        text.append(i || !first.empty() ? "," : "").append(piece).append(std::to_string(i)).append("=v");
    return text;
}

constexpr std::string_view kMd5 = "0123456789abcdef0123456789ABCDEF";
const std::string kWhole = R"(Digest username="u", realm="r", nonce="n", uri="sip:x", response=")" + std::string(kMd5) + '"';

}  // namespace

TEST(AuthHeader, OneValueHoldsSeveralChallenges) {
    const auto read = value(parse_challenges(R"(Newauth realm="apps", type=1, title="Login to \"apps\"", Basic realm="simple")"));
    ASSERT_EQ(read.size(), 2U);  // the example of RFC 7235 §4.1
    EXPECT_EQ(read[0],
              (AuthValue{"Newauth", "", {{"realm", "apps", true}, {"type", "1", false}, {"title", "Login to \"apps\"", true}}}));
    EXPECT_EQ(read[1], (AuthValue{"Basic", "", {{"realm", "simple", true}}}));
    using Names = std::vector<std::string>;
    EXPECT_EQ(schemes(R"(Digest realm="a, Basic realm=",nonce="n",Digest realm="b")"), (Names{"Digest", "Digest"}));
    EXPECT_EQ(schemes(R"(Negotiate, NTLM , Digest realm="a")"), (Names{"Negotiate", "NTLM", "Digest"}));
    EXPECT_EQ(schemes(R"(Bearer abc/+~==, Digest realm="a")"), (Names{"Bearer", "Digest"}));
    EXPECT_EQ(schemes(R"( ,, Digest	realm = "a" , , nonce	=n,, ,)"), (Names{"Digest"}));
    EXPECT_EQ(value(parse_challenges("Bearer abc/+~==")).front().token68, "abc/+~==");
}

TEST(AuthHeader, QuotingIsUndoneAndDoneAgain) {
    const auto read = value(parse_credentials(R"(Digest a="\"quoted\" \\ \x", b="")"));
    EXPECT_EQ(read.parameter("a")->value, R"("quoted" \ x)");
    EXPECT_EQ(read.parameter("b")->value, "");
    EXPECT_EQ(read.to_string(), R"(Digest a="\"quoted\" \\ x", b="")");
    EXPECT_EQ(value(parse_credentials(read.to_string())), read);
}

TEST(AuthHeader, WhatBreaksTheGrammarIsRefused) {
    for (const std::string text :
         {"", " , ", "=", "realm=\"a\"", "Digest realm=\"a", "Digest realm=\"a\\", "Digest realm=\"a\\\"", "Digest realm=\"a\"x",
          "Digest realm=\"a\" nonce=\"b\"", "Digest\"a\"", "Digest realm=a b", "Digest a=b, a=c", "Digest a=b, A=\"c\"",
          "Bearer abc, a=b", "Digest a=\"\r\n\"", "Digest a=\"\\\r\"", "Digest a=\"\x7f\"", "Digest a=(b)", "Digest @"})
        EXPECT_EQ(code(parse_challenges(text)), Code::malformed) << text;
    EXPECT_EQ(code(parse_challenges(std::string("Digest a=\"\0\"", 12))), Code::malformed);
    EXPECT_EQ(code(parse_credentials("Digest a=b, Digest a=b")), Code::malformed);
}

TEST(AuthHeader, LimitsAreMetExactly) {
    EXPECT_TRUE(parse_challenges("D a=\"" + std::string(8192 - 6, 'x') + '"'));
    EXPECT_EQ(code(parse_challenges("D a=\"" + std::string(8192 - 5, 'x') + '"')), Code::too_large);
    EXPECT_TRUE(parse_challenges(many("p", 31, "D a=v")));
    EXPECT_EQ(code(parse_challenges(many("p", 32, "D a=v"))), Code::too_large);
    EXPECT_EQ(value(parse_challenges(many("D a", 16, ""))).size(), 16U);
    EXPECT_EQ(code(parse_challenges(many("D a", 17, ""))), Code::too_large);
}

TEST(DigestHeader, ChallengesAreReadAsServersWriteThem) {
    const auto read =
        value(challenge(R"(digest realm="a\"b",nonce="n",opaque="",stale=TRUE,algorithm="SHA-256",qop="auth,auth-int",)"
                        R"(domain="sip:a",charset=UTF-8,userhash=true,x=y)"));
    EXPECT_EQ(read, (Challenge{.realm = "a\"b",
                               .nonce = "n",
                               .opaque = "",
                               .algorithm = Algorithm::sha256,
                               .qop = {Qop::auth, Qop::auth_int},
                               .stale = true}));
    EXPECT_EQ(value(challenge(read.to_string())), read);
    const auto old = value(challenge(R"(Digest realm="", nonce=abc, stale="false")"));
    EXPECT_EQ(old, (Challenge{.realm = "", .nonce = "abc", .opaque = {}, .algorithm = {}, .qop = {}, .stale = false}));
    EXPECT_EQ(value(challenge(R"(Digest realm="a", nonce="n", qop="x Auth-Int  y, auth-int")")).qop, std::vector{Qop::auth_int});
}

TEST(DigestHeader, ChallengesThatWeCannotAnswerAreToldApart) {
    for (const std::string_view text :
         {R"(Basic realm="a")", R"(Digest realm="a", nonce="n", algorithm=MD5-sess)",
          R"(Digest realm="a", nonce="n", algorithm=AKAv1-MD5)", R"(Digest realm="a", nonce="n", qop="auth-conf")",
          R"(Digest realm="a", nonce="n", qop="")"})
        EXPECT_EQ(code(challenge(text)), Code::unsupported) << text;
    EXPECT_EQ(code(challenge(R"(Digest nonce="n")")), Code::malformed);
    EXPECT_EQ(code(challenge(R"(Digest realm="r")")), Code::malformed);
}

TEST(DigestHeader, CredentialsAreReadAndWritten) {
    const auto read = value(credentials(kWhole + R"(, algorithm=MD5, opaque="o", qop="auth-int", nc=0000000A, cnonce="c\"")"));
    EXPECT_EQ(read, (Credentials{.username = "u",
                                 .realm = "r",
                                 .nonce = "n",
                                 .uri = "sip:x",
                                 .response = "0123456789abcdef0123456789abcdef",
                                 .algorithm = Algorithm::md5,
                                 .opaque = "o",
                                 .protection = Protection{Qop::auth_int, "0000000A", "c\""},
                                 .userhash = false}));
    EXPECT_EQ(value(credentials(read.to_string())), read);
    EXPECT_EQ(value(credentials(kWhole)).protection, std::nullopt);
    EXPECT_TRUE(value(credentials(kWhole + ", userhash=true")).userhash);
}

TEST(DigestHeader, UsernameMayBePercentEncoded) {
    const auto with = [](std::string_view username) {
        return credentials("Digest " + std::string(username) + kWhole.substr(kWhole.find(", realm")));
    };
    EXPECT_EQ(value(with("username*=UTF-8''J%C3%A4s%C3%B8n%20Doe")).username, "J\xC3\xA4s\xC3\xB8n Doe");  // RFC 7616 §3.9.2
    for (const std::string_view username :
         {"username*=UTF-8''a, username=\"a\"", "username*=ISO-8859-1''a", "username*=a", "username*=UTF-8'a",
          "username*=UTF-8''%0", "username*=UTF-8''a%00", "username*=UTF-8''%0D"})
        EXPECT_EQ(code(with(username)), Code::malformed) << username;
}

TEST(DigestHeader, CredentialsThatAreIncompleteAreRefused) {
    for (const std::string_view name : {"username=\"u\", ", "realm=\"r\", ", "nonce=\"n\", ", "uri=\"sip:x\", "}) {
        auto text = kWhole;
        text.erase(text.find(name), name.size());
        EXPECT_EQ(code(credentials(text)), Code::malformed) << text;
    }
    for (const std::string_view more :
         {", qop=auth", ", qop=auth, nc=00000001", ", qop=auth, cnonce=\"c\"", ", qop=auth, nc=1, cnonce=\"c\"",
          ", qop=auth, nc=00000000, cnonce=\"c\"", ", algorithm=SHA-256"})
        EXPECT_EQ(code(credentials(kWhole + std::string(more))), Code::malformed) << more;
    for (const std::string_view more :
         {", qop=AUTH, nc=00000001, cnonce=\"c\"", ", qop=x, nc=00000001, cnonce=\"c\"", ", algorithm=MD5-sess"})
        EXPECT_EQ(code(credentials(kWhole + std::string(more))), Code::unsupported) << more;
    for (const std::string_view response : {"", "0123456789abcdef0123456789abcdeg", "0123456789abcdef0123456789abcdef0"})
        EXPECT_EQ(code(credentials(R"(Digest username="u", realm="r", nonce="n", uri="sip:x", response=")" +
                                   std::string(response) + '"')),
                  Code::malformed);
}

}  // namespace stox::sip::digest
