#include "mapping/page_message.h"

#include "mapping/xml/reader.h"
#include "mapping/xml/writer.h"

#include <gtest/gtest.h>

namespace stox {

namespace {

const sip::Uri kFrom = sip::Uri::parse("sip:juliet@example.com").value();
const sip::Uri kTo = sip::Uri::parse("sip:romeo@example.net").value();
const xmpp::Jid kRomeo{"romeo", "sip.example", {}}, kJuliet{"juliet", "example.com", {}};
const PageMessageOptions kOptions{"stanza1", "call1", "tag1", true};

xmpp::Message chat(std::string body) {
    xmpp::Message message;
    message.from = kJuliet;
    message.to = kRomeo;
    message.type = xmpp::MessageType::chat;
    message.bodies = {{std::move(body), ""}};
    return message;
}

sip::Request to_sip(const xmpp::Message& message) {
    auto request = to_sip_message(message, kFrom, kTo, kOptions);
    EXPECT_TRUE(request);
    return request ? std::move(request).value() : sip::Request{};
}

Code refusal(const xmpp::Message& message) {
    const auto request = to_sip_message(message, kFrom, kTo, kOptions);
    EXPECT_FALSE(request);
    return request ? Code::unavailable : request.error().code;
}

std::string header(const sip::Request& request, std::string_view name) {
    const auto* value = request.header(name);
    return value ? *value : "(none)";
}

sip::Request page(std::string body, std::string content_type = "text/plain") {
    sip::Request request;
    request.method = "MESSAGE";
    request.uri = kFrom;
    request.from = {"Romeo", kTo, "t"};
    request.to = {{}, kFrom, {}};
    request.call_id = "abc@host";
    request.cseq = 7;
    request.content_type = std::move(content_type);
    request.body = std::move(body);
    return request;
}

xmpp::Message to_xmpp(const sip::Request& request, PageMessageOptions options = kOptions) {
    auto message = to_xmpp_message(request, kRomeo, kJuliet, options);
    EXPECT_TRUE(message) << message.error().detail;
    return message ? std::move(message).value() : xmpp::Message{};
}

std::string body_of(const sip::Request& request) {
    const auto message = to_xmpp(request);
    return message.bodies.empty() ? "(none)" : message.bodies[0].text;
}

Code fault(const sip::Request& request) {
    const auto message = to_xmpp_message(request, kRomeo, kJuliet, kOptions);
    EXPECT_FALSE(message);
    return message ? Code::unavailable : message.error().code;
}

}  // namespace

TEST(PageMessage, IM_01_OneMessageRequestWithoutContact) {
    auto message = chat("Art thou not Romeo?");
    message.type = xmpp::MessageType::normal;
    sip::Request expected;
    expected.method = "MESSAGE";
    expected.uri = kTo;
    expected.from = {"", kFrom, "tag1"};
    expected.to = {"", kTo, ""};
    expected.call_id = "call1";
    expected.cseq = 1;
    expected.max_forwards = 70;
    expected.content_type = "text/plain;charset=utf-8";
    expected.body = "Art thou not Romeo?";
    EXPECT_EQ(to_sip(message), expected);
}

TEST(PageMessage, ErrorsAndGroupchatAreNotCarried) {
    for (const auto type : {xmpp::MessageType::error, xmpp::MessageType::groupchat}) {
        auto message = chat("x");
        message.type = type;
        EXPECT_EQ(refusal(message), Code::unsupported);
    }
    auto headline = chat("x");
    headline.type = xmpp::MessageType::headline;
    EXPECT_EQ(to_sip(headline).body, "x");
}

TEST(PageMessage, IM_04_CORE_76_SubjectIsOneLine) {
    const std::pair<std::string, std::string> rows[] = {
        {"Hello", "Hello"},
        {"a\nVia: x", "a Via: x"},
        {"a\r\n\r\nb", "a b"},
        {std::string("a\0b\x01\x7F", 5), "a b"},
        {"\n\t ", "(none)"},
        {"", "(none)"},
        {" \xC3\xA4\xC2\x85\xC3\xB6\xE2\x80\xA8z\xE2\x80\xA9 ", "\xC3\xA4 \xC3\xB6 z"},
    };
    for (const auto& [subject, expected] : rows) {
        auto message = chat("x");
        message.subjects = {{subject, ""}};
        EXPECT_EQ(header(to_sip(message), "Subject"), expected);
    }
}

TEST(PageMessage, IM_04_SubjectAloneSendsNothing) {
    xmpp::Message message = chat("");
    message.subjects = {{"New subject", ""}};
    EXPECT_EQ(refusal(message), Code::unsupported);
    message.bodies.clear();
    EXPECT_EQ(refusal(message), Code::unsupported);
}

TEST(PageMessage, IM_05_EveryMessageHasACallIdOfItsOwn) {
    auto message = chat("x");
    message.thread = "thread1";
    EXPECT_EQ(to_sip(message).call_id, "call1");
    EXPECT_EQ(to_sip(message).cseq, 1u);
}

TEST(PageMessage, IM_08_LanguageAndChoiceOfBody) {
    struct Row {
        std::string lang;
        std::vector<xmpp::LangText> bodies;
        std::string body, content_language;
    };
    const Row rows[] = {
        {"", {{"Hi", ""}}, "Hi", "(none)"},
        {"de", {{"Tag", ""}}, "Tag", "de"},
        {"de", {{"Hi", "en"}, {"Tag", "DE"}, {"?", ""}}, "Tag", "DE"},
        {"de", {{"Hi", "en"}, {"?", ""}}, "?", "de"},
        {"fr", {{"Hi", "en"}, {"Tag", "de"}}, "Hi", "en"},
        {"en", {{"", "en"}, {"Tag", "de"}}, "Tag", "de"},
        {"x\r\nVia: y", {{"Hi", ""}}, "Hi", "(none)"},
        {"de-", {{"Hi", ""}}, "Hi", "(none)"},
        {"sl-rozaj-biske-1994", {{"Hi", ""}}, "Hi", "sl-rozaj-biske-1994"},
    };
    for (const auto& row : rows) {
        auto message = chat("");
        message.lang = row.lang;
        message.bodies = row.bodies;
        const auto request = to_sip(message);
        EXPECT_EQ(request.body, row.body);
        EXPECT_EQ(header(request, "Content-Language"), row.content_language);
    }
}

TEST(PageMessage, IM_09_IM_51_TextIsUtf8WithCrlf) {
    const auto request = to_sip(chat("\xC3\xA4\nb\r\nc\rd\n"));
    EXPECT_EQ(request.content_type, "text/plain;charset=utf-8");
    EXPECT_EQ(request.body, "\xC3\xA4\r\nb\r\nc\r\nd\r\n");
    EXPECT_EQ(refusal(chat("")), Code::unsupported);
}

TEST(PageMessage, IM_22_TypeIsChatOrAbsent) {
    auto options = kOptions;
    EXPECT_EQ(to_xmpp(page("x"), options).type, xmpp::MessageType::chat);
    options.pager_as_chat = false;
    EXPECT_EQ(to_xmpp(page("x"), options).type, xmpp::MessageType::normal);
}

TEST(PageMessage, IM_24_FieldByField) {
    auto request = page("Neither, fair saint\r\nif either\r\n", "Text/Plain; charset=\"UTF-8\"");
    request.headers = {{"subject", " On \xC3\xA4 balcony "}, {"Content-Language", "de-CH"}, {"Date", "x"}};
    xmpp::Message expected;
    expected.from = kRomeo;
    expected.to = kJuliet;
    expected.id = "stanza1";
    expected.type = xmpp::MessageType::chat;
    expected.lang = "de-CH";
    expected.subjects = {{"On \xC3\xA4 balcony", ""}};
    expected.bodies = {{"Neither, fair saint\nif either\n", ""}};
    expected.thread = "abc@host";
    expected.payload = {xml::Element("urn:xmpp:sid:0", "origin-id").set("id", "stanza1")};
    EXPECT_EQ(to_xmpp(request), expected);
    // Of several languages the first.   (CORE-60)
    request.headers = {{"Content-Language", " de , en"}};
    EXPECT_EQ(to_xmpp(request).lang, "de");
    for (const auto* none : {"", "*", "*, de", "d_e", "1", "abcdefghi", "de--x", "-de"}) {
        request.headers = {{"Content-Language", none}};
        EXPECT_EQ(to_xmpp(request).lang, "") << none;
    }
}

TEST(PageMessage, IM_25_CharsetsBecomeUtf8) {
    const std::pair<std::string, std::string> rows[] = {
        {"utf-8", "\xC3\xA4"},       {"UTF-8", "\xC3\xA4"},       {"iso-8859-1", "\xE4"},
        {"windows-1252", "\xE4"},    {"\"ISO-8859-15\"", "\xE4"}, {"utf-16be", std::string("\0\xE4", 2)},
        {"\"utf\\-8\"", "\xC3\xA4"}, {"cp850", "\x84"},
    };
    for (const auto& [charset, octets] : rows)
        EXPECT_EQ(body_of(page(octets, "text/plain;x=\"a;charset=b\" ; Charset = " + charset)), "\xC3\xA4") << charset;
    EXPECT_EQ(body_of(page("\x80", "text/plain;charset=windows-1252")), "\xE2\x82\xAC");
    EXPECT_EQ(body_of(page("plain", "text/plain;charset=us-ascii")), "plain");
    for (const auto* charset : {"klingon", "\"\"", "", "utf-8,version=1", "\"utf-8\\\"", "UTF-8\xC3\xA4"})
        EXPECT_EQ(fault(page("x", "text/plain;charset=" + std::string(charset))), Code::unsupported) << charset;
    for (const auto* type :
         {"image/png", "application/pkcs7-mime", "multipart/encrypted;boundary=b", "text", "text/plainer", ";charset=utf-8"})
        EXPECT_EQ(fault(page("x", type)), Code::unsupported) << type;
}

TEST(PageMessage, IM_25_OctetsThatAreNotOfTheirCharsetAreMalformed) {
    EXPECT_EQ(fault(page("\xE4", "text/plain;charset=utf-8")), Code::malformed);
    EXPECT_EQ(fault(page("\xE4", "text/plain;charset=us-ascii")), Code::malformed);
    EXPECT_EQ(fault(page("x", "text/plain;charset=utf-16be")), Code::malformed);
    EXPECT_EQ(fault(page("\xED\xA0\x80", "text/plain;charset=utf-8")), Code::malformed);
}

TEST(PageMessage, IM_51_WithoutCharsetUtf8OrElseWindows1252) {
    EXPECT_EQ(body_of(page("\xC3\xA4")), "\xC3\xA4");
    EXPECT_EQ(body_of(page("\xE4 \x80")), "\xC3\xA4 \xE2\x82\xAC");
    std::string all;
    for (int octet = 0; octet < 256; ++octet) all += static_cast<char>(octet);
    EXPECT_TRUE(to_xmpp_message(page(all), kRomeo, kJuliet, kOptions));
}

TEST(PageMessage, IM_31_BodiesOver10000OctetsAreTooLarge) {
    EXPECT_EQ(body_of(page(std::string(10'000, 'x'))).size(), 10'000u);
    EXPECT_EQ(fault(page(std::string(10'001, 'x'))), Code::too_large);
    auto request = page("x");
    request.headers = {{"Subject", std::string(262'144, 's')}};
    EXPECT_EQ(fault(request), Code::too_large);
}

TEST(PageMessage, WithoutTextThereIsNothingToDeliver) {
    EXPECT_EQ(fault(page("")), Code::malformed);
    EXPECT_EQ(fault(page("", "")), Code::malformed);
    EXPECT_EQ(fault(page("x", "")), Code::malformed);
}

TEST(PageMessage, CORE_75_WhatXmlForbidsIsReplacedAndSeen) {
    std::string hostile;
    for (char c = 0; c < 0x20; ++c) hostile += c;
    hostile += "</body>&\xEF\xBF\xBE\xEF\xBF\xBF";
    auto request = page(hostile, "text/plain;charset=utf-8");
    request.headers = {{"Subject", "a\x01z"}};
    request.call_id = "c\x02<\xFF";
    const auto message = to_xmpp(request);
    std::string expected;
    for (char c = 0; c < 0x20; ++c) {
        if (c == '\t' || c == '\n')
            expected += c;
        else if (c == '\r')
            expected += '\n';
        else
            expected += "\xEF\xBF\xBD";
    }
    expected += "</body>&\xEF\xBF\xBD\xEF\xBF\xBD";
    EXPECT_EQ(message.bodies[0].text, expected);
    // What was replaced here is what arrives: written and read again the stanza is the same.
    const auto element = xml::read_document(xml::write(xmpp::encode(xmpp::Stanza(message))));
    ASSERT_TRUE(element) << element.error().detail;
    EXPECT_EQ(xmpp::decode(element.value()).value(), xmpp::Stanza(message));
}

}  // namespace stox
