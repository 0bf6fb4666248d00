#include "sip/encode.h"

#include <gtest/gtest.h>

namespace {

using namespace stox::sip;

TEST(Encode, NoValueBeginsAnotherHeader) {
    EXPECT_EQ(header_value("a\r\nVia: x\tb"), "a  Via: x b");
    EXPECT_EQ(header_lines({{"Subject", "hi\r\nRoute: <sip:evil.test>"}}), "Subject: hi  Route: <sip:evil.test>\r\n");
    EXPECT_EQ(header_lines({{"Bad Name\r\n", "x"}, {"", "y"}}), "");
}

TEST(Encode, ADisplayNameIsQuotedWithItsQuotesEscaped) {
    NameAddr address{"Jul \"x\" \\", Uri::parse("sip:j@capulet.test").value(), "t1"};
    EXPECT_EQ(name_addr_value(address), "\"Jul \\\"x\\\" \\\\\" <sip:j@capulet.test>;tag=t1");
}

}  // namespace
