#include "mapping/xmpp/jid.h"

#include "tests/unit/result_testing.h"

#include <gtest/gtest.h>

namespace stox::xmpp {

namespace {

using test::code;
using test::value;

}  // namespace

TEST(Jid, CORE_21_FirstSlashEndsTheBareJidThenTheFirstAtSplits) {
    EXPECT_EQ(value(Jid::parse("juliet@example.com/balcony@x/y")), (Jid{"juliet", "example.com", "balcony@x/y"}));
    EXPECT_EQ(value(Jid::parse("example.com/a@b")), (Jid{"", "example.com", "a@b"}));
    EXPECT_EQ(value(Jid::parse("example.com")), (Jid{"", "example.com", ""}));
    EXPECT_FALSE(Jid::parse("a@b@example.com"));
}

TEST(Jid, CORE_29_EachPartHasOneTo1023Octets) {
    const std::string most(1023, 'a'), more(1024, 'a');
    EXPECT_TRUE(Jid::parse(most + '@' + most + '/' + most));
    EXPECT_EQ(code(Jid::parse(more + "@d/r")), Code::too_large);
    EXPECT_EQ(code(Jid::parse("l@" + more + "/r")), Code::too_large);
    EXPECT_EQ(code(Jid::parse("l@d/" + more)), Code::too_large);
    for (const std::string_view text : {"", "@d", "l@", "d/", "/r", "@", "/", "l@/r", "@/r"})
        EXPECT_FALSE(Jid::parse(text)) << text;
}

TEST(Jid, PartsThatAreNotUtf8AreRefused) {
    for (const std::string_view text : {"a\xff@d", "a@d\xc3", "a@d/\xed\xa0\x80", "a@d/\xc0\x80", "\xf5\x80\x80\x80@d"})
        EXPECT_FALSE(Jid::parse(text));
    EXPECT_TRUE(Jid::parse("tsch\xc3\xbcss@d/\xf0\x9f\x8e\xb6"));
}

TEST(Jid, CORE_37_EscapesStandAsTheyAreAndPrintBack) {
    for (const std::string_view text : {"user\\40dom.example@gw.example/x", "d", "d/r", "l@d", "l@d/r/s@t"})
        EXPECT_EQ(value(Jid::parse(text)).to_string(), text);
    EXPECT_NE(Jid::parse("a\\40b@d"), Jid::parse("a\\5c40b@d"));
}

TEST(Jid, BareDropsTheResource) {
    const Jid full{"l", "d", "r"};
    EXPECT_EQ(full.bare(), (Jid{"l", "d", ""}));
    EXPECT_TRUE(full.bare().is_bare());
    EXPECT_FALSE(full.is_bare());
}

}  // namespace stox::xmpp
