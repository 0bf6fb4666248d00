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
    {"SIP-ETag", "dx200xyz"},
    {"SIP-If-Match", "dx200abc"},
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

/// A MESSAGE whose From is that value.
std::string from_text(const std::string& name, const std::string& from, const std::string& id) {
    return "MESSAGE sip:romeo@montague.test SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5999;rport;branch=z9hG4bKu" + id +
           "\r\nMax-Forwards: 70\r\n" + name + ": " + from + ";tag=t" + id + "\r\nTo: <sip:romeo@montague.test>\r\nCall-ID: u" +
           id + "\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n";
}

TEST(SipMessageHeaders, CORE_27_AUserKeepsTheEscapesThatItWasWrittenWith) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"<sip:A%3bb@capulet.test>", "A%3bb"},
        {"<sip:a;b@capulet.test>", "a;b"},
        {"\"<sip:x%3By@z>\" <sip:a%2Fb%3F%26%3D%2B%24%2C@capulet.test;gr=c%3Bd>", "a%2Fb%3F%26%3D%2B%24%2C"},
        {"Juliet <sip:j%25%3B:pass%3Bword@capulet.test>", "j%25%3B"},
        {"sip:a%3Bb@capulet.test", "a%3Bb"},
        {"<SIP:%c3%bc%3B@capulet.test>", "%c3%bc%3B"},
        {"<sip:capulet.test;x=%3B>", ""},
    };
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    unsigned number = 0;
    for (const std::string name : {"From", "f"})
        for (const auto& [from, user] : cases) {
            SCOPED_TRACE(name + ": " + from);
            peer.send(from_text(name, from, std::to_string(++number)));
            auto in = rig.next_request();
            EXPECT_EQ(in.request.from.uri.user, user);
            EXPECT_EQ(in.request.from.tag, "t" + std::to_string(number));
            rig.respond(in.transaction, status(200));
            EXPECT_NE(peer.read_until("\r\n\r\n").find(user), std::string::npos);
        }
    auto request = invite_value();
    request.method = "MESSAGE";
    request.contacts.clear();
    request.uri = request.to.uri = Uri::parse("sip:A%3Bb%2Fc;d@capulet.test;gr=e%3Bf").value();
    rig.start(request, next_hop(Transport::udp, local_port(peer)));
    const auto seen = peer.read_until("\r\n\r\n");
    EXPECT_EQ(seen.substr(0, seen.find("\r\n")), "MESSAGE sip:A%3Bb%2Fc;d@capulet.test;gr=e%3Bf SIP/2.0");
    EXPECT_EQ(header_of(seen, "To"), "<sip:A%3Bb%2Fc;d@capulet.test;gr=e%3Bf>");
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
