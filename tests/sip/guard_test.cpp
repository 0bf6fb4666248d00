// What must never reach nta's transactions, as raw datagrams: refused with 400 or dropped, and the listener lives.

#include "tests/sip/rig.h"

#include <gtest/gtest.h>

#include <array>

namespace {

using namespace stox::sip::test;
using stox::test::udp_to;
using stox::test::Wire;

struct Case {
    std::string method, from, contact;
    bool blank_line;
    bool good;
};

constexpr std::array kOddContacts{"",
                                  "*",
                                  "<tel:+123>",
                                  "<urn:x:y>",
                                  "<http://x/>",
                                  "<foo:bar>",
                                  "<im:a@b>",
                                  "<mailto:a@b>",
                                  "<sip:>",
                                  "<sip:@>",
                                  "<sip:a@h:0>",
                                  "<sip:a@h:99999>",
                                  "<sip:a@[::1>",
                                  "<sip:a@[x]>",
                                  "<sip:a@h;maddr=\"\">",
                                  "<sip:a@h;transport=sctp>",
                                  "<sip:a@h?Route=x>",
                                  "<sip:a@h.test/.other>",
                                  "<sip:a@h.test#x>",
                                  "<sip:a@h>, <sip:b@h>"};
constexpr std::array kFroms{"<sip:f@example.net>", "<tel:+123>",  "<im:f@example.net>",  "<urn:x>",
                            "<foo:bar>",           "<sip:f@h/x>", "<im:f@example.net/x>"};

std::string packet(const Case& one, unsigned number) {
    const auto id = std::to_string(number);
    std::string text = one.method + " sip:romeo@montague.test SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5999;rport;branch=z9hG4bKg" +
                       id + "\r\nMax-Forwards: 70\r\nFrom: " + one.from + ";tag=g" + id +
                       "\r\nTo: <sip:romeo@montague.test>\r\nCall-ID: g" + id + "\r\nCSeq: 1 " + one.method + "\r\n";
    if (!one.contact.empty()) text += "Contact: " + one.contact + "\r\n";
    return text + (one.blank_line ? "Content-Length: 0\r\n\r\n" : "Content-Length: 0\r\n");
}

std::vector<Case> cases() {
    std::vector<Case> all;
    for (const std::string from : kFroms) {
        const bool known = from.starts_with("<sip:") || from.starts_with("<tel:") || from.starts_with("<im:");
        const bool good_from = known && from.find('/') == from.npos;
        for (const std::string contact : kOddContacts) {
            all.push_back({"INVITE", from, contact, true, false});
            all.push_back({"INVITE", from, contact, false, false});
            all.push_back({"SUBSCRIBE", from, contact, true, false});
        }
        const std::string contact = "<sip:f@127.0.0.1:5999>";
        all.push_back({"INVITE", from, contact, true, good_from});
        all.push_back({"INVITE", from, contact, false, false});
        all.push_back({"SUBSCRIBE", from, contact, true, good_from});
    }
    return all;
}

TEST(SipGuard, OddFromContactAndTruncationAreAnswered400) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    unsigned number = 0;
    for (const auto& one : cases()) {
        SCOPED_TRACE(packet(one, ++number));
        peer.send(packet(one, number));
        if (one.good) {
            const auto in = rig.next_request();
            rig.respond(in.transaction, status(488));
        }
        // An INVITE before this one has no ACK: its answer may come again.
        const auto is_its_final = [&](const std::string& text) {
            return header_of(text, "Call-ID") == "g" + std::to_string(number) && text.rfind("SIP/2.0 100", 0) != 0;
        };
        std::string answer = peer.read_until("\r\n\r\n");
        while (!is_its_final(answer)) answer = peer.read_until("\r\n\r\n");
        EXPECT_EQ(answer.rfind(one.good ? "SIP/2.0 488" : "SIP/2.0 400", 0), 0u) << answer;
        EXPECT_FALSE(rig.has_request());
    }
}

