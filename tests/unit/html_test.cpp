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
