// Which ICMP errors are believed.

#include "sip/edge/sent_requests.h"

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace stox;
using std::chrono::milliseconds;
using std::chrono::seconds;
using stox::sip::SentRequests;

const auto kNow = SentRequests::Time(std::chrono::hours(1));
const auto kPeer = Endpoint::parse("192.0.2.1:5060").value(), kOther = Endpoint::parse("192.0.2.2:5060").value();

std::string request(const std::string& branch, std::size_t user = 5) {
    return "OPTIONS sip:" + std::string(user, 'r') +
           "@montague.test SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.5:5060;branch=z9hG4bK" + branch +
           ";rport\r\nFrom: <sip:juliet@capulet.test>;tag=a1\r\nTo: <sip:romeo@montague.test>\r\nCall-ID: x\r\n" +
           std::string(400, 'x');
}

TEST(SentRequests, WhatQuotesARequestOfOursIsBelieved) {
    SentRequests sent;
    sent.sent(kPeer, request("one"), kNow);
    sent.sent(kOther, request("two"), kNow);
    EXPECT_TRUE(sent.quotes_one(kPeer, request("one"), kNow));
    EXPECT_TRUE(sent.quotes_one(kPeer, request("one").substr(0, SentRequests::kQuoted), kNow));
    EXPECT_TRUE(sent.quotes_one(kOther, request("two").substr(0, 508), kNow + seconds(31)));
}

TEST(SentRequests, WhatDoesNotIsNot) {
    SentRequests sent;
    sent.sent(kPeer, request("one"), kNow);
    EXPECT_FALSE(sent.quotes_one(kPeer, request("guessed"), kNow));
    EXPECT_FALSE(sent.quotes_one(kOther, request("one"), kNow)) << "it went to another";
    EXPECT_FALSE(sent.quotes_one(kPeer, request("one").substr(0, SentRequests::kQuoted - 1), kNow)) << "too little";
    EXPECT_FALSE(sent.quotes_one(kPeer, request("one").substr(0, 8), kNow)) << "RFC 792's 8 octets";
    EXPECT_FALSE(sent.quotes_one(kPeer, {}, kNow));
    EXPECT_FALSE(sent.quotes_one(kPeer, request("one"), kNow + SentRequests::kLived)) << "too late";
}

// The start line of such a request can be guessed, and its branch is not quoted.
TEST(SentRequests, ARequestWhoseBranchLiesTooFarBackHasNoFastFailure) {
    SentRequests sent;
    sent.sent(kPeer, request("one", 300), kNow);
    EXPECT_FALSE(sent.quotes_one(kPeer, request("one", 300), kNow));
    sent.sent(kPeer, request(std::string(400, 'b')), kNow);  // begins within, does not end there
    EXPECT_FALSE(sent.quotes_one(kPeer, request(std::string(400, 'b')), kNow));
}

TEST(SentRequests, TheOldestAreForgotten) {
    SentRequests sent;
    for (std::size_t i = 0; i <= SentRequests::kRemembered; ++i) {
        sent.sent(kPeer, request(std::to_string(i)), kNow);
        sent.sent(kPeer, request(std::to_string(i)), kNow + milliseconds(500));
    }
    EXPECT_FALSE(sent.quotes_one(kPeer, request("0"), kNow));
    EXPECT_TRUE(sent.quotes_one(kPeer, request("1"), kNow));
    EXPECT_TRUE(sent.quotes_one(kPeer, request(std::to_string(SentRequests::kRemembered)), kNow));
}

}  // namespace