TEST(SipGuard, AParameterTooLongOrEmptyIsNotTakenForAnAbsentOne) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    unsigned number = 1'000;
    const std::string contact = "<sip:f@127.0.0.1:5999;";
    for (const std::string& parameter : {"transport=" + std::string(80, 'x'), "maddr=" + std::string(80, '!'),
                                         std::string("maddr="), std::string("maddr"), std::string("transport=")}) {
        const Case one{"INVITE", "<sip:f@example.net>", contact + parameter + ">", true, false};
        SCOPED_TRACE(packet(one, ++number));
        peer.send(packet(one, number));
        EXPECT_EQ(peer.read_until("\r\n\r\n").rfind("SIP/2.0 400", 0), 0u);
        EXPECT_FALSE(rig.has_request());
    }
}

// Not where a name or somebody else is told to be: RFC 3261 §18.2.2 notwithstanding.
TEST(SipGuard, AnAnswerGoesWhereTheRequestCameFromWhateverItsViaSays) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    unsigned number = 0;
    for (const std::string via : {"Via: SIP/2.0/UDP 127.0.0.1:5999", "v: SIP/2.0/UDP 127.0.0.1:5999"})
        for (const std::string target :
             {";maddr=name.invalid", ";maddr=224.0.1.75", ";MADDR=name.invalid;maddr=127.0.0.9", ";received=127.0.0.9",
              ";received=127.0.0.9;received=127.0.0.9", ";received=x;RECEIVED=name.invalid;maddr=x;maddr=name.invalid"})
            for (const bool refused : {false, true}) {
                auto text = message_text("m" + std::to_string(++number));
                const std::string written = "Via: SIP/2.0/UDP 127.0.0.1:5999";
                ASSERT_NE(text.find(written), text.npos);
                text.replace(text.find(written), written.size(), via + target);
                if (refused) text.replace(text.find("sip:juliet"), std::string("sip").size(), "foo");
                SCOPED_TRACE(text);
                peer.send(text);
                if (!refused) rig.respond(rig.next_request().transaction, status(202));
                const auto answer = peer.read_until("\r\n\r\n");
                EXPECT_EQ(answer.rfind(refused ? "SIP/2.0 400" : "SIP/2.0 202", 0), 0u) << answer;
                EXPECT_EQ(answer.find(";maddr"), answer.npos) << answer;
                for (const std::string place : {"127.0.0.9", "name.invalid"})
                    EXPECT_EQ(answer.find(";received=" + place), answer.npos) << answer;
            }
}

// What is cut off in its headers as well, and whatever stands in the place of the topmost Via.
TEST(SipGuard, ARefusalOfWhatIsNoSipGoesWhereItCameFrom) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    unsigned number = 0;
    for (const std::string before : {"", "Via:\r\n", "Via: ,\r\n", "Via: x\r\n"})
        for (const bool cut : {false, true}) {
            auto text = message_text("r" + std::to_string(++number));
            const std::string written = "Via: SIP/2.0/UDP 127.0.0.1:5999";
            text.replace(text.find(written), written.size(), before + written + ";received=127.0.0.9;received=127.0.0.9");
            text.replace(text.find("Call-ID"), std::string("Call-ID").size(), "Call-It");
            if (cut) text.resize(text.find("\r\n\r\n") + 2);
            SCOPED_TRACE(text);
            peer.send(text);
            const auto answer = peer.read_until("\r\n\r\n");
            EXPECT_EQ(answer.rfind("SIP/2.0 400", 0), 0u) << answer;
            EXPECT_EQ(answer.find(";received=127.0.0.9"), answer.npos) << answer;
        }
}

// It would come back with its host twice. The topmost one says nothing of where to refuse to.
TEST(SipGuard, AViaWithoutASpaceBehindItsTransportIsRefused) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    auto text = message_text("p1");
    const std::string written = "Via: SIP/2.0/UDP 127.0.0.1:5999", odd = "Via: SIP/2.0/UD[::1]:5999";
    peer.send(text.replace(text.find(written), written.size(), odd));
    peer.send(message_text("p2", odd + ";branch=z9hG4bKbelow\r\n"));
    const auto answer = peer.read_until("\r\n\r\n");
    EXPECT_EQ(answer.rfind("SIP/2.0 400", 0), 0u) << answer;
    EXPECT_NE(answer.find("branch=z9hG4bKp2"), std::string::npos) << answer;
    EXPECT_FALSE(rig.has_request());
}

