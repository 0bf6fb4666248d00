// Where a message ends in a stream, and what is no message at all.

#include "sip/edge/framer.h"

#include <gtest/gtest.h>

namespace {

using namespace stox::sip;

constexpr std::string_view kStart = "OPTIONS sip:a@b SIP/2.0\r\n";

std::string message(const std::string& headers, const std::string& body = {}) {
    return std::string(kStart) + headers + "\r\n" + body;
}

std::string repeated(const std::string& line, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += line;
    return all;
}

/// Everything that comes of these octets: "message <size>", "ping", "violation <reason>".
std::vector<std::string> framed(const std::vector<std::string>& pieces, const Limits& limits = {}) {
    StreamFramer framer(limits);
    std::vector<std::string> all;
    for (const auto& piece : pieces) {
        framer.append(piece);
        while (auto next = framer.next()) {
            if (const auto* text = std::get_if<std::string>(&*next)) all.push_back("message " + *text);
            if (std::holds_alternative<Ping>(*next)) all.emplace_back("ping");
            if (const auto* broken = std::get_if<Violation>(&*next)) all.push_back("violation " + broken->reason);
        }
    }
    return all;
}

using All = std::vector<std::string>;

TEST(StreamFramer, MessagesEndWhereTheirContentLengthSays) {
    const auto one = message("l: 5\r\n", "hello"), two = message("X: 1\r\nCONTENT-LENGTH :\t0\r\n");
    EXPECT_EQ(framed({one + two + one}), (All{"message " + one, "message " + two, "message " + one}));
    const auto answer = "SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n";
    EXPECT_EQ(framed({answer}), All{std::string("message ") + answer});
    const auto lf = "OPTIONS sip:a@b SIP/2.0\nl: 2\n\nhi";
    EXPECT_EQ(framed({lf}), All{std::string("message ") + lf});
}

TEST(StreamFramer, ItDoesNotMatterHowTheOctetsCome) {
    const auto stream = message("Via: SIP/2.0/TCP h\r\nl: 5\r\n", "h\r\n\r\n") + "\r\n\r\n" + message("l: 0\r\n");
    const auto expected = framed({stream});
    ASSERT_EQ(expected.size(), 3u);
    for (std::size_t at = 1; at < stream.size(); ++at)
        EXPECT_EQ(framed({stream.substr(0, at), stream.substr(at)}), expected) << at;
    All single;
    for (const char c : stream) single.emplace_back(1, c);
    EXPECT_EQ(framed(single), expected);
}

TEST(StreamFramer, WhetherAStreamIsTakenDoesNotDependOnWhereItIsCut) {
    // RFC 4475 §3.1.1.2
    const std::string odd_method = "!interesting-Method0123456789_*+`.%indeed'~";
    const auto request = [](const std::string& method) { return method + " sip:a@b SIP/2.0\r\nl: 0\r\n\r\n"; };
    Limits limits;
    limits.header_octets = 200;
    const auto filled = [](std::size_t section) {
        return message("X: " + std::string(section - kStart.size() - 11, 'x') + "\r\nl: 0\r\n");
    };
    const std::vector<std::pair<std::string, bool>> rows = {
        {request(odd_method), true},
        {request(std::string(128, 'M')), true},
        {request(std::string(129, 'M')), false},
        {" \t" + request("OPTIONS"), true},
        {"\t" + request(odd_method + "\t"), false},
        {"sip/2.0 200 OK\r\nl: 0\r\n\r\n", true},
        {"SIP/2.00 200 OK\r\nl: 0\r\n\r\n", false},
        {"SIP/2.0\t200 OK\r\nl: 0\r\n\r\n", false},
        {filled(200), true},
        {filled(201), false},
        {message("X: a\rb\r\nl: 0\r\n"), false},
    };
    for (const auto& [stream, taken] : rows) {
        // A violation may be seen before the rest has come, so its reason is not compared.
        const auto expected = taken ? "message " + stream : "violation";
        const auto verdict = [&](const All& pieces) {
            const auto all = framed(pieces, limits);
            if (all.size() != 1) return std::to_string(all.size()) + " outcomes";
            return all.front().starts_with("violation ") ? "violation" : all.front();
        };
        EXPECT_EQ(verdict({stream}), expected);
        for (std::size_t at = 1; at < stream.size(); ++at)
            EXPECT_EQ(verdict({stream.substr(0, at), stream.substr(at)}), expected) << at;
    }
}

TEST(StreamFramer, FoldedHeadersAreOneHeader) {
    const auto folded = message("Subject: a\r\n Content-Length: 7\r\nContent-Length:\r\n 3\r\n", "abc");
    EXPECT_EQ(framed({folded}), All{"message " + folded});
}

TEST(StreamFramer, APingIsTwoLineEndsAndOneIsNothing) {
    const auto options = message("l: 0\r\n");
    EXPECT_EQ(framed({"\r\n\r\n"}), All{"ping"});
    EXPECT_EQ(framed({"\r\n"}), All{});
    EXPECT_EQ(framed({"\r\n" + options}), All{"message " + options});
    EXPECT_EQ(framed({"\r\n", "\r\n", "\r\n\r\n"}), (All{"ping", "ping"}));
    EXPECT_EQ(framed({options + "\r\n\r\n" + options}), (All{"message " + options, "ping", "message " + options}));
}

TEST(StreamFramer, WhatBreaksARuleEndsTheStream) {
    Limits limits;
    limits.header_octets = 1'000;
    const std::string long_line(1'100, 'x');
    const std::vector<std::pair<std::string, std::string>> rows = {
        {message("X: 1\r\n"), "no Content-Length"},
        {message("l: 1\r\nContent-Length: 1\r\n", "a"), "two Content-Length"},
        {message("l: 0\r\nl: 0\r\n"), "two Content-Length"},
        {message("l: -1\r\n"), "Content-Length is no number"},
        {message("l: +1\r\n"), "Content-Length is no number"},
        {message("l: 1 2\r\n"), "Content-Length is no number"},
        {message("l: 0x5\r\n"), "Content-Length is no number"},
        {message("l: 1, 1\r\n"), "Content-Length is no number"},
        {message("l:\r\n"), "Content-Length is no number"},
        {message("l: 65537\r\n"), "body too large"},
        {message("l: 99999999999999999999999999999999\r\n"), "body too large"},
        {message("l: 18446744073709551617\r\n"), "body too large"},
        {"GET / HTTP/1.1\r\n", "no SIP"},
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "no SIP"},
        {"\x16\x03\x01\x02", "no SIP"},
        {std::string("\0\1\0\0", 4), "no SIP"},
        {"OPTIONS", ""},
        {"SIP/2", ""},
        {"SIP/1.0 200 OK", "no SIP"},
        {"HTTP/1.1 200 OK", "no SIP"},
        {std::string(129, 'A'), "no SIP"},
        {std::string(128, 'A'), ""},
        {std::string(129, 'A') + " sip:a@b SIP/2.0\r\nl: 0\r\n\r\n", "no SIP"},
        {"SIP/2.0 2x0 OK\r\n", "no SIP"},
        {std::string(kStart) + "nothing\r\n\r\n", "a header without a colon"},
        {std::string(kStart) + "X: " + std::string(1, '\0') + "\r\nl: 0\r\n\r\n", "NUL in a header"},
        {std::string(kStart) + "X: a\rContent-Length: 9\r\nl: 0\r\n\r\n", "CR alone in a header"},
        {std::string(kStart) + "X: " + long_line, "header section too large"},
        {message("X: " + long_line + "\r\nl: 0\r\n"), "header section too large"},
    };
    for (const auto& [stream, reason] : rows)
        EXPECT_EQ(framed({stream}, limits), reason.empty() ? All{} : All{"violation " + reason}) << stream;
}

TEST(StreamFramer, NothingComesAfterAViolation) {
    EXPECT_EQ(framed({message("l: x\r\n") + message("l: 0\r\n"), message("l: 0\r\n")}),
              All{"violation Content-Length is no number"});
}

TEST(StreamFramer, CountsAreHeldToTheLastOne) {
    const Limits limits;
    const auto passes = [&](const std::string& headers) {
        const auto all = framed({message(headers + "l: 0\r\n")}, limits);
        return all.size() == 1 && all.front().starts_with("message ");
    };
    EXPECT_TRUE(passes(repeated("X: 1\r\n", 127)));
    EXPECT_FALSE(passes(repeated("X: 1\r\n", 128)));
    EXPECT_TRUE(passes(repeated("Via: SIP/2.0/TCP h\r\n", 35) + repeated("v: SIP/2.0/TCP h\r\n", 35)));
    EXPECT_FALSE(passes(repeated("Via: SIP/2.0/TCP h\r\n", 35) + repeated("v: SIP/2.0/TCP h\r\n", 36)));
    EXPECT_FALSE(passes("Via: " + repeated("SIP/2.0/TCP h,", 70) + "SIP/2.0/TCP h\r\n"));
    EXPECT_TRUE(passes("Route: " + repeated("<sip:a,b@h;lr>,", 69) + "<sip:h>\r\n"));
    EXPECT_FALSE(passes("Route: " + repeated("<sip:a,b@h;lr>,", 70) + "<sip:h>\r\n"));
    EXPECT_FALSE(passes("Record-Route: " + repeated("\"x,\\\",\" <sip:h>,", 70) + "<sip:h>\r\n"));
    EXPECT_TRUE(passes("Record-Route: " + repeated("\"x,\\\",\" <sip:h>,", 69) + "<sip:h>\r\n"));
    const auto body = std::string(65'536, 'b');
    EXPECT_EQ(framed({message("l: 65536\r\n", body)}).size(), 1u);
}

TEST(StreamFramer, SaysWhetherAMessageHasBegun) {
    StreamFramer framer{Limits{}};
    EXPECT_FALSE(framer.in_message());
    framer.append("\r\n");
    EXPECT_FALSE(framer.next());
    EXPECT_FALSE(framer.in_message());
    framer.append(message("l: 5\r\n", "hell"));
    EXPECT_FALSE(framer.next());
    EXPECT_TRUE(framer.in_message());
    framer.append("o");
    EXPECT_TRUE(framer.next());
    EXPECT_FALSE(framer.in_message());
}

TEST(DatagramFraming, OnlyWhatLooksLikeSipIsLookedAt) {
    const Limits limits;
    const auto judge = [&](std::string_view octets) { return judge_datagram(octets, limits); };
    const std::string stun(
        "\x00\x01\x00\x00\x21\x12\xa4\x42"
        "abcdefghijkl",
        20);
    for (const auto& noise : {std::string(), std::string("x"), std::string("\r\n\r\n"), std::string("\r\n"),
                              std::string("\0\0\0\0", 4), stun, std::string("\xf8\x01\x02"), std::string("\xff\xff\xff\xff")})
        EXPECT_EQ(judge(noise), Datagram::noise) << noise;
    for (const auto& bad : {std::string("hello there"), std::string("GET / HTTP/1.1\r\n\r\n"), std::string("\x80\x00\x01\x02", 4),
                            std::string("SIP/2.0 200 OK\r\nl: -5\r\n\r\n"), std::string("OPTIONS sip:a SIP/2.0\rVia: x\r\n\r\n"),
                            std::string("SIP/2.0 2x0 SIP/2.0\r\n\r\n"), std::string("OPTIONS sip:a HTTP/1.1\r\n\r\n")})
        EXPECT_EQ(judge(bad), Datagram::malformed) << bad;
    for (const auto& large : {message(repeated("X: 1\r\n", 129)), message("X: " + std::string(32'768, 'x') + "\r\n"),
                              message(repeated("v: SIP/2.0/UDP h\r\n", 71)), message("X: 1\r\n", std::string(65'537, 'b'))})
        EXPECT_EQ(judge(large), Datagram::too_large) << large.substr(0, 100);
    EXPECT_EQ(judge(message("X: 1\r\n", "anything")), Datagram::message);
    EXPECT_EQ(judge(std::string(kStart) + "X: 1\r\n"), Datagram::message);  // no blank line: refused with an answer
}

// Without its blank line the guard refuses it, and its sender learns that.
TEST(DatagramFraming, ARequestThatBreaksARuleEndsBeforeIt) {
    for (const auto& odd : {std::string("nothing\r\n"), std::string("l: -5\r\n"), std::string("X: a\rl: 1\r\n"),
                            std::string("X: a\n\r\r\n"), std::string("X: ") + '\0' + "\r\n"}) {
        const auto text = message("Call-ID: a\r\n b\r\n" + odd + "To: x\r\nl: 2\r\n", "hi");
        std::string_view octets = text;
        EXPECT_EQ(judge_datagram(octets, Limits{}), Datagram::message) << odd;
        const auto kept = std::string(kStart) + "Call-ID: a\r\n b\r\n" + (odd.starts_with("X: a\n") ? "X: a\n" : "");
        EXPECT_EQ(octets, kept) << odd;
    }
    for (const auto* line : {"OPTIONS sip:a sip/3.0\r\n", "OPT<IONS sip:a SIP/2.0\r\n", "OPTIONS sip:a SIP/2.0Via: x\r\n"}) {
        const auto text = line + std::string("To: x\r\n\r\n");
        std::string_view octets = text;
        EXPECT_EQ(judge_datagram(octets, Limits{}), Datagram::message) << line;
        EXPECT_EQ(octets, line + std::string("To: x\r\n"));
    }
    const auto twice = message("l: 2\r\nl: 2\r\n", "hi");
    std::string_view octets = twice;
    EXPECT_EQ(judge_datagram(octets, Limits{}), Datagram::message);
    EXPECT_EQ(octets, std::string(kStart) + "l: 2\r\n");
}

TEST(DatagramFraming, WhatLiesBehindTheBodyIsNoPartOfIt) {
    const auto text = "\r\n" + message("l: 2\r\n", "hi and more");
    std::string_view octets = text;
    EXPECT_EQ(judge_datagram(octets, Limits{}), Datagram::message);
    EXPECT_EQ(octets, message("l: 2\r\n", "hi"));
}

// RFC 3261 §18.3: the request is answered, so it is not dropped here.
TEST(DatagramFraming, OneThatPromisesMoreThanItCarriesIsAMessage) {
    for (const auto* length : {"3", "65537", "4294967299", "99999999999999999999999999999999"}) {
        const auto text = message("l: " + std::string(length) + "\r\n", "hi");
        std::string_view octets = text;
        EXPECT_EQ(judge_datagram(octets, Limits{}), Datagram::message) << length;
        EXPECT_EQ(octets, text);
    }
    std::string_view response = "SIP/2.0 200 OK\r\nl: 3\r\n\r\nhi";
    EXPECT_EQ(judge_datagram(response, Limits{}), Datagram::malformed);
}

}  // namespace
