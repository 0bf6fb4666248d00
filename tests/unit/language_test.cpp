// Content-Language and xml:lang.

#include "mapping/page_message.h"

#include <gtest/gtest.h>

namespace stox {

namespace {

const PageMessageOptions kOptions{"id1", "call1", "tag1", true};

std::string lang_of(const std::string& content_language) {
    sip::Request request;
    request.method = "MESSAGE";
    request.headers = {{"Content-Language", content_language}};
    request.content_type = "text/plain";
    request.body = "a, b";
    const auto message = to_xmpp_message(request, {"a", "b.test", {}}, {"c", "d.test", {}}, kOptions);
    EXPECT_TRUE(message);
    if (!message) return "(nothing)";
    EXPECT_EQ(message.value().bodies.size(), 1u) << "one text, whatever languages it names";
    EXPECT_EQ(message.value().bodies.at(0).text, "a, b");
    return message.value().lang;
}

std::string content_language_of(const std::string& lang) {
    xmpp::Message message;
    message.lang = lang;
    message.bodies = {{"text", {}}};
    const auto uri = sip::Uri::parse("sip:a@b.test").value();
    const auto request = to_sip_message(message, uri, uri, kOptions);
    EXPECT_TRUE(request);
    const auto* header = request ? request.value().header("Content-Language") : nullptr;
    return header ? *header : "(none)";
}

}  // namespace

TEST(Language, CORE_60_OfSeveralTheFirst) {
    const std::pair<std::string, std::string> rows[] = {
        {"cs", "cs"},      {" cs ", "cs"},    {"cs, en", "cs"}, {"cs,en,de", "cs"}, {"cs\t, en", "cs"}, {"de-CH-1996, en", "de-CH-1996"},
        {", en", ""},      {"*", ""},         {"", ""},         {"c s", ""},        {"123", ""},        {"toolongtag1", ""},
        {"cs\r\nVia: x", ""}, {"-cs", ""},    {"cs-", ""},      {"cs;q=1", ""},     {"\xC4\x8D", ""},   {std::string(65, 'a'), ""}};
    for (const auto& [header, lang] : rows) EXPECT_EQ(lang_of(header), lang) << header;
}

TEST(Language, CORE_60_BothWaysAndWhatIsNoTagIsDropped) {
    for (const auto* tag : {"cs", "de-AT", "zh-Hant-TW", "x-klingon", "sl-rozaj-biske-1994"}) {
        EXPECT_EQ(content_language_of(tag), tag);
        EXPECT_EQ(lang_of(tag), tag);
    }
    for (const auto* none : {"", "c s", "cs, en", "cs\r\nVia: x", "1cs", "cs\x01", "\xE2\x80\xA8"})
        EXPECT_EQ(content_language_of(none), "(none)") << none;
}

}  // namespace stox