// The way back of those before us is not ours to change.
TEST(SipGuard, ViasBelowTheTopmostComeBackAsTheyWere) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    const std::string below = "Via: SIP/2.0/TCP h.test;received=192.0.2.7;branch=z9hG4bKbelow\r\n";
    peer.send(message_text("w1", below));
    rig.respond(rig.next_request().transaction, status(202));
    const auto answer = peer.read_until("\r\n\r\n");
    EXPECT_NE(answer.find("h.test;received=192.0.2.7;branch=z9hG4bKbelow"), std::string::npos) << answer;
}

// RFC 3261 §8.2.2.1: 416 for a scheme that we do not know.
TEST(SipGuard, ARequestUriThatIsNotOursIsRefused) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    unsigned number = 0;
    for (const auto& [uri, answer] : {std::pair<std::string, std::string>{"http://x.test/", "SIP/2.0 416"},
                                      {"urn:service:sos", "SIP/2.0 416"},
                                      {"foo:bar", "SIP/2.0 416"},
                                      {"sip:romeo@[x]", "SIP/2.0 400"},
                                      {"sip:romeo@montague.te/st", "SIP/2.0 400"},
                                      {"sip:romeo@montague.test#x", "SIP/2.0 400"},
                                      {"s/ip:romeo@montague.test", "SIP/2.0 400"}}) {
        auto text = message_text("u" + std::to_string(++number));
        text.replace(text.find("sip:romeo@montague.test"), std::string("sip:romeo@montague.test").size(), uri);
        peer.send(text);
        EXPECT_EQ(peer.read_until("\r\n\r\n").rfind(answer, 0), 0u) << uri;
        EXPECT_FALSE(rig.has_request());
    }
}

std::string with_via(std::string text, const std::string& via) {
    const auto at = text.find("Via: ");
    return text.replace(at, text.find("\r\n", at) - at, "Via: " + via);
}

// nta answers to what the Via says, which can be nowhere.
TEST(SipGuard, AViaThatCannotBeAnsweredIsRefusedAndItsAckHarmsNothing) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    const std::string contact = "Contact: <sip:f@127.0.0.1:5999>\r\n";
    unsigned number = 0;
    for (const auto& [sent_by, readable] : {std::pair<std::string, bool>{"127.0.0.1:0", true},
                                            {"a_b!c", true},
                                            {"127.0.0.1:99999", false},
                                            {"127.0.0.1:x", false},
                                            {"[x]", false}}) {
        const auto id = "v" + std::to_string(++number);
        const auto via = "SIP/2.0/UDP " + sent_by + ";rport;branch=z9hG4bK" + id;
        peer.send(with_via(request_text("INVITE", id, 1, id, {}, contact), via));
        // Without a Via that can be read there is nowhere to refuse to.
        if (readable) {
            EXPECT_EQ(peer.read_until("\r\n\r\n").rfind("SIP/2.0 400", 0), 0u) << sent_by;
        }
        peer.send(with_via(request_text("ACK", id, 1, id, "x"), via));
        EXPECT_FALSE(rig.has_request());
    }
}

