// Bodies of SIP messages with their wrappers taken off, and ours in wrappers.

#include "mapping/im/body.h"

#include "mapping/im/cpim.h"
#include "mapping/page_message.h"
#include "mapping/xmpp/namespaces.h"

#include <gtest/gtest.h>

namespace stox::im {

namespace {

using namespace std::chrono_literals;

const xmpp::Jid kRomeo{"romeo", "sip.example", {}}, kJuliet{"juliet", "example.com", {}};
const sip::Uri kFrom = sip::Uri::parse("sip:juliet@example.com").value();
const sip::Uri kTo = sip::Uri::parse("sip:romeo@example.net").value();
const UtcTime kNow = UtcTime(std::chrono::sys_days(std::chrono::year(2026) / 4 / 4)) + 12h;

sip::Request page(std::string content_type, std::string body) {
    sip::Request request;
    request.method = "MESSAGE";
    request.from = {"Romeo", kTo, "t"};
    request.call_id = "c1";
    request.content_type = std::move(content_type);
    request.body = std::move(body);
    return request;
}

Body read(const sip::Request& request) {
    auto body = read_body(request);
    EXPECT_TRUE(body) << body.error().detail << '\n' << request.body;
    return body ? std::move(body).value() : Body{};
}

std::string text_of(const std::string& content_type, const std::string& octets) {
    const auto body = read_body(page(content_type, octets));
    if (!body)
        return body.error().code == Code::unsupported ? "(unsupported)"
               : body.error().code == Code::malformed ? "(malformed)"
                                                      : "(large)";
    const auto* text = std::get_if<Text>(&body.value().content);
    return text ? text->plain : "(no text)";
}

std::string cpim(const std::string& headers, const std::string& content = "hello", const std::string& type = "text/plain") {
    return "From: <sip:romeo@example.net>\r\nTo: <sip:juliet@example.com>\r\n" + headers + "\r\nContent-Type: " + type +
           "\r\n\r\n" + content;
}

std::string imdn(const std::string& id, const std::string& status = "delivered") {
    return "<imdn xmlns='urn:ietf:params:xml:ns:imdn'><message-id>" + id +
           "</message-id><datetime/><delivery-notification><status><" + status + "/></status></delivery-notification></imdn>";
}

xmpp::Message to_xmpp(const sip::Request& request, bool xhtml = false) {
    PageMessageOptions options{"s1", "", "", true};
    options.received = kNow;
    options.xhtml_im = xhtml;
    auto message = to_xmpp_message(request, kRomeo, kJuliet, options);
    EXPECT_TRUE(message);
    return message ? std::move(message).value() : xmpp::Message{};
}

const xml::Element* payload(const xmpp::Message& message, std::string_view ns) {
    for (const auto& one : message.payload)
        if (one.ns == ns) return &one;
    return nullptr;
}

}  // namespace

TEST(Body, IM_26_CpimIsUnwrapped) {
    auto request =
        page("Message/CPIM", cpim("NS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: m1\r\nDateTime: 2026-04-04T09:00:00Z\r\n"
                                  "imdn.Disposition-Notification: positive-delivery, display\r\nSubject:;lang=en Balcony\r\n"
                                  "imdn.IMDN-Record-Route: <sip:p1.example;lr>\r\nimdn.IMDN-Record-Route: <sip:p2.example>\r\n"
                                  "imdn.Original-To: <sip:capulet@example.com>\r\n",
                                  "\xE4", "text/plain; charset=iso-8859-1\r\nContent-Language: de"));
    const auto body = read(request);
    EXPECT_EQ(std::get<Text>(body.content), (Text{"\xC3\xA4", std::nullopt, "de"}));
    ASSERT_TRUE(body.envelope);
    Envelope expected{"sip:romeo@example.net",
                      "sip:juliet@example.com",
                      "2026-04-04T09:00:00Z",
                      kNow - 3h,
                      {{"Balcony", "en"}},
                      "m1",
                      {true, false, true},
                      "sip:capulet@example.com",
                      {"sip:p1.example;lr", "sip:p2.example"}};
    EXPECT_EQ(*body.envelope, expected);
    const auto message = to_xmpp(request);
    EXPECT_EQ(message.bodies, (std::vector<xmpp::LangText>{{"\xC3\xA4", ""}}));
    EXPECT_EQ(message.lang, "de");
    EXPECT_EQ(message.subjects, (std::vector<xmpp::LangText>{{"Balcony", "en"}}));
}

TEST(Body, IM_26_WhoWroteItIsNotTakenFromInside) {
    const auto message = to_xmpp(page("message/cpim", "From: <sip:admin@example.net>\r\n\r\nContent-Type: text/plain\r\n\r\nx"));
    EXPECT_EQ(message.from, kRomeo);
}

TEST(Body, IM_26_AMinuteOldGetsADelayStamp) {
    const auto stamp = [](const std::string& time) -> std::string {
        const auto message = to_xmpp(page("message/cpim", cpim("DateTime: " + time + "\r\n")));
        const auto* delay = payload(message, "urn:xmpp:delay");
        if (!delay) return "(none)";
        EXPECT_EQ(*delay->attribute("from"), "sip.example");
        return *delay->attribute("stamp");
    };
    EXPECT_EQ(stamp("2026-04-04T11:58:59Z"), "2026-04-04T11:58:59.000Z");
    EXPECT_EQ(stamp("2026-04-04T09:00:00+01:00"), "2026-04-04T08:00:00.000Z");
    EXPECT_EQ(stamp("2026-04-04T11:59:00Z"), "(none)");
    EXPECT_EQ(stamp("2026-04-04T12:30:00Z"), "(none)");
    EXPECT_EQ(stamp("yesterday"), "(none)");
}

TEST(Body, IM_26_BrokenCpimIsMalformed) {
    for (const std::string body :
         {"x", "\r\n\r\nx", "From: <sip:a@b>\r\n\r\n\r\nx", "imdn.Message-ID: x\r\n\r\nContent-Type: text/plain\r\n\r\nx"})
        EXPECT_EQ(text_of("message/cpim", body), "(malformed)") << body;
    EXPECT_EQ(text_of("message/cpim", cpim("", "x", "image/png")), "(unsupported)");
    EXPECT_EQ(text_of("message/cpim", cpim("", "")), "(malformed)");
}

TEST(Body, IM_28_FirstSupportedPartOfAMultipart) {
    const std::string png = "--b\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n", plain = "--b\r\n\r\nplain\r\n",
                      html = "--b\r\nContent-Type: text/html\r\n\r\n<p>html</p>\r\n", end = "--b--\r\n";
    for (const std::string kind : {"mixed", "alternative", "related", "signed"}) {
        const auto type = "multipart/" + kind + ";boundary=\"b\"";
        EXPECT_EQ(text_of(type, png + html + plain + end), "html");
        EXPECT_EQ(text_of(type, png + plain + html + end), "plain");
        EXPECT_EQ(text_of(type, png + end), "(unsupported)");
    }
    EXPECT_EQ(text_of("multipart/mixed", plain + end), "(malformed)");
    EXPECT_EQ(text_of("multipart/encrypted;boundary=b", plain + end), "(unsupported)");
    EXPECT_EQ(
        text_of("multipart/mixed;boundary=b", "--b\r\nContent-Type: text/plain;charset=utf-8\r\n\r\n\xFF\r\n" + plain + end),
        "plain");
    EXPECT_EQ(text_of("multipart/mixed;boundary=b",
                      "--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n" + end),
              "Hello");
    EXPECT_EQ(text_of("message/cpim", cpim("", png + plain + end, "multipart/mixed;boundary=b")), "plain");
}

TEST(Body, IM_28_DepthIsBounded) {
    std::string body = "deep", type = "text/plain";
    for (int depth = 1; depth <= 4; ++depth) {
        const auto boundary = "b" + std::to_string(depth);
        body = "--" + boundary + "\r\nContent-Type: " + type + "\r\n\r\n" + body + "\r\n--" + boundary + "--\r\n";
        type = "multipart/mixed;boundary=" + boundary;
        EXPECT_EQ(text_of(type, body), depth < 4 ? "deep" : "(unsupported)");
    }
}

TEST(Body, IM_28_NotificationsAndIsComposing) {
    const auto one = read(page("message/cpim", cpim("", imdn("m1"), "message/imdn+xml")));
    ASSERT_EQ(std::get<std::vector<Imdn>>(one.content).size(), 1u);
    EXPECT_EQ(std::get<std::vector<Imdn>>(one.content)[0].message_id, "m1");
    const auto part = [](const std::string& id) { return "--b\r\nContent-Type: message/imdn+xml\r\n\r\n" + imdn(id) + "\r\n"; };
    const auto several = read(page("multipart/mixed;boundary=b", part("m1") + part("m2") + "--b\r\n\r\ntext\r\n--b--"));
    ASSERT_EQ(std::get<std::vector<Imdn>>(several.content).size(), 2u);
    EXPECT_EQ(std::get<std::vector<Imdn>>(several.content)[1].message_id, "m2");
    const auto composing =
        read(page("application/im-iscomposing+xml",
                  "<isComposing xmlns='urn:ietf:params:xml:ns:im-iscomposing'><state>active</state></isComposing>"));
    EXPECT_TRUE(std::get<IsComposing>(composing.content).active);
    // Neither is a message.
    EXPECT_FALSE(to_xmpp_message(page("message/imdn+xml", imdn("m1")), kRomeo, kJuliet, {"s", "", "", true}));
}

TEST(Body, IM_25_HtmlIsTextAndXhtmlOnlyWhenWanted) {
    const auto request = page("text/html;charset=utf-8", "<p>a <b>b</b><script>c</script></p>");
    EXPECT_EQ(to_xmpp(request).bodies[0].text, "a b");
    EXPECT_FALSE(payload(to_xmpp(request), "http://jabber.org/protocol/xhtml-im"));
    EXPECT_EQ(to_xmpp(request, true).bodies[0].text, "a b");
    EXPECT_TRUE(payload(to_xmpp(request, true), "http://jabber.org/protocol/xhtml-im"));
    EXPECT_FALSE(payload(to_xmpp(page("text/plain", "a"), true), "http://jabber.org/protocol/xhtml-im"));
    EXPECT_EQ(text_of("text/html", "<script>x</script>"), "(malformed)");
}

TEST(Body, IM_27_EncryptedContentIsNotReadable) {
    EXPECT_EQ(text_of("application/pkcs7-mime", "x"), "(unsupported)");
    EXPECT_EQ(text_of("multipart/encrypted;boundary=b", "--b\r\n\r\nx\r\n--b--"), "(unsupported)");
    EXPECT_EQ(text_of("text/plain", "?OTR:AAMD="), "?OTR:AAMD=");
}

TEST(Body, IM_31_OneCodingWithinTheLimit) {
    const std::string hello("\x78\x9c\xcb\x48\xcd\xc9\xc9\x57\xc8\x00\x91\x00\x19\x91\x04\x49", 16);
    auto request = page("text/plain", hello);
    request.headers = {{"Content-Encoding", "Deflate"}};
    EXPECT_EQ(std::get<Text>(read(request).content).plain, "hello hello");
    for (const auto* encoding : {"gzip", "br", "deflate, gzip"}) {
        request.headers = {{"Content-Encoding", encoding}};
        EXPECT_EQ(read_body(request).error().code, Code::unsupported);
    }
    request.headers = {{"Content-Encoding", "identity"}};
    request.body = "x";
    EXPECT_EQ(std::get<Text>(read(request).content).plain, "x");
    EXPECT_EQ(text_of("text/plain", std::string(10'001, 'x')), "(large)");
    // 10,001 and 10,000 letters: what comes of a body counts as well.
    const std::string many(
        "\x78\xda\xed\xc1\x01\x0d\x00\x00\x00\xc2\xa0\xda\x8f\x6f\x0f\x07\x14\x00\x00\x00\x00\x00\x00\x00\x00\x00\x1c\x18"
        "\x52\x08\x51\x07",
        32);
    const std::string fewer(
        "\x78\xda\xed\xc1\x01\x0d\x00\x00\x00\xc2\xa0\xda\x8f\x6f\x0e\x37\xa0\x00\x00\x00\x00\x00\x00\x00\x00\x00\xe0\xdf"
        "\x00\x01\x01\x50\x8f",
        33);
    auto compressed = page("text/plain", many);
    compressed.headers = {{"Content-Encoding", "deflate"}};
    EXPECT_EQ(read_body(compressed).error().code, Code::too_large);
    compressed.body = fewer;
    EXPECT_EQ(std::get<Text>(read(compressed).content).plain, std::string(10'000, 'x'));
}

/// A zlib stream of `octets`, which stand in it as they are (RFC 1951 §3.2.4).
std::string stored(const std::string& octets) {
    const auto size = octets.size();
    std::string out{'\x78', '\x01', '\x01'};
    for (const auto two : {size, ~size}) (out += static_cast<char>(two & 0xff)) += static_cast<char>(two >> 8 & 0xff);
    out += octets;
    std::uint32_t a = 1, b = 0;
    for (const unsigned char octet : octets) {
        a = (a + octet) % 65'521;
        b = (b + a) % 65'521;
    }
    for (const auto half : {b, a}) (out += static_cast<char>(half >> 8)) += static_cast<char>(half & 0xff);
    return out;
}

/// So many parts, each with those headers and that content.
std::string many_parts(std::size_t number, const std::string& boundary, const std::string& head, const std::string& content) {
    std::string all;
    for (std::size_t i = 0; i < number; ++i) all += "--" + boundary + "\r\n" + head + "\r\n\r\n" + content + "\r\n";
    return all + "--" + boundary + "--\r\n";
}

// However the parts multiply in one another, a body costs what a body may cost.
TEST(Body, IM_28_PartsInAllAreBounded) {
    const auto inner = many_parts(16, "i", "Content-Type: image/png", "x");
    const std::string plain = "--o\r\n\r\nplain\r\n--o--";
    const auto three = many_parts(3, "o", "Content-Type: multipart/mixed;boundary=i", inner);
    EXPECT_EQ(text_of("multipart/mixed;boundary=o", three.substr(0, three.size() - 7) + plain), "plain");
    EXPECT_EQ(text_of("multipart/mixed;boundary=o", many_parts(10, "o", "Content-Type: multipart/mixed;boundary=i", inner)), "(large)");
}

TEST(Body, IM_31_WhatIsCompressedInPartsIsBoundedInAll) {
    const std::string head = "Content-Type: text/html\r\nContent-Encoding: deflate";
    const auto empty = stored("<p>" + std::string(2'990, ' '));
    const std::string text = "--b\r\n\r\nplain\r\n--b--";
    const auto three = many_parts(3, "b", head, empty);
    EXPECT_EQ(text_of("multipart/mixed;boundary=b", three.substr(0, three.size() - 7) + text), "plain");
    // Another request's worth of it, in a body that is compressed itself.
    auto request = page("multipart/mixed;boundary=b", stored(three.substr(0, three.size() - 7) + text));
    request.headers = {{"Content-Encoding", "deflate"}};
    EXPECT_EQ(read_body(request).error().code, Code::too_large);
}

TEST(Body, IM_33_ExpiresCountsFromDateOrReception) {
    auto request = page("text/plain", "x");
    EXPECT_FALSE(expiry(request, kNow));
    request.headers = {{"Expires", "60"}};
    EXPECT_EQ(expiry(request, kNow), kNow + 60s);
    request.headers = {{"Expires", "60"}, {"Date", "Sat, 04 Apr 2026 11:00:00 GMT"}};
    EXPECT_EQ(expiry(request, kNow), kNow - 1h + 60s);
    request.headers = {{"Expires", "0"}, {"Date", "whenever"}};
    EXPECT_EQ(expiry(request, kNow), kNow);
    request.headers = {{"Expires", "soon"}};
    EXPECT_FALSE(expiry(request, kNow));
}

TEST(Body, IM_40_ReceiptRequestIsACpimThatAsks) {
    xmpp::Message message;
    message.bodies = {{"O Romeo\nRomeo", ""}};
    message.lang = "en";
    PageMessageOptions options{"", "call1", "tag1", true};
    options.wrapping = Wrapping{"id1", kNow, {true, true, true}};
    const auto request = to_sip_message(message, kFrom, kTo, options).value();
    EXPECT_EQ(request.content_type, "message/cpim");
    EXPECT_EQ(request.body,
              "From: <sip:juliet@example.com>\r\n"
              "To: <sip:romeo@example.net>\r\n"
              "DateTime: 2026-04-04T12:00:00Z\r\n"
              "NS: imdn <urn:ietf:params:imdn>\r\n"
              "imdn.Message-ID: id1\r\n"
              "imdn.Disposition-Notification: positive-delivery, negative-delivery, display\r\n"
              "\r\n"
              "Content-Type: text/plain;charset=utf-8\r\n"
              "\r\n"
              "O Romeo\r\nRomeo");
    EXPECT_EQ(std::get<Text>(read(request).content).plain, "O Romeo\nRomeo");
}

TEST(Body, IM_15_TheSameWithoutItsWrapper) {
    xmpp::Message message;
    message.bodies = {{"hello", ""}};
    PageMessageOptions options{"", "call1", "tag1", true};
    const auto plain = to_sip_message(message, kFrom, kTo, options).value();
    EXPECT_FALSE(as_plain_text(plain));
    options.wrapping = Wrapping{"id1", kNow, {true, false, false}};
    const auto wrapped = to_sip_message(message, kFrom, kTo, options).value();
    EXPECT_EQ(as_plain_text(wrapped), plain);
}

TEST(Body, IM_44_IM_54_NotificationIsAMessageOfItsOwn) {
    PageMessageOptions options{"", "call9", "tag9", true};
    options.wrapping = Wrapping{"id9", kNow, {true, true, true}};
    const Imdn about{"m1", "2026-04-04T11:00:00Z", "sip:juliet@example.com",    "sip:capulet@example.com",
                     "",   Disposition::delivery,  DispositionStatus::delivered};
    const Recipient recipient{kTo, {"sip:p1.example;lr", "sip:p2.example"}, sip::Uri::parse("sip:p1.example;lr").value()};
    const auto request = to_imdn_message(about, kFrom, recipient, options);
    EXPECT_EQ(request.uri.to_string(), "sip:p1.example;lr");
    EXPECT_EQ(request.to.uri, request.uri);
    EXPECT_EQ(request.content_type, "message/cpim");
    EXPECT_EQ(request.call_id, "call9");
    EXPECT_EQ(request.body,
              "From: <sip:juliet@example.com>\r\n"
              "To: <sip:romeo@example.net>\r\n"
              "DateTime: 2026-04-04T12:00:00Z\r\n"
              "NS: imdn <urn:ietf:params:imdn>\r\n"
              "imdn.Message-ID: id9\r\n"
              "imdn.IMDN-Route: <sip:p1.example;lr>\r\n"
              "imdn.IMDN-Route: <sip:p2.example>\r\n"
              "\r\n"
              "Content-Type: message/imdn+xml\r\n"
              "Content-Disposition: notification\r\n"
              "\r\n"
              "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n"
              "<imdn xmlns='urn:ietf:params:xml:ns:imdn'><message-id>m1</message-id><datetime>2026-04-04T11:00:00Z</datetime>"
              "<recipient-uri>sip:juliet@example.com</recipient-uri>"
              "<original-recipient-uri>sip:capulet@example.com</original-recipient-uri>"
              "<delivery-notification><status><delivered/></status></delivery-notification></imdn>");
    EXPECT_EQ(std::get<std::vector<Imdn>>(read(request).content), std::vector<Imdn>{about});
}

}  // namespace stox::im
