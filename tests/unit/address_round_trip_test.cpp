// What maps must map back: 100,000 random texts each way.

#include "mapping/address.h"

#include "tests/unit/result_testing.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace stox {

namespace {

using test::value;

sip::Uri uri(std::string_view text) { return value(sip::Uri::parse(text)); }

/// A text of 1..40 characters, most of them such as escaping and preparation care about.
class RandomText {
public:
    explicit RandomText(unsigned seed) : random_(seed) {}

    std::string next() {
        static const std::vector<std::string> kPieces{"a",
                                                      "b",
                                                      "c",
                                                      "e",
                                                      "f",
                                                      "0",
                                                      "2",
                                                      "3",
                                                      "4",
                                                      "5",
                                                      "A",
                                                      "C",
                                                      "F",
                                                      " ",
                                                      "\"",
                                                      "&",
                                                      "'",
                                                      "/",
                                                      ":",
                                                      "<",
                                                      ">",
                                                      "@",
                                                      "\\",
                                                      "\\",
                                                      "\\5c",
                                                      "\\20",
                                                      "\\40",
                                                      "\\3A",
                                                      ";",
                                                      "?",
                                                      "%",
                                                      "#",
                                                      ".",
                                                      "+",
                                                      "\xc3\xbc",
                                                      "\xc3\x9f",
                                                      "e\xcc\x81",
                                                      "\xcc\xa7",
                                                      "\xcc\xb8",
                                                      "\xef\xbc\x94",
                                                      "\xef\xbc\xa0",
                                                      "\xef\xbc\xbc",
                                                      "\xd7\x90",
                                                      "\xd9\xa1",
                                                      "\xcf\x82",
                                                      "\xce\xa3",
                                                      "\xe4\xb8\x80",
                                                      "\xf0\x9f\x98\x80",
                                                      "\xff",
                                                      "\x01"};
        std::string text;
        for (auto left = 1 + random_() % 40; left > 0; --left) text += piece(kPieces);
        return text;
    }

private:
    std::string piece(const std::vector<std::string>& pieces) {
        // Half of the pieces are plain letters, so that long texts survive too.
        if (random_() % 2) return std::string(1, static_cast<char>('a' + random_() % 26));
        return pieces[random_() % pieces.size()];
    }

    std::mt19937 random_;
};

/// The one documented loss: a \5c that no code follows (docs/spec 1.5).
bool is_lossy(const std::string& localpart) { return escape_localpart(unescape_localpart(localpart)) != localpart; }

}  // namespace

TEST(Address, ACC_02_EveryStableLocalpartRoundTrips) {
    RandomText random(20261124);
    int stable = 0, rounds = 0;
    for (; rounds < 100000; ++rounds) {
        const auto prepared = prepare_localpart(random.next());
        if (!prepared) continue;
        const auto& localpart = prepared.value();
        EXPECT_EQ(prepare_localpart(localpart), prepared);
        const auto user = localpart_to_user(localpart);
        if (!user) {
            EXPECT_TRUE(localpart.starts_with("\\20") || localpart.ends_with("\\20")) << localpart;
            continue;
        }
        ++stable;
        if (is_lossy(localpart)) continue;
        EXPECT_EQ(user_to_localpart(user.value()), prepared) << localpart;
    }
    EXPECT_GT(stable, rounds / 20);
}

TEST(Address, ACC_02_EveryUriThatMapsMapsBackAndStaysInItsDomain) {
    RandomText random(7247);
    int mapped = 0;
    for (int i = 0; i < 100000; ++i) {
        const auto user = sip::percent_encode_user(random.next());
        const auto from = uri("sip:" + user + "@d.example");
        const auto made = to_jid_native(from);
        if (!made) continue;
        ++mapped;
        EXPECT_EQ(made.value().domain, "d.example");
        EXPECT_EQ(xmpp::Jid::parse(made.value().to_string()), made);
        const auto back = value(to_uri_native(made.value()));
        EXPECT_EQ(back.host, "d.example");
        EXPECT_EQ(to_jid_native(back), made) << user;
        if (const auto inner = to_jid_nested(from, "gw.example")) {
            EXPECT_EQ(inner.value().domain, "gw.example");
            EXPECT_EQ(value(to_uri_nested(inner.value(), "")), back) << user;
        }
    }
    EXPECT_GT(mapped, 5000);
}

}  // namespace stox
