#include "mapping/prepare.h"

#include "mapping/address.h"
#include "mapping/precis.h"

#include "tests/unit/result_testing.h"

#include <gtest/gtest.h>

namespace stox {

namespace {

using test::code;
using test::value;

bool is_username(std::string_view text) { return bool(username_case_mapped(text)); }
bool is_localpart(std::string_view text) { return bool(prepare_localpart(text)); }

std::string utf8(const char8_t* text) { return reinterpret_cast<const char*>(text); }

}  // namespace

// The examples of RFC 8265 §3.5, tables 1 and 2.
TEST(Prepare, UsernamesOfRfc8265) {
    EXPECT_EQ(value(username_case_mapped("juliet@example.com")), "juliet@example.com");
    EXPECT_EQ(value(username_case_mapped("fussball")), "fussball");
    EXPECT_EQ(value(username_case_mapped(utf8(u8"fu\u00DFball"))), utf8(u8"fu\u00DFball"));
    EXPECT_EQ(value(username_case_mapped(utf8(u8"\u03C0"))), utf8(u8"\u03C0"));
    EXPECT_EQ(value(username_case_mapped(utf8(u8"\u03A3"))), utf8(u8"\u03C3"));
    EXPECT_EQ(value(username_case_mapped(utf8(u8"\u03C3"))), utf8(u8"\u03C3"));
    EXPECT_EQ(value(username_case_mapped(utf8(u8"\u03C2"))), utf8(u8"\u03C2"));
    EXPECT_FALSE(is_username("foo bar"));
    EXPECT_FALSE(is_username(""));
    EXPECT_FALSE(is_username(utf8(u8"henry\u2163")));
    EXPECT_FALSE(is_username(utf8(u8"\u221E")));
}

TEST(Prepare, WidthCaseAndCompositionAreMapped) {
    EXPECT_EQ(value(prepare_localpart("ALICE")), "alice");
    EXPECT_EQ(value(prepare_localpart(utf8(u8"\uFF21lice"))), "alice");
    EXPECT_EQ(value(prepare_localpart(utf8(u8"cafe\u0301"))), utf8(u8"caf\u00E9"));
    EXPECT_EQ(value(prepare_localpart(utf8(u8"\uFF76\uFF9E"))), utf8(u8"\u30AC"));  // half-width ka with its voicing mark
    EXPECT_EQ(value(prepare_localpart(utf8(u8"\u0416\u0423\u041A"))), utf8(u8"\u0436\u0443\u043A"));
}

TEST(Prepare, WhereNodeprepAndPrecisDifferThereIsNoLocalpart) {
    EXPECT_FALSE(is_localpart(utf8(u8"fu\u00DFball")));  // nodeprep: ss
    EXPECT_FALSE(is_localpart(utf8(u8"\u03C3\u03C2")));  // nodeprep: two plain sigmas
    EXPECT_FALSE(is_localpart("a\"b"));                  // PRECIS allows it, nodeprep does not
    EXPECT_FALSE(is_localpart("a@b"));
    EXPECT_FALSE(is_localpart(utf8(u8"\u05D0\u05D11")));  // the Bidi rule allows a digit at the end, stringprep does not
    EXPECT_TRUE(is_localpart(utf8(u8"\u05D0\u05D1")));
    EXPECT_TRUE(is_localpart("#%[]^`{|}~$=,;?-_.!*()+"));
    EXPECT_TRUE(is_localpart(utf8(u8"\U0001E922")));  // Adlam, younger than stringprep
}

TEST(Prepare, CodePointsOfNoIdentifierAreRefused) {
    for (const auto* text :
         {u8"\u00AD", u8"\u034F", u8"\uFE00", u8"\u200B", u8"\u2028", u8"\u3000",     u8"\u00A0",    u8"\u2126", u8"\uFB01",
          u8"\u1100", u8"\u0640", u8"\u302E", u8"\uE000", u8"\uFFFE", u8"\u0378",     u8"\u20AC",    u8"\u2460", u8"\u00AB",
          u8"\u0001", u8"\u0085", u8"\u01C5", u8"\uFDD0", u8"\uFEFF", u8"\U000E0001", u8"\U0001F600"})
        EXPECT_FALSE(is_username("a" + utf8(text) + "b")) << std::hex << int(text[0]) << ' ' << int(text[1]);
    for (const auto* text : {u8"\u00DF", u8"\u03C2", u8"\u06FD", u8"\u0F0B", u8"\u3007", u8"\u0301", u8"\u4E00", u8"\uAC00"})
        EXPECT_TRUE(is_username(utf8(text) == utf8(u8"\u06FD") ? utf8(u8"\u0628\u06FD\u0628") : "a" + utf8(text) + "b"))
            << utf8(text);
}

// RFC 5892 appendix A, rule by rule: a place where it holds and one where it does not.
TEST(Prepare, RulesOfContext) {
    EXPECT_TRUE(is_username(utf8(u8"\u0915\u094D\u200C\u0937")));        // ZWNJ after a virama
    EXPECT_TRUE(is_username(utf8(u8"\u0628\u200C\u0628")));              // ZWNJ between joining letters
    EXPECT_TRUE(is_username(utf8(u8"\u0628\u064E\u200C\u064E\u0628")));  // with transparent marks between
    EXPECT_FALSE(is_username(utf8(u8"\u0627\u200C\u0628")));             // alef does not join to the left
    EXPECT_FALSE(is_username(utf8(u8"a\u200Cb")));
    EXPECT_TRUE(is_username(utf8(u8"\u0915\u094D\u200D\u0937")));  // ZWJ after a virama
    EXPECT_FALSE(is_username(utf8(u8"\u0628\u200D\u0628")));
    EXPECT_TRUE(is_username(utf8(u8"col\u00B7lega")));  // middle dot between two l
    EXPECT_FALSE(is_username(utf8(u8"co\u00B7lega")));
    EXPECT_FALSE(is_username(utf8(u8"col\u00B7")));
    EXPECT_TRUE(is_username(utf8(u8"\u0375\u03B1")));  // keraia before Greek
    EXPECT_FALSE(is_username(utf8(u8"\u0375a")));
    EXPECT_TRUE(is_username(utf8(u8"\u05D0\u05F3")));  // geresh after Hebrew
    EXPECT_FALSE(is_username(utf8(u8"\u05F3\u05D0")));
    EXPECT_TRUE(is_username(utf8(u8"\u30AB\u30FB\u30AB")));  // Katakana middle dot beside Katakana
    EXPECT_FALSE(is_username(utf8(u8"a\u30FBb")));
    EXPECT_TRUE(is_username(utf8(u8"\u0628\u0660\u0661")));   // one kind of Arabic digits
    EXPECT_FALSE(is_username(utf8(u8"\u0628\u0660\u06F1")));  // both kinds
}

// RFC 5892 §2.6: each range of the exceptions, and what stands right behind it and is none of them.
TEST(Prepare, ExceptionsEndWhereTheyEnd) {
    const auto identifier = [](char32_t point) {
        return precis::allows(precis::StringClass::identifier, icu::UnicodeString(static_cast<UChar32>(point)));
    };
    const auto freeform = [](char32_t point) {
        return precis::allows(precis::StringClass::freeform, icu::UnicodeString(static_cast<UChar32>(point)));
    };
    for (const char32_t allowed : {0x00DF, 0x03C2, 0x0641, 0x0660, 0x0669, 0x066E, 0x06F0, 0x06F9, 0x06FA, 0x06FD, 0x06FE, 0x0905, 0x0F0B, 0x3007, 0x3042})
        EXPECT_TRUE(identifier(allowed)) << std::hex << static_cast<unsigned>(allowed);
    for (const char32_t refused : {0x00F7, 0x0482, 0x055A, 0x0640, 0x0700, 0x07FA, 0x302E, 0x302F, 0x3031, 0x3032, 0x3033, 0x3034, 0x3035, 0x303B, 0x30FB})
        EXPECT_FALSE(identifier(refused)) << std::hex << static_cast<unsigned>(refused);
    for (const char32_t refused : {0x0640, 0x07FA, 0x302E, 0x302F, 0x3031, 0x3035, 0x303B})
        EXPECT_FALSE(freeform(refused)) << std::hex << static_cast<unsigned>(refused);
    for (const char32_t allowed : {0x3030, 0x3036}) EXPECT_TRUE(freeform(allowed)) << std::hex << static_cast<unsigned>(allowed);
}

// RFC 5893 §2.
TEST(Prepare, BidiRule) {
    EXPECT_TRUE(is_username(utf8(u8"\u05D0-\u05D1")));
    EXPECT_TRUE(is_username(utf8(u8"\u05D01")));
    EXPECT_TRUE(is_username(utf8(u8"\u05D0\u05B0")));          // a mark at the end
    EXPECT_FALSE(is_username(utf8(u8"1\u05D0")));              // condition 1
    EXPECT_FALSE(is_username(utf8(u8"a\u05D0")));              // condition 1
    EXPECT_FALSE(is_username(utf8(u8"\u05D0a\u05D0")));        // condition 2
    EXPECT_FALSE(is_username(utf8(u8"\u05D0-")));              // condition 3
    EXPECT_FALSE(is_username(utf8(u8"\u06281\u0660\u0628")));  // condition 4
}

TEST(Prepare, CORE_25_WhatIsNoUtf8HasNoLocalpart) {
    for (const std::string_view text : {"a\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc3", ""})
        EXPECT_EQ(code(prepare_localpart(text)), Code::unmappable);
    EXPECT_FALSE(prepare_localpart(std::string_view("a\0b", 3)));
}

TEST(Prepare, CORE_29_TheLimitIsOnWhatWasPrepared) {
    std::string wide;
    for (int i = 0; i < 1023; ++i) wide += utf8(u8"\uFF21");
    EXPECT_EQ(value(prepare_localpart(wide)).size(), 1023U);
    EXPECT_EQ(code(prepare_localpart(wide + "a")), Code::too_large);
    EXPECT_EQ(code(prepare_localpart(std::string(100000, 'a'))), Code::too_large);
    EXPECT_TRUE(prepare_resource(std::string(1023, 'a')));
    EXPECT_EQ(code(prepare_resource(std::string(1024, 'a'))), Code::too_large);
}

TEST(Prepare, ResourcesKeepCaseAndSpace) {
    EXPECT_EQ(value(prepare_resource(utf8(u8"Conv \u00E4;=@/x"))), utf8(u8"Conv \u00E4;=@/x"));
    EXPECT_EQ(value(prepare_resource(utf8(u8"Phone \U0001F4F1"))), utf8(u8"Phone \U0001F4F1"));
    EXPECT_EQ(value(prepare_resource(utf8(u8"a\u00A0b"))), "a b");
    for (const std::string_view text : {"", "a\x01", "a\xff"}) EXPECT_FALSE(prepare_resource(text));
    EXPECT_FALSE(prepare_resource(utf8(u8"\uFF21")));  // resourceprep maps it, OpaqueString does not
}

}  // namespace stox
