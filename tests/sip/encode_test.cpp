#include "sip/encode.h"

#include <gtest/gtest.h>

namespace {

using namespace stox::sip;

TEST(Encode, NoValueBeginsAnotherHeader) {
    EXPECT_EQ(header_value("a\r\nVia: x\tb"), "a  Via: x b");
    EXPECT_EQ(header_lines({{"Subject", "hi\r\nRoute: <sip:evil.test>"}}), "Subject: hi  Route: <sip:evil.test>\r\n");
    EXPECT_EQ(header_lines({{"Bad Name\r\n", "x"}, {"", "y"}}), "");
}

// They have fields of their own, or nta's: a second one would let two readers see two messages.
TEST(Encode, AHeaderWithAFieldOfItsOwnIsNotSentTwice) {
    for (const std::string name : {"Via", "v", "From", "f", "To", "t", "Call-ID", "i", "CSeq", "Content-Length", "L",
                                   "content-type", "c", "Max-Forwards", "Route", "Record-Route"})
        EXPECT_EQ(header_lines({{name, "1"}}), "") << name;
    EXPECT_EQ(header_lines({{"Expires", "1"}}), "Expires: 1\r\n");
}

TEST(Encode, ADisplayNameIsQuotedWithItsQuotesEscaped) {
    NameAddr address{"Jul \"x\" \\", Uri::parse("sip:j@capulet.test").value(), "t1"};
    EXPECT_EQ(name_addr_value(address), "\"Jul \\\"x\\\" \\\\\" <sip:j@capulet.test>;tag=t1");
}

}  // namespace
