#include "mapping/charset.h"

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace stox;

/// What has no line end to be changed goes past the converter.
TEST(Charset, Utf8IsTheSameWithAndWithoutTheConverter) {
    for (const std::string text : {"", "plain", "tab\tand\nline", "one\r\ntwo\rthree", "\x7F", "\x01", "\xC3\xA4",
                                   "\xEF\xBB\xBF"
                                   "mark",
                                   "\xF0\x9F\x98\x80", "\xEF\xBF\xBE", "\xEF\xBF\xBF", "\xFF", "\xC0\x80", "\xED\xA0\x80",
                                   "\xF4\x90\x80\x80", "cut \xE2\x82", "\xE2\x82\xAC end"}) {
        const auto usual = to_utf8(text, "utf-8"), converted = to_utf8(text + '\r', "utf-8");
        ASSERT_EQ(usual.has_value(), converted.has_value()) << testing::PrintToString(text);
        if (usual)
            EXPECT_EQ(usual.value() + '\n', converted.value());
        else
            EXPECT_EQ(usual.error().code, converted.error().code);
    }
    EXPECT_EQ(to_utf8("one\r\ntwo", "UTF-8").value(), "one\ntwo");
    EXPECT_EQ(to_utf8("\x01", "utf-8").value(), "\xEF\xBF\xBD");
}

}  // namespace
