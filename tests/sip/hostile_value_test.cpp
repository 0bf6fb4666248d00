// Whatever stands in a value that we send: the peer sees one message with the headers we meant, or none.

#include "tests/sip/rig.h"

#include <gtest/gtest.h>

namespace {

using namespace stox;
using namespace stox::sip;
using namespace stox::sip::test;
using stox::test::local_port;
using stox::test::udp_to;
using stox::test::Wire;

const std::string kEvil = "x\r\nEvil: yes\r\n\r\nbody";

/// Sends it, and then a plain request that proves that the first one has left, if it ever will.
void expect_nothing_injected(Rig& rig, const Request& request) {
    Wire peer = udp_to(rig.udp_port());
    const auto hop = next_hop(Transport::udp, local_port(peer));
    rig.start_sending(request, hop);
    auto last = message_value("the end");
    last.call_id = "last";
    rig.start_sending(last, hop);
    const auto seen = peer.read_until("\r\n\r\nthe end");
    EXPECT_EQ(seen.find("\r\nEvil:"), std::string::npos) << seen;
}

TEST(SipHostileValue, NoFieldOfARequestBeginsAnotherHeader) {
    Rig rig;
    const auto broken = [&](auto&& change) {
        auto request = message_value();
        change(request);
        expect_nothing_injected(rig, request);
    };
    broken([](Request& r) { r.method = "MESSAGE sip:x@y.test SIP/2.0\r\nEvil: yes\r\nX"; });
    broken([](Request& r) { r.method = kEvil; });
    broken([](Request& r) { r.uri.user = kEvil; });
    broken([](Request& r) { r.uri.host = kEvil; });
    broken([](Request& r) { r.from.display_name = kEvil; });
    broken([](Request& r) { r.from.uri.user = kEvil; });
    broken([](Request& r) { r.from.tag = kEvil; });
    broken([](Request& r) { r.to.display_name = kEvil; });
    broken([](Request& r) { r.to.tag = kEvil; });
    broken([](Request& r) { r.call_id = kEvil; });
    broken([](Request& r) { r.content_type = "text/plain" + kEvil; });
    broken([](Request& r) { r.headers = {{"Subject", kEvil}}; });
    broken([](Request& r) { r.headers = {{"Subject" + kEvil, "x"}}; });
    broken([](Request& r) { r.headers = {{"X-Unknown", kEvil}}; });
}

TEST(SipHostileValue, NoFieldOfAResponseBeginsAnotherHeader) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    peer.send(message_text("h1"));
    auto response = status(480);
    response.reason = kEvil;
    response.headers = {{"Subject", kEvil}, {kEvil, "x"}, {"X-Unknown", kEvil}};
    response.content_type = "text/plain;" + kEvil;
    rig.respond(rig.next_request().transaction, response);
    const auto seen = peer.read_until("\r\n\r\n");
    EXPECT_EQ(seen.rfind("SIP/2.0 480 ", 0), 0u) << seen;
    EXPECT_EQ(seen.find("\r\nEvil:"), std::string::npos) << seen;
}

// The library builds no message around a header that it cannot read; the peer must not be left waiting for that.
TEST(SipHostileValue, AResponseWithAHeaderThatCannotBeWrittenIsSentWithoutIt) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    peer.send(message_text("h2"));
    auto response = status(480);
    response.headers = {{"Retry-After", "soon, perhaps"}, {"CSeq", "not one"}};
    response.content_type = "no type";
    rig.respond(rig.next_request().transaction, response);
    const auto seen = peer.read_until("\r\n\r\n");
    EXPECT_EQ(seen.rfind("SIP/2.0 480 ", 0), 0u) << seen;
    EXPECT_NE(seen.find("Call-ID: ch2\r\n"), std::string::npos) << seen;
}

TEST(SipHostileValue, ARequestThatCannotBeWrittenIsUnsent) {
    Rig rig;
    auto request = message_value();
    request.content_type = "no type";
    const auto outcome = rig.send(request, next_hop(Transport::udp, rig.udp_port()));
    EXPECT_EQ(outcome.response.status, 503);
    EXPECT_EQ(outcome.local, Outcome::Local::unsent);
    EXPECT_FALSE(rig.has_request());
}

}  // namespace
