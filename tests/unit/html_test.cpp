// HTML of a SIP message: what its reader sees, and nothing that runs.

#include "mapping/im/html.h"
#include "mapping/xml/reader.h"
#include "mapping/xml/writer.h"

#include <gtest/gtest.h>

#include <chrono>

namespace stox::im {

TEST(Html, IM_25_TextAsAReaderSeesIt) {
    const std::pair<std::string, std::string> rows[] = {
        {"plain", "plain"},
        {"<b>bold</b> and <i>more</i>", "bold and more"},
        {"<html><head><title>T</title><style>p{}</style></head><body><p>one</p><p>two</p></body></html>", "one\ntwo"},
        {"a<script>alert('x<y')</script>b<SCRIPT src=x></ScRiPt >c", "abc"},
        {"<script>never ended", ""},
        {"a<br>b<br/><br />c", "a\nb\n\nc"},
        {"  a \r\n\t b  ", "a b"},
        {"<pre>a\n  b</pre>c", "a\n  b\nc"},
        {"<ul><li>one</li><li>two</li></ul>", "- one\n- two"},
        {"<div><div>a</div></div><div>b</div>", "a\nb"},
        {"<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"},
        {"&lt;b&gt; &amp;amp; &quot;&apos;&#228;&#xE4;&auml;&euro;&nbsp;x",
         "<b> &amp; \"'\xC3\xA4\xC3\xA4\xC3\xA4\xE2\x82\xAC x"},
        {"&unknown; &#0;&#xD800;&#x110000; & &; &#; &#x;", "&unknown; \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD & &; &#; &#x;"},
        {"<a href=\"https://example.com/\">here</a>.", "here <https://example.com/>."},
        {"<a href='https://example.com/'>https://example.com/</a>", "https://example.com/"},
        {"<a href='mailto:a@b'>a@b</a>", "a@b"},
        {"<a href=http://x/></a>", "http://x/"},
        {"<a href='javascript:alert(1)'>here</a>", "here"},
        {"<a href='java&#115;cript:x'>here</a>", "here"},
        {"<img src=x alt='a cat'>", "a cat"},
        {"<!-- <b>no</b> -->yes<!DOCTYPE html><?php x ?>", "yes"},
        {"<!-- never ended", ""},
        {"1 < 2 and 3<4 <", "1 < 2 and 3<4 <"},
        {"a<b title='x>y'>c</b", "ac"},
        {"", ""},
    };
    for (const auto& [html, text] : rows) EXPECT_EQ(html_to_text(html), text) << html;
}

TEST(Html, IM_25_XhtmlHoldsTheIntegrationSetAlone) {
    const std::pair<std::string, std::string> rows[] = {
        {"a <b>b</b>", "a <strong>b</strong>"},
        {"<p onclick='x' style='y'>a</p>", "<p>a</p>"},
        {"<script>alert(1)</script><iframe src=x>f</iframe>", "f"},
        {"<a href='javascript:x'>a</a>", "<a>a</a>"},
        {"<a href='https://x/?a=1&amp;b'>a</a>", "<a href='https://x/?a=1&amp;b'>a</a>"},
        {"<img src='http://tracker/' alt='cat'/>", "cat"},
        {"<p>a<em>b</p>c</em>d", "<p>a<em>b</em></p>cd"},
        {"</body></html></p>x<br>y", "x<br/>y"},
    };
    for (const auto& [html, body] : rows) {
        const auto expected = xml::read_document(
            "<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns="
            "'http://www.w3.org/1999/xhtml'>" +
            body + "</body></html>");
        ASSERT_TRUE(expected) << body;
        EXPECT_EQ(html_to_xhtml_im(html), expected.value()) << xml::write(html_to_xhtml_im(html));
    }
}

TEST(Html, EveryBlockStandsOnLinesOfItsOwn) {
    for (const std::string name : {"address", "article", "blockquote", "dd", "div", "dl", "dt", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6",
                                   "header", "hr", "ol", "p", "pre", "section", "table", "tr", "ul"})
        EXPECT_EQ(html_to_text("a<" + name + ">b</" + name + ">c"), "a\nb\nc") << name;
    EXPECT_EQ(html_to_text("a<li>b</li>c"), "a\n- b\nc");
    for (const std::string name : {"b", "span", "em", "label", "h7"}) EXPECT_EQ(html_to_text("a<" + name + ">b</" + name + ">c"), "abc") << name;
}

TEST(Html, EveryElementOfTheIntegrationSetIsKept) {
    for (const std::string name : {"a", "blockquote", "cite", "code", "em", "li", "ol", "p", "pre", "span", "strong", "ul"})
        EXPECT_NE(xml::write(html_to_xhtml_im("<" + name + ">x</" + name + ">")).find("<" + name + ">x</" + name + ">"), std::string::npos) << name;
    for (const std::string name : {"div", "h1", "table", "font", "object"})
        EXPECT_EQ(xml::write(html_to_xhtml_im("<" + name + ">x</" + name + ">")).find("<" + name), std::string::npos) << name;
}

TEST(Html, LinksOfEveryHarmlessKindAreKept) {
    for (const std::string address : {"http://x/", "https://x/", "mailto:a@b", "sip:a@b", "sips:a@b", "tel:+1", "xmpp:a@b"})
        EXPECT_NE(xml::write(html_to_xhtml_im("<a href='" + address + "'>x</a>")).find(address), std::string::npos) << address;
    for (const std::string address : {"ftp://x/", "file:///x", "data:x", "vbscript:x", "relative"})
        EXPECT_EQ(xml::write(html_to_xhtml_im("<a href='" + address + "'>y</a>")).find(address), std::string::npos) << address;
}

TEST(Html, EveryNamedCharacterIsRead) {
    const std::pair<std::string, std::string> rows[] = {
        {"amp", "&"},          {"apos", "'"},         {"auml", "\u00E4"},  {"Auml", "\u00C4"},  {"bull", "\u2022"},  {"cent", "\u00A2"},
        {"copy", "\u00A9"},    {"eacute", "\u00E9"},  {"euro", "\u20AC"},  {"gt", ">"},         {"hellip", "\u2026"}, {"laquo", "\u00AB"},
        {"ldquo", "\u201C"},   {"lsquo", "\u2018"},   {"lt", "<"},         {"mdash", "\u2014"}, {"nbsp", " "},        {"ndash", "\u2013"},
        {"ouml", "\u00F6"},    {"Ouml", "\u00D6"},    {"pound", "\u00A3"}, {"quot", "\""},      {"raquo", "\u00BB"},  {"rdquo", "\u201D"},
        {"reg", "\u00AE"},     {"rsquo", "\u2019"},   {"szlig", "\u00DF"}, {"trade", "\u2122"}, {"uuml", "\u00FC"},   {"Uuml", "\u00DC"},
        {"yen", "\u00A5"},
    };
    for (const auto& [name, character] : rows) EXPECT_EQ(html_to_text("a&" + name + ";b"), "a" + character + "b") << name;
}

TEST(Html, DeepAndBrokenMarkupCostsNoMoreThanItsLength) {
    const auto start = std::chrono::steady_clock::now();
    for (const std::string piece : {"<b>", "<!--", "<script>", "</", "<a href='", "&", "<p", "<a href=x>", "<"}) {
        std::string html;
        while (html.size() < 200'000) html += piece;
        EXPECT_LE(html_to_text(html).size(), html.size() + 16 * std::string("<x>").size());
        EXPECT_FALSE(xml::write(html_to_xhtml_im(html)).empty());
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

}  // namespace stox::im
