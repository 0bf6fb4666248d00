// The part before the '@': SIP user and localpart.

#include "mapping/address.h"

#include "tests/unit/result_testing.h"
#include "tests/unit/spec_table.h"

#include <gtest/gtest.h>

namespace stox {

namespace {

using test::code;
using test::spec_table;
using test::value;

sip::Uri uri(std::string_view text) { return value(sip::Uri::parse(text)); }

}  // namespace

TEST(Address, CORE_20_CORE_24_EveryVectorFromSip) {
    const auto rows = spec_table("core.md", "1.4 ");
    ASSERT_GE(rows.size(), 33U);
    for (const auto& row : rows) {
        const auto localpart = user_to_localpart(row.cells[0]);
        if (row.cells[1] == "REJECT") {
            EXPECT_FALSE(localpart) << row.line;
            continue;
        }
        ASSERT_TRUE(localpart) << row.line;
        EXPECT_EQ(localpart.value(), row.cells[1]) << row.line;
        EXPECT_EQ(value(localpart_to_user(row.cells[1])), row.cells[2]) << row.line;
        EXPECT_EQ(value(to_jid_native(uri("sip:" + row.cells[0] + "@d.example"))).local, row.cells[1]) << row.line;
    }
}

TEST(Address, CORE_21_CORE_33_EveryVectorFromXmpp) {
    const auto rows = spec_table("core.md", "1.5 ");
    ASSERT_GE(rows.size(), 25U);
    for (const auto& row : rows) {
        EXPECT_EQ(value(localpart_to_user(row.cells[0])), row.cells[1]) << row.line;
        EXPECT_EQ(value(localpart_to_im_user(row.cells[0])), row.cells[2]) << row.line;
        EXPECT_EQ(value(user_to_localpart(row.cells[1])), row.cells[3]) << row.line;
        EXPECT_EQ(value(to_jid_native(uri("im:" + row.cells[2] + "@d.example"))).local, row.cells[3]) << row.line;
        EXPECT_EQ(value(to_jid_native(uri("pres:" + row.cells[2] + "@d.example"))).local, row.cells[3]) << row.line;
    }
}

// Each character between two letters, where nothing else decides about it.
TEST(Address, CORE_22_CORE_26_EveryCharacterOfTheTable) {
    const auto rows = spec_table("core.md", "1.2 ");
    ASSERT_EQ(rows.size(), 33U);
    for (const auto& row : rows) {
        const auto& character = row.cells[0];
        const auto as = [&character](const std::string& cell) { return 'x' + (cell == "raw" ? character : cell) + 'x'; };
        // Column 4 says of the backslash "\5c only if ..."; before an x it stands raw.
        const auto local = character == "\\" ? std::string("x\\x") : as(row.cells[4]);
        EXPECT_EQ(value(localpart_to_user(local)), as(row.cells[2])) << row.line;
        EXPECT_EQ(value(localpart_to_im_user(local)), as(row.cells[3])) << row.line;
        EXPECT_EQ(value(user_to_localpart(as(row.cells[2]))), local) << row.line;
        EXPECT_EQ(value(user_to_localpart("x%" + row.cells[1] + 'x')), local) << row.line;
    }
    EXPECT_EQ(value(user_to_localpart("x%5C40x")), "x\\5c40x");
    for (unsigned control = 0; control < 0x20; ++control)
        EXPECT_FALSE(user_to_localpart("x" + sip::percent_encode_user(std::string(1, static_cast<char>(control))) + "x"))
            << control;
    EXPECT_FALSE(user_to_localpart("x%7Fx"));
}

TEST(Address, CORE_20_ThePasswordIsDropped) {
    EXPECT_EQ(value(user_to_localpart("alice:secret")), "alice");
    EXPECT_EQ(value(to_jid_native(uri("sip:alice:secret@d.example"))).local, "alice");
}

TEST(Address, CORE_23_ABackslashIsEscapedOnlyBeforeACode) {
    EXPECT_EQ(value(user_to_localpart("a%5C27b")), "a\\5c27b");
    EXPECT_EQ(value(user_to_localpart("a%5Cb")), "a\\b");
    EXPECT_EQ(value(user_to_localpart("a%5C")), "a\\");
    EXPECT_EQ(value(user_to_localpart("a%5C%5C40")), "a\\\\5c40");
    // Preparation would make a code of it; so it is escaped as one.
    EXPECT_EQ(value(user_to_localpart("a%5C3Ab")), "a\\5c3ab");
}

TEST(Address, CORE_22_UnescapingKnowsTenCodesInLowerCaseAndGoesOnce) {
    EXPECT_EQ(unescape_localpart("\\20\\22\\26\\27\\2f\\3a\\3c\\3e\\40\\5c"), " \"&'/:<>@\\");
    EXPECT_EQ(escape_localpart(" \"&'/:<>@"), "\\20\\22\\26\\27\\2f\\3a\\3c\\3e\\40");
    for (const std::string_view text : {"\\2F", "\\3A", "\\5C", "\\2b", "\\41", "\\4", "\\", "\\\\", "%40"})
        EXPECT_EQ(unescape_localpart(text), text);
    EXPECT_EQ(unescape_localpart("\\5c40"), "\\40");
    EXPECT_EQ(value(localpart_to_user("a\\2b")), "a%5C2b");
}

// Beside an escape there must be nothing that preparation joins with it.
TEST(Address, CORE_20_PreparationNeverMakesOrBreaksAnEscape) {
    EXPECT_FALSE(user_to_localpart("a%5C%EF%BC%940b"));          // full-width 4 after a backslash
    EXPECT_FALSE(user_to_localpart("bob%EF%BC%BC40d.example"));  // full-width backslash
    EXPECT_FALSE(user_to_localpart("bob%EF%BC%A0d.example"));    // full-width @
    EXPECT_FALSE(user_to_localpart("a%3C%CC%A7b"));              // \3c with a cedilla
    EXPECT_FALSE(user_to_localpart("a%5C5c%CC%A7b"));            // \5c5c with a cedilla
}

TEST(Address, CORE_24_NoLocalpartStartsOrEndsWithASpace) {
    for (const std::string_view user : {"%20a", "a%20", "%20"}) EXPECT_EQ(code(user_to_localpart(user)), Code::unmappable);
    for (const std::string_view local : {"\\20a", "a\\20", "\\20"}) {
        EXPECT_EQ(code(localpart_to_user(local)), Code::unmappable);
        EXPECT_EQ(code(localpart_to_im_user(local)), Code::unmappable);
    }
}

TEST(Address, CORE_25_WhatHasNoJidIsUnmappable) {
    for (const std::string_view user :
         {"a%FFb", "%00a", "%C0%80", "%ED%A0%80", "%F4%90%80%80", "a%0Ab", "", "fu%C3%9Fball", "%E2%88%9E"})
        EXPECT_EQ(code(user_to_localpart(user)), Code::unmappable) << user;
    EXPECT_EQ(code(user_to_localpart("a%2")), Code::malformed);
    for (const std::string_view local : {"", "a\xff", "a b", "a@b"})
        EXPECT_EQ(code(localpart_to_user(local)), Code::unmappable) << local;
}

TEST(Address, CORE_29_TheLimitIsOnWhatWasEscaped) {
    EXPECT_EQ(value(user_to_localpart(std::string(1023, 'a'))).size(), 1023U);
    EXPECT_EQ(code(user_to_localpart(std::string(1024, 'a'))), Code::too_large);
    EXPECT_TRUE(user_to_localpart("a" + std::string(340, '&') + "bb"));                        // 1 + 340 * 3 + 2
    EXPECT_EQ(code(user_to_localpart("a" + std::string(340, '&') + "bbb")), Code::too_large);  // one more
    EXPECT_TRUE(localpart_to_user(std::string(1023, 'a')));
    EXPECT_EQ(code(localpart_to_user(std::string(1024, 'a'))), Code::too_large);
    std::string umlauts;
    for (int i = 0; i < 511; ++i) umlauts += "\xc3\xbc";
    EXPECT_EQ(value(to_uri_native({umlauts, "d.example", ""})).to_string().size(), 4 + 511 * 6 + 10U);
}

}  // namespace stox
