// The short way for ASCII says what the tables of Unicode say: beside each text stands one that takes the long way.
#include "mapping/ascii_names.h"

#include "mapping/address.h"
#include "mapping/prepare.h"

#include "tests/unit/result_testing.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace stox {

namespace {

const std::string kForeign = "\xC3\xA9";  // e with acute: every profile leaves it as it is

std::vector<std::string> texts() {
    std::vector<std::string> all{"", "Alice", "a.b-c_d", "1.2.3.4", "xn--fa-hia", "ab--cd", "-a", "a-", "a..b", std::string(63, 'a'), std::string(64, 'a')};
    for (int a = 0; a < 0x80; ++a) {
        all.emplace_back(1, static_cast<char>(a));
        all.push_back(std::string("x") + static_cast<char>(a) + "y");
        for (int b = 0; b < 0x80; ++b) all.push_back({static_cast<char>(a), static_cast<char>(b)});
    }
    return all;
}

/// What the long way makes of the text, which is the foreign letter's company.
Result<std::string> long_way(const std::function<Result<std::string>(std::string_view)>& prepare, const std::string& text) {
    auto made = prepare(text + kForeign);
    if (made) made.value().resize(made.value().size() - kForeign.size());
    return made;
}

void expect_same(const Result<std::string>& quick, const Result<std::string>& slow, const std::string& text) {
    ASSERT_EQ(bool(quick), bool(slow)) << testing::PrintToString(text);
    if (!quick) return;
    ASSERT_EQ(quick.value(), slow.value()) << testing::PrintToString(text);
}

}  // namespace

TEST(AsciiNames, LocalpartsAreWhatTheTablesMakeOfThem) {
    for (const auto& text : texts())
        if (!text.empty()) expect_same(prepare_localpart(text), long_way(prepare_localpart, text), text);
    EXPECT_FALSE(prepare_localpart(""));
}

TEST(AsciiNames, ResourcesAreWhatTheTablesMakeOfThem) {
    for (const auto& text : texts())
        if (!text.empty()) expect_same(prepare_resource(text), long_way(prepare_resource, text), text);
    EXPECT_FALSE(prepare_resource(""));
}

TEST(AsciiNames, FoldsAreWhatTheTablesMakeOfThem) {
    for (const auto& text : texts()) expect_same(fold(text), long_way(fold, text), text);
}

// A trailing dot is dropped by the long way only.
TEST(AsciiNames, DomainsAreWhatIdnaMakesOfThem) {
    for (const auto& text : texts())
        for (const auto& name : {text + ".example", "a." + text, text})
            if (!name.ends_with('.')) {
                expect_same(domain_to_sip(name), domain_to_sip(name + "."), name);
                expect_same(domain_to_jid(name), domain_to_jid(name + "."), name);
            }
}

TEST(AsciiNames, WhatIsUsualTakesTheShortWay) {
    EXPECT_EQ(ascii::localpart("Juliet.Capulet+1"), "juliet.capulet+1");
    EXPECT_EQ(ascii::domain("SIP.Example.COM"), "sip.example.com");
    EXPECT_EQ(ascii::domain("localhost"), "localhost");
    EXPECT_TRUE(ascii::is_resource("My Phone (2)"));
    EXPECT_EQ(ascii::lower("ABC\x01"), "abc\x01");
}

TEST(AsciiNames, LengthsHaveTheirEnd) {
    EXPECT_TRUE(ascii::localpart(std::string(1023, 'a')));
    EXPECT_FALSE(ascii::localpart(std::string(1024, 'a')));
    EXPECT_TRUE(ascii::is_resource(std::string(1023, 'a')));
    EXPECT_FALSE(ascii::is_resource(std::string(1024, 'a')));
    const auto labels = [](std::size_t last) { return std::string(63, 'a') + '.' + std::string(63, 'b') + '.' + std::string(63, 'c') + '.' + std::string(last, 'd'); };
    EXPECT_TRUE(ascii::domain(labels(61)));
    EXPECT_FALSE(ascii::domain(labels(62)));
}

}  // namespace stox
