// What no document and no stanza may hold, whoever wrote it: one that a peer sends is refused at small cost, and what comes after it
// is read.

#include "mapping/xml/reader.h"

#include <gtest/gtest.h>

#include <chrono>

namespace stox::xml {

namespace {

constexpr std::string_view kHeader = "<stream xmlns='jabber:component:accept'>";

std::string repeated(std::string_view text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += text;
    return all;
}

/// Ten levels of ten: 10^10 times the innermost text.
std::string billion_laughs(std::string_view root) {
    std::string dtd = "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY l0 'lol'>";
    for (int i = 1; i <= 10; ++i)
        dtd += "<!ENTITY l" + std::to_string(i) + " '" + repeated("&l" + std::to_string(i - 1) + ";", 10) + "'>";
    return dtd + "]><" + std::string(root) + ">&l10;</" + std::string(root) + '>';
}

struct Case {
    std::string what, document;
    Code code;
};

std::vector<Case> hostile() {
    std::vector<Case> all;
    for (const std::string root : {"presence xmlns='urn:ietf:params:xml:ns:pidf'", "imdn xmlns='urn:ietf:params:xml:ns:imdn'",
                                   "isComposing xmlns='urn:ietf:params:xml:ns:im-iscomposing'",
                                   "conference-info xmlns='urn:ietf:params:xml:ns:conference-info'"}) {
        const auto name = root.substr(0, root.find(' '));
        const auto inside = [&](const std::string& content) { return '<' + root + '>' + content + "</" + name + '>'; };
        all.push_back({name + ": entities of entities", billion_laughs(name), Code::forbidden});
        all.push_back({name + ": an entity of a file",
                       "<!DOCTYPE x [<!ENTITY f SYSTEM 'file:///etc/passwd'>]>" + inside("&f;"), Code::forbidden});
        all.push_back({name + ": a DTD elsewhere", "<!DOCTYPE x SYSTEM 'http://192.0.2.1/x.dtd'>" + inside(""), Code::forbidden});
        all.push_back({name + ": an instruction", inside("<?php x?>"), Code::forbidden});
        all.push_back({name + ": a comment", inside("<!-- x -->"), Code::forbidden});
        all.push_back({name + ": an entity that nobody declared", inside("&nbsp;"), Code::forbidden});
        all.push_back({name + ": deep", inside(repeated("<a>", 64) + repeated("</a>", 64)), Code::too_large});
        all.push_back({name + ": wide", inside(repeated("<a/>", 4'097)), Code::too_large});
        all.push_back({name + ": long", inside(std::string(262'144, 'x')), Code::too_large});
        std::string attributes;
        for (int i = 0; i < 129; ++i) attributes += " a" + std::to_string(i) + "='x'";
        all.push_back({name + ": many attributes", inside("<a" + attributes + "/>"), Code::too_large});
        all.push_back({name + ": Latin-1", inside("\xE4"), Code::malformed});
        all.push_back({name + ": a surrogate", inside("\xED\xA0\x80"), Code::malformed});
        all.push_back({name + ": a control character", inside("\x01"), Code::malformed});
        all.push_back({name + ": its number", inside("&#1;"), Code::malformed});
    }
    return all;
}

}  // namespace

TEST(XmlSafety, CORE_74_ADocumentThatIsAnAttackIsRefusedAtSmallCost) {
    const auto begin = std::chrono::steady_clock::now();
    for (const auto& [what, document, code] : hostile()) {
        const auto read = read_document(document);
        ASSERT_FALSE(read) << what;
        EXPECT_EQ(read.error().code, code) << what << ": " << read.error().detail;
        EXPECT_TRUE(read_document("<presence xmlns='urn:ietf:params:xml:ns:pidf'/>")) << "the next one is read";
    }
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60));
}

TEST(XmlSafety, CORE_74_JustWithinEachLimitADocumentIsRead) {
    EXPECT_TRUE(read_document(repeated("<a>", 64) + repeated("</a>", 64)));
    EXPECT_TRUE(read_document("<a>" + repeated("<a/>", 4'096) + "</a>"));
    EXPECT_TRUE(read_document("<a>" + std::string(262'144 - 7, 'x') + "</a>"));
    EXPECT_FALSE(read_document("<a>" + std::string(262'144 - 6, 'x') + "</a>"));
    std::string attributes;
    for (int i = 0; i < 128; ++i) attributes += " a" + std::to_string(i) + "='x'";
    EXPECT_TRUE(read_document("<a" + attributes + "/>"));
}

TEST(XmlSafety, CORE_74_AStanzaOverALimitIsPassedOverAndTheNextIsRead) {
    for (const auto& content : {repeated("<a>", 64) + repeated("</a>", 64), repeated("<a/>", 4'097), std::string(262'144, 'x')}) {
        StreamReader reader;
        reader.feed(kHeader);
        const auto events = reader.feed("<message from='a@b' to='c@d'>" + content + "</message><message/>");
        ASSERT_EQ(events.size(), 2u);
        ASSERT_TRUE(std::holds_alternative<StanzaRefused>(events[0]));
        EXPECT_EQ(std::get<StanzaRefused>(events[0]).why.code, Code::too_large);
        EXPECT_TRUE(std::holds_alternative<StanzaRead>(events[1]));
    }
}

TEST(XmlSafety, CORE_74_ElementsThatNobodyKnowsAreKeptAndHurtNothing) {
    const auto read = read_document(
        "<imdn xmlns='urn:ietf:params:xml:ns:imdn' x='y'><new xmlns='urn:new'><new/></new><message-id>1</message-id><z/></imdn>");
    ASSERT_TRUE(read);
    const auto* id = read.value().child("urn:ietf:params:xml:ns:imdn", "message-id");
    ASSERT_TRUE(id);
    EXPECT_EQ(id->text(), "1");
}

}  // namespace stox::xml
