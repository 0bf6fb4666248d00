#include "mapping/xml/reader.h"

#include <gtest/gtest.h>

namespace stox::xml {

namespace {

constexpr std::string_view kHeader =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' id='s1' "
    "from='sip.example'>";

Code fault(std::string_view octets, Limits limits = {}) {
    StreamReader reader(limits);
    const auto read = reader.feed(octets);
    if (read) {
        ADD_FAILURE() << "was read: " << octets.substr(0, 200);
        return Code::unavailable;
    }
    return read.error().code;
}

Code fault_in_stanza(std::string_view content, Limits limits = {}) {
    return fault(std::string(kHeader) + "<message>" + std::string(content) + "</message>", limits);
}

}  // namespace

TEST(XmlReader, ReadsHeaderStanzasAndEnd) {
    StreamReader reader;
    const auto read =
        reader.feed(std::string(kHeader) + " \n<message a='1'>x<y xmlns='urn:y'>&lt;</y></message>\r\n<iq/></stream:stream>");
    ASSERT_TRUE(read);
    const auto& events = read.value();
    ASSERT_EQ(events.size(), 4u);
    const auto& header = std::get<StreamOpened>(events[0]).header;
    EXPECT_TRUE(header.is("http://etherx.jabber.org/streams", "stream"));
    ASSERT_NE(header.attribute("id"), nullptr);
    EXPECT_EQ(*header.attribute("id"), "s1");
    Element message("jabber:component:accept", "message");
    message.set("a", "1").add_text("x");
    message.add({"urn:y", "y"}).add_text("<");
    EXPECT_EQ(std::get<StanzaRead>(events[1]).stanza, message);
    EXPECT_TRUE(std::get<StanzaRead>(events[2]).stanza.is("jabber:component:accept", "iq"));
    EXPECT_TRUE(std::holds_alternative<StreamClosed>(events[3]));
}

TEST(XmlReader, OctetByOctetGivesEachEventWithItsLastOctet) {
    const std::string octets =
        std::string(kHeader) +
        "<message from='\xC3\xA4@d' xml:lang='de'><body>\xF0\x9F\x8E\xB6 &amp; <![CDATA[<b>]]>\r\n</body></message>";
    StreamReader whole, pieces;
    const auto at_once = whole.feed(octets + "</stream:stream>");
    ASSERT_TRUE(at_once);
    std::vector<StreamEvent> events;
    for (const char octet : octets) {
        auto read = pieces.feed({&octet, 1});
        ASSERT_TRUE(read);
        for (auto& event : read.value()) events.push_back(std::move(event));
    }
    // Nothing waits for more: a stanza that is complete is there.
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(std::get<StanzaRead>(events[1]).stanza, std::get<StanzaRead>(at_once.value()[1]).stanza);
    EXPECT_EQ(std::get<StanzaRead>(events[1]).stanza.children.size(), 1u);
    const auto* body = std::get<StanzaRead>(events[1]).stanza.child("jabber:component:accept", "body");
    ASSERT_NE(body, nullptr);
    EXPECT_EQ(body->text(), "\xF0\x9F\x8E\xB6 & <b>\n");
    EXPECT_EQ(body->children.size(), 1u);
}

TEST(XmlReader, WhatTheStreamRulesForbidEndsTheStream) {
    for (const std::string_view prolog :
         {"<!DOCTYPE a>", "<!DOCTYPE a [<!ENTITY b 'c'>]>", "<!-- c -->", "<?pi x?>", "<?xml version='1.0' encoding='latin1'?>"})
        EXPECT_EQ(fault(std::string(prolog) + "<stream/>"), Code::malformed) << prolog;
    for (const std::string_view content :
         {"<!-- c -->", "<?pi x?>", "&nbsp;", "<a></b>", "<p:a/>", "\x01", "\xFF", "&#1;", "&#xFFFE;", "]]>", "<a b='1' b='2'/>",
          "\xED\xA0\x80", "\xEF\xBF\xBE", "<?xml version='1.0'?>"})
        EXPECT_EQ(fault_in_stanza(content), Code::malformed) << content;
    EXPECT_EQ(fault(std::string(kHeader) + "text"), Code::malformed);
}

TEST(XmlReader, NothingButUtf8IsRead) {
    const std::string little("\xFF\xFE<\0a\0/\0>\0", 10), big("\xFE\xFF\0<\0a\0/\0>", 10);
    for (const auto& text :
         {little, big, little.substr(2), big.substr(2), std::string("<a>\xE4</a>"), std::string("<a>\0</a>", 8)})
        EXPECT_FALSE(read_document(text));
    EXPECT_TRUE(read_document("\xEF\xBB\xBF<a/>"));
}

TEST(XmlReader, EntitiesOfADtdAreNeverExpanded) {
    const auto read = read_document("<!DOCTYPE a [<!ENTITY b 'bbbb'><!ENTITY c '&b;&b;'>]><a>&c;</a>");
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Code::malformed);
}

TEST(XmlReader, AfterAFaultNothingIsRead) {
    StreamReader reader;
    EXPECT_FALSE(reader.feed("<a></b>"));
    EXPECT_FALSE(reader.feed("<a/>"));
    EXPECT_FALSE(reader.feed(""));
}

