#include "mapping/xml/reader.h"

#include <gtest/gtest.h>

#include <malloc.h>

#include <random>

// GCC has no header for it.
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();

namespace stox::xml {

namespace {

constexpr std::string_view kHeader =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' id='s1' "
    "from='sip.example'>";

std::size_t allocated() {
#ifdef __SANITIZE_ADDRESS__
    return __sanitizer_get_current_allocated_bytes();
#else
    const auto info = mallinfo2();
    return info.uordblks + info.hblkhd;
#endif
}

const Element* element_of(const StreamEvent& event) {
    if (const auto* opened = std::get_if<StreamOpened>(&event)) return &opened->header;
    if (const auto* read = std::get_if<StanzaRead>(&event)) return &read->stanza;
    if (const auto* refused = std::get_if<StanzaRefused>(&event)) return &refused->head;
    return nullptr;
}

const Error* error_of(const StreamEvent& event) {
    if (const auto* refused = std::get_if<StanzaRefused>(&event)) return &refused->why;
    if (const auto* fault = std::get_if<StreamFault>(&event)) return &fault->why;
    return nullptr;
}

void expect_equal(const std::vector<StreamEvent>& some, const std::vector<StreamEvent>& others, const std::string& how) {
    ASSERT_EQ(some.size(), others.size()) << how;
    for (std::size_t i = 0; i < some.size(); ++i) {
        ASSERT_EQ(some[i].index(), others[i].index()) << how;
        const auto *one = element_of(some[i]), *other = element_of(others[i]);
        ASSERT_EQ(one ? *one : Element(), other ? *other : Element()) << how;
        const auto *why = error_of(some[i]), *because = error_of(others[i]);
        ASSERT_EQ(why ? why->detail : std::string(), because ? because->detail : std::string()) << how;
    }
}

/// The events of these octets, which are the same in whatever pieces they come.
std::vector<StreamEvent> in_any_pieces(std::string_view octets, Limits limits = {}) {
    const auto whole = StreamReader(limits).feed(octets);
    const auto in_pieces = [&](auto size_of_next) {
        StreamReader reader(limits);
        std::vector<StreamEvent> events;
        for (auto rest = octets; !rest.empty();) {
            const auto piece = rest.substr(0, size_of_next());
            rest.remove_prefix(piece.size());
            for (auto& event : reader.feed(piece)) events.push_back(std::move(event));
        }
        return events;
    };
    expect_equal(in_pieces([] { return 1u; }), whole, "octet by octet: " + std::string(octets.substr(0, 400)));
    std::minstd_rand random(static_cast<unsigned>(octets.size()) + 1);
    for (const unsigned most : {3u, 40u, 70'000u})
        expect_equal(in_pieces([&] { return 1 + static_cast<unsigned>(random()) % most; }), whole,
                     "pieces of up to " + std::to_string(most) + ": " + std::string(octets.substr(0, 400)));
    return whole;
}

/// What a stream of these octets ends with.
Code fault(std::string_view octets, Limits limits = {}) {
    const auto events = in_any_pieces(octets, limits);
    const auto* fault = events.empty() ? nullptr : std::get_if<StreamFault>(&events.back());
    if (fault) return fault->why.code;
    ADD_FAILURE() << "was read: " << octets.substr(0, 200);
    return Code::unavailable;
}

std::string in_stanza(std::string_view content) {
    return "<message from='a@b' to='c@d' id='1' type='chat' xml:lang='en'>" + std::string(content) + "</message>";
}

Code fault_in_stanza(std::string_view content, Limits limits = {}) {
    return fault(std::string(kHeader) + in_stanza(content), limits);
}

/// The head of that stanza.
Element head() {
    Element element("jabber:component:accept", "message");
    return element.set("from", "a@b").set("to", "c@d").set("id", "1").set("type", "chat");
}

/// A stanza between two others is passed over, they are read, and the same happens when all comes octet by octet.
Code refusal(std::string_view stanza, Limits limits = {}, const Element& expected_head = head()) {
    const auto octets = std::string(kHeader) + "<iq/>" + std::string(stanza) + "<presence/>";
    const auto events = in_any_pieces(octets, limits);
    EXPECT_EQ(events.size(), 4u) << octets.substr(0, 300);
    if (events.size() != 4) return Code::unavailable;
    EXPECT_TRUE(std::get<StanzaRead>(events[1]).stanza.is("jabber:component:accept", "iq"));
    EXPECT_TRUE(std::get<StanzaRead>(events[3]).stanza.is("jabber:component:accept", "presence"));
    const auto& refused = std::get<StanzaRefused>(events[2]);
    EXPECT_EQ(refused.head, expected_head);
    return refused.why.code;
}

Code refusal_in_stanza(std::string_view content, Limits limits = {}) { return refusal(in_stanza(content), limits); }

}  // namespace

TEST(XmlReader, ReadsHeaderStanzasAndEnd) {
    StreamReader reader;
    const auto events =
        reader.feed(std::string(kHeader) + " \n<message a='1'>x<y xmlns='urn:y'>&lt;</y></message>\r\n<iq/></stream:stream>");
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
    ASSERT_EQ(at_once.size(), 3u);
    std::vector<StreamEvent> events;
    for (const char octet : octets)
        for (auto& event : pieces.feed({&octet, 1})) events.push_back(std::move(event));
    // Nothing waits for more: a stanza that is complete is there.
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(std::get<StanzaRead>(events[1]).stanza, std::get<StanzaRead>(at_once[1]).stanza);
    EXPECT_EQ(std::get<StanzaRead>(events[1]).stanza.children.size(), 1u);
    const auto* body = std::get<StanzaRead>(events[1]).stanza.child("jabber:component:accept", "body");
    ASSERT_NE(body, nullptr);
    EXPECT_EQ(body->text(), "\xF0\x9F\x8E\xB6 & <b>\n");
    EXPECT_EQ(body->children.size(), 1u);
}

TEST(XmlReader, WhatTheStreamRulesForbidEndsTheStream) {
    for (const std::string_view prolog : {"<!DOCTYPE a>", "<!DOCTYPE a [<!ENTITY b 'c'>]>", "<!-- c -->", "<?pi x?>"})
        EXPECT_EQ(fault(std::string(prolog) + "<stream/>"), Code::forbidden) << prolog;
    EXPECT_EQ(fault("<?xml version='1.0' encoding='latin1'?><stream/>"), Code::malformed);
    for (const std::string_view content : {"<!-- c -->", "<?pi x?>", "<?xml version='1.0'?>", "&nbsp;", "<!DOCTYPE a>"})
        EXPECT_EQ(fault_in_stanza(content), Code::forbidden) << content;
}

TEST(XmlReader, WhatIsNotWellFormedEndsTheStream) {
    for (
        const std::string_view content :
        {"<a></b>",  "\x01",          "\xFF",    "&#1;",  "&#xFFFE;",   "]]>", "<a b='1' b='2'/>", "\xED\xA0\x80", "\xEF\xBF\xBE",
         "<a b=c/>", "<a b='<'/>",    "<a <b/>", "< a/>", "</a >",      "&lt", "<a b='1'c='2'/>",  "<a/ >",        "<a 'x'/>",
         "<a'x'/>",  "<a></a b='1'>", "<a>",     "<-/>",  "<\xC3\x97/>"})
        EXPECT_EQ(fault_in_stanza(content), Code::malformed) << content;
    for (const std::string_view between :
         {"text", "&#32;", "<![CDATA[ ]]>", "\xEF\xBB\xBF", "</b>", "</stream:stream a='1'>", "</ stream:stream>"})
        EXPECT_EQ(fault(std::string(kHeader) + std::string(between)), Code::malformed) << between;
    EXPECT_EQ(fault(std::string(kHeader) + std::string(1, '\0')), Code::malformed);
    EXPECT_EQ(fault("text<stream>"), Code::malformed);
    EXPECT_EQ(fault("</stream>"), Code::malformed);
}

TEST(XmlReader, WhatCameBeforeAFaultIsRead) {
    for (const std::string_view rest : {"<a></b>", "<!-- c -->", "<?pi?>", "text", "</b>", "<a>&nbsp;</a>", "<a>\x01</a>"}) {
        const auto events = StreamReader().feed(std::string(kHeader) + "<message/><iq/>" + std::string(rest));
        ASSERT_EQ(events.size(), 4u) << rest;
        EXPECT_TRUE(std::get<StanzaRead>(events[1]).stanza.is("jabber:component:accept", "message"));
        EXPECT_TRUE(std::get<StanzaRead>(events[2]).stanza.is("jabber:component:accept", "iq"));
        EXPECT_TRUE(std::holds_alternative<StreamFault>(events[3]));
    }
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
    EXPECT_EQ(read.error().code, Code::forbidden);
}

TEST(XmlReader, AfterAFaultNothingIsRead) {
    StreamReader reader;
    EXPECT_EQ(reader.feed("<a><b></c></a>").size(), 2u);
    EXPECT_TRUE(reader.feed("<a/></a>").empty());
    EXPECT_TRUE(reader.feed("").empty());
}

TEST(XmlReader, LimitOfAStanzaCountsItsOctetsOnTheWire) {
    Limits limits;
    limits.stanza_octets = 300;
    const auto rest = in_stanza({}).size();
    const auto fits = in_stanza(std::string(300 - rest, 'x')), over = in_stanza(std::string(301 - rest, 'x'));
    StreamReader reader(limits);
    ASSERT_EQ(reader.feed(kHeader).size(), 1u);
    for (int i = 0; i < 3; ++i) {
        const auto events = reader.feed("  " + fits + fits);
        ASSERT_EQ(events.size(), 2u);
        EXPECT_TRUE(std::holds_alternative<StanzaRead>(events[1]));
    }
    EXPECT_EQ(refusal(over, limits), Code::too_large);
    EXPECT_EQ(refusal_in_stanza(std::string(5'000, 'x'), limits), Code::too_large);
    EXPECT_EQ(refusal_in_stanza("<a b='" + std::string(300, '>') + "'><![CDATA[</message>]]></a>", limits), Code::too_large);
    // A header has no other to stand behind it.
    EXPECT_EQ(fault(std::string(301, ' '), limits), Code::too_large);
    EXPECT_EQ(fault("<stream a='" + std::string(300, 'x'), limits), Code::too_large);
}

TEST(XmlReader, LimitsOfDepthAttributesAndChildren) {
    Limits limits;
    limits.depth = 3;  // the stanza and two inside
    limits.attributes = 5;
    limits.children = 2;
    const auto events = StreamReader(limits).feed(std::string(kHeader) + in_stanza("<a x='1' y='2'><b/></a>t"));
    ASSERT_EQ(events.size(), 2u);
    EXPECT_TRUE(std::holds_alternative<StanzaRead>(events[1]));
    EXPECT_EQ(refusal_in_stanza("<a><b><c/></b></a>", limits), Code::too_large);
    EXPECT_EQ(refusal_in_stanza("<a u='1' v='2' w='3' x='4' y='5' z='6'/>", limits), Code::too_large);
    EXPECT_EQ(refusal_in_stanza("<a/><a/><a/>", limits), Code::too_large);
    EXPECT_EQ(refusal_in_stanza("<a/>t<a/>", limits), Code::too_large);
    std::string deep;
    for (int i = 0; i < 40'000; ++i) deep = "<a>" + std::move(deep);
    for (int i = 0; i < 40'000; ++i) deep += "</a>";
    EXPECT_EQ(refusal_in_stanza(deep), Code::too_large);
}

TEST(XmlReader, ALongNamespaceIsNotMultiplied) {
    const std::string ns(100'000, 'n');
    std::string elements, attributes;
    for (int i = 0; i < 4'000; ++i) elements += "<a/>";
    for (int i = 0; i < 14'000; ++i) attributes += " p:a" + std::to_string(i) + "=''";
    EXPECT_EQ(refusal_in_stanza("<x xmlns='" + ns + "'>" + elements + "</x>"), Code::too_large);
    EXPECT_EQ(refusal_in_stanza("<x xmlns:p='" + ns + "'" + attributes + "/>"), Code::too_large);
}

TEST(XmlReader, APrefixThatNobodyDeclaredIsOneStanzasFault) {
    for (const std::string_view content : {"<p:a/>", "<a p:b='1'/>", "<a xmlns:p=''/>", "<a xmlns:xmlns='urn:a'/>", "<xmlns:a/>"})
        EXPECT_EQ(refusal_in_stanza(content), Code::unsupported) << content;
}

TEST(XmlReader, OfARefusedStanzaOnlyTheHeadIsKept) {
    Limits limits;
    limits.stanza_octets = 400;
    const std::string longer(500, 'x');
    Element with_quotes("jabber:component:accept", "iq");
    with_quotes.set("to", "c").set("id", "a'b>").set("from", "\xC3\xA4@b/>");
    EXPECT_EQ(refusal("<iq  to = 'c' a='from=\"1\"' froms='2' id=\"a'b>\"\nfrom='\xC3\xA4@b/&gt;'><q>" + longer + "</q></iq >",
                      limits, with_quotes),
              Code::too_large);
    // Its attributes wherever they stand, and none that is longer than any address.
    EXPECT_EQ(refusal("<message x='" + longer + "' from='a@b' to='c@d' y='" + longer + "' id='1' type='chat'/>", limits),
              Code::too_large);
    Element without_id("jabber:component:accept", "iq");
    without_id.set("from", "a@b");
    EXPECT_EQ(refusal("<iq id='" + std::string(30'000, 'i') + "' from='a@b'/>", limits, without_id), Code::too_large);
    // Another namespace is not taken for ours.
    EXPECT_EQ(refusal("<message xmlns='urn:a'>" + longer + "</message>", limits, Element("urn:a", "message")), Code::too_large);
    // What cannot be told is empty.
    EXPECT_EQ(refusal("<p:message>" + longer + "</p:message>", limits, Element()), Code::too_large);
    EXPECT_EQ(refusal("<" + std::string(30'000, 'm') + "/>", limits, Element()), Code::too_large);
}

TEST(XmlReader, TheStreamIsReadOnAfterManyRefusals) {
    StreamReader reader;
    ASSERT_EQ(reader.feed(kHeader).size(), 1u);
    std::string attributes;
    for (int i = 0; i < 14'000; ++i) attributes += " p:a" + std::to_string(i) + "=''";
    const std::string costly = in_stanza("<x xmlns:p='" + std::string(30'000, 'n') + "'" + attributes + "/>");
    for (int i = 0; i < 10; ++i) {
        const auto events = reader.feed(costly + "<message/>");
        ASSERT_EQ(events.size(), 2u);
        EXPECT_EQ(std::get<StanzaRefused>(events[0]).head, head());
        EXPECT_TRUE(std::holds_alternative<StanzaRead>(events[1]));
    }
}

TEST(XmlReader, MemoryStaysBoundedWhateverComes) {
    // Names that never come again, and a stanza of 40 MiB: what is held at the end is less than one of the limits allows.
    StreamReader reader;
    ASSERT_EQ(reader.feed(kHeader).size(), 1u);
    const auto before = allocated();
    for (int i = 0; i < 100; ++i) {
        std::string names;
        for (int j = 0; j < 4'000; ++j) names += "<a" + std::to_string(i * 4'000 + j) + "/>";
        ASSERT_EQ(reader.feed("<message>" + names + "</message>").size(), 1u);
    }
    reader.feed("<message from='a@b'><body a='");
    const std::string piece(1u << 20, 'x');
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(reader.feed(piece).empty());
    ASSERT_TRUE(reader.feed("'>").empty());
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(reader.feed(piece).empty());
    EXPECT_LT(allocated(), before + (8u << 20));
    EXPECT_EQ(reader.feed("</body></message>").size(), 1u);
}

TEST(XmlReader, ASecondHeaderBeginsTheStreamAnew) {
    const std::string header(kHeader.substr(kHeader.find("?>") + 2)), error = "<stream:error><conflict/></stream:error>";
    for (const std::string& second :
         {header, std::string(kHeader), " " + std::string(kHeader),
          std::string("<s:stream xmlns='jabber:component:accept' xmlns:s='http://etherx.jabber.org/streams'>")}) {
        const auto prefix = second.find("<s:") == second.npos ? std::string("stream") : std::string("s");
        const auto events =
            in_any_pieces(std::string(kHeader) + second + "<iq/><" + prefix + ":error/></" + prefix + ":stream>x");
        ASSERT_EQ(events.size(), 5u) << second;
        EXPECT_TRUE(std::get<StreamOpened>(events[1]).header.is("http://etherx.jabber.org/streams", "stream"));
        EXPECT_EQ(std::get<StreamOpened>(events[1]).content_ns, "jabber:component:accept");
        EXPECT_TRUE(std::get<StanzaRead>(events[2]).stanza.is("jabber:component:accept", "iq"));
        EXPECT_TRUE(std::get<StanzaRead>(events[3]).stanza.is("http://etherx.jabber.org/streams", "error"));
        EXPECT_TRUE(std::holds_alternative<StreamClosed>(events[4]));
    }
    // What it does not declare itself is not declared: nothing is left of the first.
    const auto other = in_any_pieces(std::string(kHeader) + "<stream><stream:error/><message/>");
    ASSERT_EQ(other.size(), 4u);
    EXPECT_EQ(std::get<StreamOpened>(other[1]).content_ns, "");
    EXPECT_EQ(std::get<StanzaRefused>(other[2]).why.code, Code::unsupported);
    EXPECT_TRUE(std::get<StanzaRead>(other[3]).stanza.is("", "message"));
    const auto empty = in_any_pieces(std::string(kHeader) + header.substr(0, header.size() - 1) + "/><message/>");
    ASSERT_EQ(empty.size(), 3u);
    EXPECT_TRUE(std::holds_alternative<StreamOpened>(empty[1]));
    EXPECT_TRUE(std::holds_alternative<StreamClosed>(empty[2]));
    EXPECT_EQ(fault(header + header + header), Code::malformed);
}

TEST(XmlReader, ABrokenHeaderEndsTheStreamAtOnce) {
    const std::string with = "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' ";
    const std::pair<std::string, Error> rows[] = {
        // expat's words, or the framer's
        {with + "a='1' a='2'>", {Code::malformed, "the stream header: duplicate attribute"}},
        {with + "a=1>", {Code::malformed, "the stream header: not well-formed (invalid token)"}},
        {with + "a='\x01'>", {Code::malformed, "the stream header: not well-formed (invalid token)"}},
        {with + "a='\xFF'>", {Code::malformed, "the stream header: not well-formed (invalid token)"}},
        {with + "a='&b;'>", {Code::forbidden, "the stream header: undefined entity"}},
        {with + "p:a='1'>", {Code::unsupported, "the stream header: unbound prefix"}},
        {with + "xmlns:p=''>", {Code::unsupported, "the stream header: must not undeclare prefix"}},
        {"<stream:stream>", {Code::unsupported, "the stream header: unbound prefix"}},
        {"<s:stream/>", {Code::unsupported, "the stream header: unbound prefix"}},
        {"<?xml version='1.0' encoding='latin1'?>" + with + ">", {Code::malformed, "the stream header: not in UTF-8"}},
        {"<?xml version='1.0'?><?xml version='1.0'?>" + with + ">",
         {Code::malformed, "the stream header: XML or text declaration not at start of entity"}},
        {with + "<a>", {Code::malformed, "a tag inside a tag"}},
        {with + "a='<a>'>", {Code::malformed, "a tag inside an attribute"}},
        {with + "/ >", {Code::malformed, "a slash inside a tag"}},
        {with.substr(0, 9) + "'" + with, {Code::malformed, "a quote without an attribute"}},
        {with + std::string(1, '\0'), {Code::malformed, "not in UTF-8"}},
        {with + "a='" + std::string(2'000, 'x'), {Code::too_large, "a stream header over the limit"}},
        {with + std::string(2'000, ' '), {Code::too_large, "a stream header over the limit"}},
        {"<!DOCTYPE a>", {Code::forbidden, "a DTD"}},
        {"<?xml version='1.0'?><!DOCTYPE stream:stream [<!ENTITY a 'b'>]>" + with + ">", {Code::forbidden, "a DTD"}},
        {"<?xml version='1.0'?><!-- c -->", {Code::forbidden, "a comment"}},
        {"<?pi?>", {Code::forbidden, "a processing instruction"}},
        {"<?xml-stylesheet a='b'?>", {Code::forbidden, "a processing instruction"}},
    };
    Limits limits;
    limits.stanza_octets = 1'000;
    const auto big = in_stanza(std::string(2'000, 'x')), unbound = in_stanza("<p:a/>");
    // First of all, after a header, and where a stanza was passed over, or refused, before.
    const std::pair<std::string, std::size_t> befores[] = {
        {"", 0}, {std::string(kHeader), 1}, {std::string(kHeader) + big, 2}, {std::string(kHeader) + unbound + " " + unbound, 3}};
    for (const auto& [header, why] : rows)
        for (const auto& [before, events_before] : befores) {
            const auto events = in_any_pieces(before + header + "<message/><message/>", limits);
            const auto octets = before.substr(0, 400) + "|" + header.substr(0, 200);
            ASSERT_EQ(events.size(), events_before + 1) << octets;
            const auto* fault = std::get_if<StreamFault>(&events.back());
            ASSERT_NE(fault, nullptr) << octets;
            EXPECT_EQ(fault->why, why) << octets << fault->why.detail;
        }
    // What may only stand before the first header, or only before one.
    const std::pair<std::string, Error> others[] = {
        {"text", {Code::malformed, "text before the stream header"}},
        {" \xEF\xBB\xBF<a>", {Code::malformed, "text before the stream header"}},
        {"\xEF\xBB<a>", {Code::malformed, "text before the stream header"}},
        {"</stream:stream>", {Code::malformed, "an end tag before the stream header"}},
        {"<?xml version='1.0'?></stream:stream>", {Code::malformed, "an end tag before the stream header"}},
        {std::string(kHeader) + "text", {Code::malformed, "text between stanzas"}},
        {std::string(kHeader) + "<?xml version='1.0'?>text" + std::string(kHeader), {Code::malformed, "text between stanzas"}},
        {std::string(kHeader) + "<?xml version='1.0'?><message/>", {Code::forbidden, "a processing instruction"}},
        {std::string(kHeader) + "<?xml version='1.0'?></stream:stream>", {Code::forbidden, "a processing instruction"}},
        {std::string(kHeader) + std::string(kHeader) + "</other:stream>", {Code::malformed, "the end tag of something else"}},
    };
    for (const auto& [octets, why] : others) {
        const auto events = in_any_pieces(octets);
        ASSERT_FALSE(events.empty()) << octets;
        const auto* fault = std::get_if<StreamFault>(&events.back());
        ASSERT_NE(fault, nullptr) << octets;
        EXPECT_EQ(fault->why, why) << octets << ": " << fault->why.detail;
    }
}

TEST(XmlReader, NothingIsReadAfterTheEndOfTheStream) {
    StreamReader reader;
    const auto events = reader.feed(std::string(kHeader) + "<message/></stream:stream >junk<\xFF" + std::string(1, '\0'));
    ASSERT_EQ(events.size(), 3u);
    EXPECT_TRUE(std::holds_alternative<StreamClosed>(events[2]));
    EXPECT_TRUE(reader.feed("</b>").empty());
    const auto empty = StreamReader().feed("<stream/><message/>");
    ASSERT_EQ(empty.size(), 2u);
    EXPECT_TRUE(std::holds_alternative<StreamClosed>(empty[1]));
}

TEST(XmlReader, AMovedReaderGoesOn) {
    StreamReader first;
    ASSERT_EQ(first.feed("\xEF\xBB\xBF<stream><mess").size(), 1u);
    StreamReader second = std::move(first);
    EXPECT_EQ(second.feed("age/>").size(), 1u);
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
