#include "plugin/host/store/json_text.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace stox::store {
namespace {

using nlohmann::json;

std::string text_member(std::string_view utf8) { return JsonText().text("a", utf8).finish(); }
std::string octets_member(std::string_view any) { return JsonText().octets("a", any).finish(); }

TEST(JsonText, MembersStandInTheirOrder) {
    JsonText inner;
    inner.flag("no", false);
    JsonText object;
    object.number("v", 18'446'744'073'709'551'615u).text("t", "x").flag("yes", true).object("o", std::move(inner));
    object.octets("list", std::vector<std::string>{"a", "", "\xe9"}).octets("none", std::vector<std::string>{});
    EXPECT_EQ(object.finish(),
              R"({"v":18446744073709551615,"t":"x","yes":true,"o":{"no":false},"list":["a","","é"],"none":[]})");
    EXPECT_EQ(JsonText().finish(), "{}");
}

TEST(JsonText, ATextIsWhatAParserReads) {
    std::string all;
    for (char c = 0; c >= 0; ++c) {
        all += c;
        if (c == 0x7f) break;
    }
    all += "\u00e9 \u20ac \U0001f600 \uffff end";
    EXPECT_EQ(json::parse(text_member(all))["a"].get<std::string>(), all);
    EXPECT_EQ(text_member("a\"\\\n\x01"), R"({"a":"a\"\\\n\u0001"})");
    EXPECT_EQ(text_member(""), R"({"a":""})");
}

TEST(JsonText, WhatIsNoUtf8IsReplaced) {
    for (const std::string_view wrong : {"\xff", "\xc3", "\xed\xa0\x80", "\xc0\x80", "\xf5\x80\x80\x80"}) {
        const auto read = json::parse(text_member("a" + std::string(wrong) + "z"))["a"].get<std::string>();
        EXPECT_EQ(read.front(), 'a');
        EXPECT_EQ(read.substr(1, 3), "\xEF\xBF\xBD");
        EXPECT_EQ(read.back(), 'z');
    }
}

TEST(JsonText, AnOctetIsTheCharacterOfItsNumber) {
    for (int octet = 0; octet < 256; ++octet) {
        const std::string one(1, static_cast<char>(octet));
        const auto read = json::parse(octets_member(one))["a"].get<std::string>();
        const auto point = static_cast<unsigned char>(read[0]);
        const int number = read.size() == 1 ? point : (point & 3) << 6 | (static_cast<unsigned char>(read.at(1)) & 0x3f);
        EXPECT_EQ(number, octet);
    }
}

}  // namespace
}  // namespace stox::store