TEST(XmlReader, LimitOfAStanzaCountsItsOctetsOnTheWire) {
    Limits limits;
    limits.stanza_octets = 300;
    const std::string fits = "<message>" + std::string(300 - 19, 'x') + "</message>",
                      over = "<message>" + std::string(301 - 19, 'x') + "</message>";
    StreamReader reader(limits);
    ASSERT_TRUE(reader.feed(kHeader));
    for (int i = 0; i < 3; ++i) {
        const auto read = reader.feed("  " + fits + fits);
        ASSERT_TRUE(read);
        EXPECT_EQ(read.value().size(), 2u);
    }
    EXPECT_EQ(fault(std::string(kHeader) + over, limits), Code::too_large);
    // And not only when it is complete.
    EXPECT_EQ(fault(std::string(kHeader) + "<message>" + std::string(300, 'x'), limits), Code::too_large);
    EXPECT_EQ(fault(std::string(kHeader) + "<message a='" + std::string(300, 'x'), limits), Code::too_large);
    EXPECT_EQ(fault(std::string(300, ' ') + "<a/>", limits), Code::too_large);
}

TEST(XmlReader, LimitsOfDepthAttributesAndChildren) {
    Limits limits;
    limits.depth = 3;  // the stanza and two inside
    limits.attributes = 2;
    limits.children = 2;
    StreamReader reader(limits);
    ASSERT_TRUE(reader.feed("<stream>"));
    EXPECT_TRUE(reader.feed("<message><a x='1' y='2'><b/></a>t</message>"));
    EXPECT_EQ(fault_in_stanza("<a><b><c/></b></a>", limits), Code::too_large);
    EXPECT_EQ(fault_in_stanza("<a x='1' y='2' z='3'/>", limits), Code::too_large);
    EXPECT_EQ(fault_in_stanza("<a/><a/><a/>", limits), Code::too_large);
    EXPECT_EQ(fault_in_stanza("<a/>t<a/>", limits), Code::too_large);
}

TEST(XmlReader, ALongNamespaceIsNotMultiplied) {
    const std::string ns(100'000, 'n');
    std::string elements, attributes;
    for (int i = 0; i < 4'000; ++i) elements += "<a/>";
    for (int i = 0; i < 14'000; ++i) attributes += " p:a" + std::to_string(i) + "=''";
    EXPECT_EQ(fault_in_stanza("<x xmlns='" + ns + "'>" + elements + "</x>"), Code::too_large);
    EXPECT_EQ(fault_in_stanza("<x xmlns:p='" + ns + "'" + attributes + "/>"), Code::too_large);
}

TEST(XmlReader, ARepeatedStreamHeaderIsPassedOver) {
    StreamReader reader;
    const std::string header(kHeader.substr(kHeader.find("?>") + 2));
    const auto read = reader.feed(header + header + "<stream:error><conflict/></stream:error></stream:stream></stream:stream>");
    ASSERT_TRUE(read);
    ASSERT_EQ(read.value().size(), 3u);
    EXPECT_EQ(std::get<StanzaRead>(read.value()[1]).stanza.name, "error");
    EXPECT_EQ(fault(header + header + header), Code::malformed);
}

TEST(XmlReader, NothingIsReadAfterTheEndOfTheStream) {
    StreamReader reader;
    const auto read = reader.feed(std::string(kHeader) + "<message/></stream:stream>junk<\xFF" + std::string(1, '\0'));
    ASSERT_TRUE(read);
    ASSERT_EQ(read.value().size(), 3u);
    EXPECT_TRUE(std::holds_alternative<StreamClosed>(read.value()[2]));
    const auto more = reader.feed("</b>");
    ASSERT_TRUE(more);
    EXPECT_TRUE(more.value().empty());
}

TEST(XmlReader, AMovedReaderGoesOn) {
    StreamReader first;
    ASSERT_TRUE(first.feed("<stream><mess"));
    StreamReader second = std::move(first);
    const auto read = second.feed("age/>");
    ASSERT_TRUE(read);
    EXPECT_EQ(read.value().size(), 1u);
}

TEST(XmlReader, ADocumentIsOneWholeElement) {
    const auto read =
        read_document("<?xml version='1.0' encoding='utf-8'?>\n<a xmlns='urn:a' xmlns:b='urn:b' b:c='1' c='2' xml:lang='de'/>\n");
    ASSERT_TRUE(read);
    Element expected("urn:a", "a");
    expected.attributes = {{"urn:b", "c", "1"}, {"", "c", "2"}, {"http://www.w3.org/XML/1998/namespace", "lang", "de"}};
    EXPECT_EQ(read.value(), expected);
    for (const std::string_view text : {"", " ", "<a>", "<a/><b/>", "<a/>x", "<a/><!-- -->", "a"})
        EXPECT_FALSE(read_document(text)) << text;
    EXPECT_EQ(read_document("<a>" + std::string(262'144, 'x') + "</a>").error().code, Code::too_large);
}

}  // namespace stox::xml
