#include "mapping/sip/digest/ha1_file.h"

#include "tests/unit/result_testing.h"

#include <gtest/gtest.h>

namespace stox::sip::digest {

namespace {

using test::code;
using test::value;

const std::string kMd5(32, 'a'), kSha(64, 'b');

Error error(std::string_view text) {
    auto table = Ha1Table::parse(text);
    return table ? Error{} : table.error();
}

std::string numbered(int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += std::to_string(i) + ":r:MD5:" + kMd5 + "\n";
    return text;
}

}  // namespace

TEST(Ha1File, EntriesAreFoundByUserRealmAndAlgorithm) {
    const auto table =
        value(Ha1Table::parse("# users\n\n  \t\r\nalice:sip.example:MD5:" + std::string(32, 'A') +
                              "\r\nalice:sip.example:sha-256:" + kSha + " \nbob \"x\":host:5060:SHA-512-256:" + kSha));
    EXPECT_EQ(table.size(), 3U);
    EXPECT_EQ(table.find("alice", "sip.example", Algorithm::md5), kMd5);
    EXPECT_EQ(table.find("alice", "sip.example", Algorithm::sha256), kSha);
    EXPECT_EQ(table.find("bob \"x\"", "host:5060", Algorithm::sha512_256), kSha);
    EXPECT_EQ(table.find("alice", "sip.example", Algorithm::sha512_256), std::nullopt);
    EXPECT_EQ(table.find("alice", "SIP.example", Algorithm::md5), std::nullopt);
    EXPECT_EQ(table.find("Alice", "sip.example", Algorithm::md5), std::nullopt);
    EXPECT_EQ(table.of("alice").size(), 2U);
    EXPECT_EQ(table.of("bob \"x\""), (std::vector{Ha1{"host:5060", Algorithm::sha512_256, kSha}}));
    EXPECT_EQ(value(Ha1Table::parse("")).size(), 0U);
}

TEST(Ha1File, ErrorsNameTheLineAndNotTheSecret) {
    const std::string good = "a:r:MD5:" + kMd5 + "\n";
    const std::string secret = "5ec2e7";
    for (const auto& line : {secret, "u:" + secret, "u:r:" + secret, "u:r:MD5:" + secret, "u:r:" + secret + ":" + kMd5,
                             secret + ":r:MD4:" + kMd5, ":" + secret + ":MD5:" + kMd5, secret + "::MD5:" + kMd5,
                             "u:r:MD5:" + secret + std::string(26, 'g'), "u:r:MD5:" + secret + std::string(58, 'a'),
                             "u:r\x01" + secret + ":MD5:" + kMd5, "u:r:MD5-sess:" + kMd5 + secret, "u:MD5:" + secret}) {
        const auto what = error(good + "#\n" + line + "\n").detail;
        EXPECT_TRUE(what.starts_with("line 3: ")) << line << " -> " << what;
        EXPECT_EQ(what.find(secret), std::string::npos) << what;
    }
    EXPECT_EQ(error(good + good).code, Code::malformed);
    EXPECT_EQ(error("u:r:MD4:" + kMd5).code, Code::unsupported);
}

TEST(Ha1File, LimitsAreMetExactly) {
    EXPECT_EQ(value(Ha1Table::parse(numbered(100'000))).size(), 100'000U);
    EXPECT_EQ(code(Ha1Table::parse(numbered(100'001))), Code::too_large);
    std::string text(16 << 20, '#');
    EXPECT_EQ(value(Ha1Table::parse(text)).size(), 0U);
    text += '#';
    EXPECT_EQ(code(Ha1Table::parse(text)), Code::too_large);
}

}  // namespace stox::sip::digest
