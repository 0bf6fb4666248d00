#include "mapping/im/html.h"

#include "mapping/im/html_reader.h"
#include "mapping/im/lines.h"
#include "mapping/xml/writer.h"

#include <algorithm>
#include <array>
#include <vector>

namespace stox::im {

namespace {

bool is_one_of(std::string_view name, const auto& names) { return std::ranges::find(names, name) != names.end(); }

constexpr std::array<std::string_view, 25> kBlocks{
    "address", "article", "blockquote", "dd", "div", "dl", "dt", "footer", "form",    "h1",    "h2", "h3", "h4",
    "h5",      "h6",      "header",     "hr", "li",  "ol", "p",  "pre",    "section", "table", "tr", "ul"};

/// Nobody runs anything behind these.
bool is_safe_link(std::string_view address) {
    constexpr std::array<std::string_view, 7> kSchemes{"http", "https", "mailto", "sip", "sips", "tel", "xmpp"};
    const auto colon = address.find(':');
    if (colon == address.npos) return false;
    std::string scheme(address.substr(0, colon));
    std::ranges::transform(scheme, scheme.begin(), lower);
    return is_one_of(scheme, kSchemes) &&
           std::ranges::none_of(address, [](char c) { return static_cast<unsigned char>(c) <= ' '; });
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

class TextSink : public HtmlSink {
public:
    void text(std::string_view characters) override {
        for (const char c : characters) {
            if (preformatted_ == 0 && is_space(c)) {
                space_ = true;
            } else if (c != '\r') {
                put(std::string_view(&c, 1));
            }
        }
    }

    void open(std::string_view name, std::string_view href, std::string_view alt) override {
        if (name == "br") return end_line();
        if (name == "img") return text(alt);
        if (name == "td" || name == "th") space_ = true;
        if (is_one_of(name, kBlocks)) start_line();
        if (name == "li") put("- "), space_ = false;
        if (name == "pre") ++preformatted_;
        if (name == "a" && links_.size() < kMaxLinks) links_.push_back({std::string(href), text_.size()});
    }

    void close(std::string_view name) override {
        if (name == "pre" && preformatted_ > 0) --preformatted_;
        if (is_one_of(name, kBlocks)) start_line();
        if (name == "a" && !links_.empty()) end_link();
    }

    std::string take() {
        while (!text_.empty() && is_space(text_.back())) text_.pop_back();
        return std::move(text_);
    }

private:
    static constexpr std::size_t kMaxLinks = 16;  // inside one another, which is no HTML

    struct Link {
        std::string address;
        std::size_t starts;
    };

    void put(std::string_view characters) {
        if (space_ && !text_.empty() && text_.back() != '\n') text_ += ' ';
        space_ = false;
        text_ += characters;
    }
    void end_line() {
        space_ = false;
        if (!text_.ends_with("\n\n")) text_ += '\n';
    }
    void start_line() {
        space_ = false;
        if (!text_.empty() && text_.back() != '\n') text_ += '\n';
    }
    void end_link() {
        const auto link = std::move(links_.back());
        links_.pop_back();
        const auto shown = trim(std::string_view(text_).substr(std::min(link.starts, text_.size())));
        if (!is_safe_link(link.address) || link.address.ends_with(shown) || shown == link.address + '/') {
            // An address that is its own text stands there already, whole or but for its scheme.
            if (!is_safe_link(link.address) || !shown.empty()) return;
        }
        space_ = !shown.empty();
        put(shown.empty() ? link.address : '<' + link.address + '>');
    }

    std::string text_;
    std::vector<Link> links_;
    unsigned preformatted_ = 0;
    bool space_ = false;  ///< before what comes next
};

constexpr std::string_view kXhtml = "http://www.w3.org/1999/xhtml";
constexpr std::string_view kXhtmlIm = "http://jabber.org/protocol/xhtml-im";

/// XEP-0071 §7 without images, which would be loaded, and without anything that styles.
constexpr std::array<std::string_view, 13> kKept{"a",  "blockquote", "br",  "cite", "code",   "em", "li",
                                                 "ol", "p",          "pre", "span", "strong", "ul"};

class XhtmlSink : public HtmlSink {
public:
    void text(std::string_view characters) override { open_.back().add_text(characters); }

    void open(std::string_view name, std::string_view href, std::string_view alt) override {
        if (name == "img") return text(alt);
        if (name == "b") name = "strong";
        if (name == "i") name = "em";
        if (!is_one_of(name, kKept) || open_.size() == kMaxDepth) return;
        xml::Element element{std::string(kXhtml), std::string(name)};
        if (name == "a" && is_safe_link(href)) element.set("href", href);
        if (name == "br")
            open_.back().add(std::move(element));
        else
            open_.push_back(std::move(element));
    }

    void close(std::string_view name) override {
        if (name == "b") name = "strong";
        if (name == "i") name = "em";
        const auto opened = std::find_if(open_.rbegin(), open_.rend() - 1, [name](const auto& one) { return one.name == name; });
        if (opened == open_.rend() - 1) return;
        for (auto count = opened - open_.rbegin() + 1; count > 0; --count) end_last();
    }

    xml::Element take() {
        while (open_.size() > 1) end_last();
        xml::Element html{std::string(kXhtmlIm), "html"};
        html.add(std::move(open_.back()));
        return html;
    }

private:
    static constexpr std::size_t kMaxDepth = 16;

    void end_last() {
        auto last = std::move(open_.back());
        open_.pop_back();
        open_.back().add(std::move(last));
    }

    std::vector<xml::Element> open_{xml::Element{std::string(kXhtml), "body"}};
};

}  // namespace

std::string html_to_text(std::string_view html) {
    TextSink sink;
    read_html(html, sink);
    return sink.take();
}

xml::Element html_to_xhtml_im(std::string_view html) {
    XhtmlSink sink;
    read_html(html, sink);
    return sink.take();
}

bool is_xhtml_im(const xml::Element& element) { return element.is(kXhtmlIm, "html"); }

std::string xhtml_im_to_text(const xml::Element& html) { return html_to_text(xml::write(html)); }

}  // namespace stox::im
