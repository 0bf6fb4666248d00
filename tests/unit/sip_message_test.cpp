#include "mapping/sip/message.h"

#include <gtest/gtest.h>

namespace stox::sip {

TEST(SipMessage, HeadersAreFoundInAnyCaseAndTheFirstOneCounts) {
    Request request;
    request.headers = {{"Content-Language", "cs"}, {"content-language", "de"}};
    ASSERT_TRUE(request.header("CONTENT-LANGUAGE"));
    EXPECT_EQ(*request.header("CONTENT-LANGUAGE"), "cs");
    EXPECT_FALSE(request.header("Content"));
    Response response;
    response.headers = {{"Retry-After", "10"}};
    EXPECT_EQ(*response.header("retry-after"), "10");
}

TEST(SipMessage, PhrasesAreThoseOfTheRegistry) {
    EXPECT_EQ(reason_phrase(200), "OK");
    EXPECT_EQ(reason_phrase(202), "Accepted");
    EXPECT_EQ(reason_phrase(404), "Not Found");
    EXPECT_EQ(reason_phrase(416), "Unsupported URI Scheme");
    EXPECT_EQ(reason_phrase(608), "Rejected");
    EXPECT_EQ(reason_phrase(499), "");
    EXPECT_EQ(reason_phrase(0), "");
}

}  // namespace stox::sip