// RFC 3261 §8.1.1.5, §7.2.
TEST(SipGuard, NumbersOutOfTheirRangeAreRefused) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    for (const std::string cseq : {"2147483648", "4294967295", "4294967296", "99999999999", "-1", "x"}) {
        auto text = request_text("OPTIONS", "n" + cseq, 1, "n" + cseq);
        peer.send(text.replace(text.find("CSeq: 1"), 7, "CSeq: " + cseq));
        EXPECT_EQ(peer.read_until("\r\n\r\n").rfind("SIP/2.0 400", 0), 0u) << cseq;
    }
    // What the rest is judged by: one method in both places.
    for (const std::string method : {"REGISTER", "OPTIONS\r\n x", "OPTION", "options"}) {
        const auto id = "m" + std::to_string(method.size()) + method.front();
        auto text = request_text("OPTIONS", id, 1, id);
        peer.send(text.replace(text.find("CSeq: 1 OPTIONS"), 15, "CSeq: 1 " + method));
        EXPECT_EQ(peer.read_until("\r\n\r\n").rfind("SIP/2.0 400", 0), 0u) << method;
        EXPECT_FALSE(rig.has_request());
    }
    const auto call = rig.start(invite_value(), next_hop(stox::Transport::udp, stox::test::local_port(peer)));
    const auto seen = peer.read_until("\r\n\r\n");
    auto without_contact = answer_to(seen, 200, "two");
    peer.send(without_contact.replace(without_contact.find(" INVITE\r\n"), 7, " INVITE\r\n x"));
    for (const std::string code : {"0", "99", "700", "999", "1000", "65736"}) {
        auto text = answer_to(seen, 200, "one", "Contact: <sip:juliet@127.0.0.1:5997>\r\n");
        peer.send(text.replace(text.find(" 200 "), 5, ' ' + code + ' '));
    }
    peer.send(answer_to(seen, 486));
    EXPECT_EQ(call->finals.next().response.status, 486);
    EXPECT_TRUE(call->provisionals.empty());
}

// Their Contact and Record-Route would become our next request's way.
TEST(SipGuard, AResponseWithAnOddContactOrRecordRouteIsDropped) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    const auto call = rig.start(invite_value(), next_hop(stox::Transport::udp, stox::test::local_port(peer)));
    const auto seen = peer.read_until("\r\n\r\n");
    const std::string good = "Contact: <sip:juliet@127.0.0.1:5997>\r\n";
    for (const std::string odd : kOddContacts)
        peer.send(answer_to(seen, 200, "one", odd.empty() ? odd : "Contact: " + odd + "\r\n"));
    for (const std::string odd : {"*", "<tel:+123>", "<http://x/>", "<sip:>", "<sip:p.test:0;lr>", "<sip:p.test:99999;lr>",
                                  "<sip:p.test;lr?Route=x>", "<sip:p.test;lr;transport=ws>", "<sip:[x];lr>", "sip:a b"})
        for (const int code : {183, 200}) peer.send(answer_to(seen, code, "one", good + "Record-Route: " + odd + "\r\n"));
    peer.send(answer_to(seen, 200, "one", good + "Record-Route: <sip:p.test;lr>\r\n"));
    const auto outcome = call->finals.next();
    EXPECT_EQ(outcome.response.contacts, std::vector{address("sip:juliet@127.0.0.1:5997")});
    EXPECT_TRUE(call->provisionals.empty());
}

TEST(SipGuard, StunGetsNoAnswer) {
    Rig rig;
    Wire peer = udp_to(rig.udp_port());
    peer.send(
        std::string_view("\x00\x01\x00\x00\x21\x12\xa4\x42"
                         "abcdefghijkl",
                         20));
    // The next thing that comes back belongs to the request after it.
    peer.send(message_text("s1"));
    rig.respond(rig.next_request().transaction, status(202));
    EXPECT_EQ(peer.read_until("\r\n\r\n").rfind("SIP/2.0 202", 0), 0u);
}

TEST(SipGuard, AMessageOverTheLimitIsRefusedAndTheConnectionDoesNotHang) {
    Rig rig;
    Wire peer = stox::test::tcp_to(rig.tcp_port());
    peer.send(message_text("b1", {}, std::string(65'536, 'x')));
    const auto answer = peer.read_until("\r\n\r\n");
    EXPECT_TRUE(answer.rfind("SIP/2.0 413", 0) == 0 || answer.rfind("SIP/2.0 400", 0) == 0) << answer;
    Wire hopeless = stox::test::tcp_to(rig.tcp_port());
    hopeless.send(message_text("b2", {}, std::string(65'537, 'x')).substr(0, 1'000));
    EXPECT_TRUE(hopeless.closed());
    EXPECT_FALSE(rig.has_request());
}

}  // namespace
