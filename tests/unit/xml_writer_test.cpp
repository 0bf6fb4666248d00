#include "mapping/xml/writer.h"

#include "mapping/xml/reader.h"

#include <gtest/gtest.h>

namespace stox::xml {

namespace {

Element read_back(const Element& element, std::string_view inherited = {}) {
    auto text = write(element, inherited);
    if (!inherited.empty()) text = "<stream xmlns='" + std::string(inherited) + "'>" + text + "</stream>";
    auto read = read_document(text);
    EXPECT_TRUE(read) << text;
    if (!read) return {};
    return inherited.empty() ? read.value() : std::get<Element>(read.value().children.at(0));
}

}  // namespace

TEST(XmlWriter, WhatIsTooLongIsNotWritten) {
    Element list("a", "list");
    for (int i = 0; i < 10; ++i) list.add(Element("bbb", "n"));
    const auto whole = write(list);
    EXPECT_EQ(write_within(list, whole.size()), whole);
    EXPECT_EQ(write_within(list, whole.size() - 1), std::nullopt);
    EXPECT_EQ(write_within(list, 0), std::nullopt);
    EXPECT_EQ(write_within(list, whole.size() - 10, "a"), write(list, "a"));
}

TEST(XmlWriter, NamespacesAreDeclaredOnlyWhereTheyChange) {
    Element message("a", "message");
    message.add({"a", "body"}).add_text("x");
    message.add({"b", "y"}).add({"b", "z"}).add({"a", "w"});
    message.add({"", "v"});
    EXPECT_EQ(write(message, "a"), "<message><body>x</body><y xmlns='b'><z><w xmlns='a'/></z></y><v xmlns=''/></message>");
    EXPECT_EQ(write(Element("a", "message")), "<message xmlns='a'/>");
    EXPECT_EQ(read_back(message, "a"), message);
}

TEST(XmlWriter, AttributesInNamespacesGetPrefixes) {
    Element element("a", "e");
    element.set("p", "1").set_lang("de");
    element.attributes.push_back({"urn:'x'", "p", "2"});
    element.attributes.push_back({"urn:y", "p", "3"});
    element.attributes.push_back({"urn:'x'", "q", "4"});
    EXPECT_EQ(write(element),
              "<e xmlns='a' p='1' xml:lang='de' xmlns:ns0='urn:&apos;x&apos;' ns0:p='2' xmlns:ns1='urn:y' ns1:p='3' ns0:q='4'/>");
    EXPECT_EQ(read_back(element), element);
}

TEST(XmlWriter, ElementsOfTheXmlNamespaceKeepItsPrefix) {
    Element element("a", "e");
    element.add({"http://www.w3.org/XML/1998/namespace", "x"}).add({"a", "y"});
    EXPECT_EQ(write(element), "<e xmlns='a'><xml:x><y/></xml:x></e>");
    EXPECT_EQ(read_back(element), element);
}

TEST(XmlWriter, SpecialCharactersAndWhiteSpaceSurvive) {
    const std::string text = "<&>'\" \t\r\n\r ]]> \xC3\xA4\xF0\x9F\x8E\xB6";
    Element element("a", "e");
    element.set("p", text).add_text(text);
    EXPECT_EQ(read_back(element), element);
    EXPECT_EQ(escape("<&>'\""), "&lt;&amp;&gt;&apos;&quot;");
}

TEST(XmlWriter, CORE_75_CharactersThatXmlForbidsAreReplaced) {
    const std::string replacement = "\xEF\xBF\xBD";
    for (char c = 0; c < 0x20; ++c) {
        const bool legal = c == '\t' || c == '\n' || c == '\r';
        Element element("a", "e");
        element.set("p", std::string("x") + c + "y").add_text(std::string("x") + c + "y");
        const auto expected = legal ? std::string("x") + c + "y" : "x" + replacement + "y";
        const auto read = read_back(element);
        EXPECT_EQ(read.text(), expected) << int(c);
        ASSERT_NE(read.attribute("p"), nullptr);
        EXPECT_EQ(*read.attribute("p"), expected) << int(c);
    }
    const std::pair<std::string_view, std::string> rows[] = {
        {"\xEF\xBF\xBE", replacement},  // U+FFFE
        {"\xEF\xBF\xBF", replacement},  // U+FFFF
        {"\xFF", replacement},          // never in UTF-8
        {"\xC3", replacement},          // cut off
        {"\xC3(", replacement + "("},   // what follows is kept
        {"\x80", replacement},          // no beginning
        {"\xE2\x82", replacement},      // cut off
        {"\xF0\x9F\x8E"
         "a",
         replacement + "a"},
        {"\x7F\xC2\x80", "\x7F\xC2\x80"},          // allowed, if discouraged
        {"\xF4\x8F\xBF\xBF", "\xF4\x8F\xBF\xBF"},  // the last character there is
    };
    for (const auto& [in, out] : rows) EXPECT_EQ(escape(in), out);
    // Overlong forms and surrogates: how many replacements is a matter of taste, that nothing else is left is not.
    for (const std::string_view in :
         {"\xED\xA0\x80", "\xC0\x80", "\xC0\xBC", "\xE0\x80\xBC", "\xF4\x90\x80\x80", "\xED\xBF\xBF"}) {
        auto out = escape(in);
        ASSERT_FALSE(out.empty());
        while (out.starts_with(replacement)) out.erase(0, replacement.size());
        EXPECT_EQ(out, "");
    }
}

}  // namespace stox::xml
