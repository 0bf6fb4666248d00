// The arithmetic against the examples of the RFCs.

#include "mapping/sip/digest/digest_header.h"

#include "tests/unit/result_testing.h"

#include <gtest/gtest.h>

namespace stox::sip::digest {

namespace {

using test::code;
using test::value;

constexpr std::string_view kNonce7616 = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
constexpr std::string_view kCnonce7616 = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
constexpr RequestParts kGet{.method = "GET", .uri = "/dir/index.html", .body = ""};

std::optional<Protection> first(Qop qop, std::string_view cnonce) {
    return Protection{.qop = qop, .nc = "00000001", .cnonce = std::string(cnonce)};
}

}  // namespace

TEST(DigestHash, ExampleOfRfc2617) {
    const auto secret = value(ha1(Algorithm::md5, "Mufasa", "testrealm@host.com", "Circle Of Life"));
    EXPECT_EQ(secret, "939e7578ed9e3c518a452acee763bce9");
    EXPECT_EQ(value(response(Algorithm::md5, secret, "dcd98b7102dd2f0e8b11d0f600bfb0c093", first(Qop::auth, "0a4f113b"), kGet)),
              "6629fae49393a05397450978507c4ef1");
}

// The example in RFC 2069 §2.4 itself is wrong; this is the value of its erratum 749.
TEST(DigestHash, ExampleOfRfc2069) {
    const auto secret = value(ha1(Algorithm::md5, "Mufasa", "testrealm@host.com", "CircleOfLife"));
    EXPECT_EQ(value(response(Algorithm::md5, secret, "dcd98b7102dd2f0e8b11d0f600bfb0c093", std::nullopt, kGet)),
              "1949323746fe6a43ef61f9606e7febea");
}

TEST(DigestHash, ExamplesOfRfc7616) {
    const auto by = [](Algorithm algorithm) {
        const auto secret = value(ha1(algorithm, "Mufasa", "http-auth@example.org", "Circle of Life"));
        return value(response(algorithm, secret, kNonce7616, first(Qop::auth, kCnonce7616), kGet));
    };
    EXPECT_EQ(by(Algorithm::md5), "8ca523f5e9506fed4657c9700eebdbec");
    EXPECT_EQ(by(Algorithm::sha256), "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
}

// RFC 7616 §3.9.2 prints digests of a truncated SHA-512; these are those of SHA-512/256, as its erratum 4897 has them.
TEST(DigestHash, ExampleOfRfc7616WithSha512256) {
    const std::string user = "J\xC3\xA4s\xC3\xB8n Doe";
    EXPECT_EQ(value(hash(Algorithm::sha512_256, {user, "api@example.org"})),
              "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b");
    const auto secret = value(ha1(Algorithm::sha512_256, user, "api@example.org", "Secret, or not?"));
    EXPECT_EQ(value(response(Algorithm::sha512_256, secret, "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",
                             first(Qop::auth, "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v"),
                             {.method = "GET", .uri = "/doe.json", .body = ""})),
              "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5");
}

TEST(DigestHash, EmptyBodiesOfRfc8760) {
    EXPECT_EQ(value(hash(Algorithm::md5, {""})), "d41d8cd98f00b204e9800998ecf8427e");  // RFC 3261 §22.4 item 7
    EXPECT_EQ(value(hash(Algorithm::sha256, {""})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(value(hash(Algorithm::sha512_256, {""})), "c672b8d1ef56ed28ab87c3622c5114069bdd3ad7b8f9737498d0c01ecef0967a");
}

// No RFC has an example with auth-int; these were calculated with Python's hashlib.
TEST(DigestHash, AuthIntTakesTheBodyIn) {
    constexpr std::pair<Algorithm, std::string_view> kExpected[] = {
        {Algorithm::md5, "b9f0c64ebae996d94a9bd1878de43335"},
        {Algorithm::sha256, "e2e805c7fc6febd11f2c88cb75e22feed25bf4e3a890abec3ec9a178a257f7ed"},
        {Algorithm::sha512_256, "5ccf1a18d3e37bacd7c64937b4dab9032fe9c35b186e1ab29f7188cb74b9a7d7"}};
    for (const auto& [algorithm, expected] : kExpected) {
        const auto secret = value(ha1(algorithm, "alice", "sip.example", "secret"));
        EXPECT_EQ(value(response(algorithm, secret, "n0", first(Qop::auth_int, "c0"),
                                 {.method = "MESSAGE", .uri = "sip:bob@example.com", .body = "Hi"})),
                  expected);
    }
}

TEST(DigestHash, AlgorithmsHaveTheirRegisteredNames) {
    for (const auto algorithm : {Algorithm::md5, Algorithm::sha256, Algorithm::sha512_256})
        EXPECT_EQ(value(parse_algorithm(to_string(algorithm))), algorithm);
    EXPECT_EQ(value(parse_algorithm("sha-256")), Algorithm::sha256);
    for (const std::string_view name : {"", "MD5-sess", "SHA-256-sess", "SHA-512-256-sess", "SHA-512", "SHA", "MD55"})
        EXPECT_EQ(code(parse_algorithm(name)), Code::unsupported) << name;
}

TEST(DigestHash, EqualInConstantTimeIsEqual) {
    EXPECT_TRUE(equal_in_constant_time("", ""));
    EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
    EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
    EXPECT_FALSE(equal_in_constant_time("abc", "ab"));
    EXPECT_FALSE(equal_in_constant_time("", "a"));
}

TEST(DigestHash, CountsAreEightHexDigits) {
    EXPECT_EQ(nc_text(1), "00000001");
    EXPECT_EQ(nc_text(0xabcdef12), "abcdef12");
    EXPECT_EQ(value(parse_nc("ABCDEF12")), 0xabcdef12);
    for (const std::string_view text :
         {"", "1", "0000001", "000000001", "00000000", "0000000g", "-0000001", "0x000001", "+0000001"})
        EXPECT_EQ(code(parse_nc(text)), Code::malformed) << text;
}

}  // namespace stox::sip::digest
