// Headers of the dialog layer that the library knows: they arrive and leave as they are.

#include "tests/sip/rig.h"

#include <gtest/gtest.h>

#include <future>

namespace {

using namespace stox;
using namespace stox::sip;
using namespace stox::sip::test;
using stox::test::local_port;
using stox::test::udp_to;
using stox::test::Wire;

const std::vector<Header> kHeaders{
    {"Require", "100rel, timer"},
    {"Supported", "100rel, timer, replaces, norefersub"},
    {"RSeq", "4294967295"},
    {"RAck", "776656 1 INVITE"},
    {"Session-Expires", "1800;refresher=uac"},
    {"Min-SE", "90"},
    {"Event", "presence;id=7"},
    {"Subscription-State", "terminated;reason=deactivated;retry-after=5"},
    {"Refer-To", "<sip:mercutio@verona.test?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc>"},
    {"Referred-By", "<sip:juliet@capulet.test>"},
    {"Replaces", "12345@x.test;to-tag=54321;from-tag=12345;early-only"},
    {"Allow", "INVITE, ACK, BYE, PRACK"},
    {"Allow-Events", "presence, refer"},
    {"Expires", "3600"},
    {"Reason", "Q.850;cause=16;text=\"Normal call clearing\""},
    {"Retry-After", "3"},
    {"WWW-Authenticate", "Digest realm=\"montague.test\", nonce=\"abc\", algorithm=SHA-256, qop=\"auth\""},
    {"Refer-Sub", "false"},
    {"Target-Dialog", "a@x.test;local-tag=1;remote-tag=2"},
    {"P-Asserted-Identity", "<sip:juliet@capulet.test>"},
};

/// Blanks after commas and semicolons are the writer's taste.
std::string without_blanks(std::string text) {
    std::erase(text, ' ');
    return text;
}

std::string lines() {
    std::string text;
    for (const auto& header : kHeaders) text += header.name + ": " + header.value + "\r\n";
    return text;
}

template <class Message>
void expect_all(const Message& message) {
    for (const auto& header : kHeaders) {
        const auto* value = message.header(header.name);
        ASSERT_TRUE(value) << header.name;
        EXPECT_EQ(without_blanks(*value), without_blanks(header.value)) << header.name;
    }
}

void expect_all(const std::string& text) {
    for (const auto& header : kHeaders)
        EXPECT_EQ(without_blanks(header_of(text, header.name)), without_blanks(header.value)) << header.name;
}

TEST(SipMessageHeaders, RequestsOfADialogKeepThemBothWays) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    peer.send(request_text("UPDATE", "h1", 1, "h1", "ours", "Contact: <sip:juliet@127.0.0.1:5999>\r\n" + lines()));
    expect_all(rig.next_request().request);

    auto request = invite_value();
    request.method = "UPDATE";
    request.headers = kHeaders;
    rig.start(request, next_hop(Transport::udp, local_port(peer)));
    expect_all(peer.read_until("\r\n\r\n"));
}

TEST(SipMessageHeaders, ResponsesKeepThemBothWays) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    peer.send(request_text("SUBSCRIBE", "h2", 1, "h2", {}, "Contact: <sip:juliet@127.0.0.1:5999>\r\nEvent: presence\r\n"));
    auto response = status(200);
    response.contacts = {address("sip:romeo@127.0.0.1:5060")};
    response.headers = kHeaders;
    rig.respond(rig.next_request().transaction, response);
    expect_all(peer.read_until("\r\n\r\n"));

    const auto call = rig.start(invite_value(), next_hop(Transport::udp, local_port(peer)));
    const auto seen = peer.read_until("\r\n\r\n");
    peer.send(answer_to(seen, 183, "one", "Contact: <sip:juliet@127.0.0.1:5999>\r\n" + lines()));
    const auto progress = call->provisionals.next();
    expect_all(progress);
    EXPECT_EQ(progress.to_tag, "one");
    peer.send(answer_to(seen, 200, "one", "Contact: <sip:juliet@127.0.0.1:5999>\r\n" + lines()));
    expect_all(call->finals.next().response);
}

// RFC 3262 §3: the first number is any up to 2^31-1, each further one is one more; 0 is none, and nothing is acknowledged by it.
TEST(SipMessageHeaders, AnImpossibleRSeqIsDroppedWithItsResponse) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    const auto call = rig.start(invite_value(), next_hop(Transport::udp, local_port(peer)));
    const auto seen = peer.read_until("\r\n\r\n");
    const std::string contact = "Contact: <sip:juliet@127.0.0.1:5999>\r\n";
    for (const std::string rseq : {"0", "4294967296", "-1", "x", "99999999999999999999", "1 2"})
        peer.send(answer_to(seen, 180, "one", contact + "Require: 100rel\r\nRSeq: " + rseq + "\r\n"));
    for (const std::string rseq : {"9", "4", "4294967295"}) {  // the order is the dialog layer's affair
        peer.send(answer_to(seen, 183, "one", contact + "Require: 100rel\r\nRSeq: " + rseq + "\r\n"));
        const auto progress = call->provisionals.next();
        EXPECT_EQ(progress.status, 183);
        ASSERT_TRUE(progress.header("RSeq"));
        EXPECT_EQ(*progress.header("RSeq"), rseq);
    }
}

}  // namespace
