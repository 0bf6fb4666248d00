#include "mapping/page_message.h"

#include "mapping/charset.h"
#include "mapping/xml/writer.h"
#include "mapping/xmpp/namespaces.h"

#include <algorithm>
#include <optional>

namespace stox {

namespace {

constexpr std::size_t kMaxBody_octets = 10'000;     // of a MESSAGE (IM-31)
constexpr std::size_t kMaxStanza_octets = 262'144;  // of any stanza on a component stream
constexpr std::size_t kMaxLanguageTag = 64;         // RFC 5646 §4.4.1 asks for at least 35

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }

bool equals_ignoring_case(std::string_view a, std::string_view b) { return std::ranges::equal(a, b, {}, lower, lower); }

std::string_view trim(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r\n";
    const auto first = text.find_first_not_of(kSpace);
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

/// The shape of RFC 5646 §2.1: subtags of 1 to 8 letters or digits, the first one of letters. "*" and lists are none.
bool is_language_tag(std::string_view text) {
    if (text.empty() || text.size() > kMaxLanguageTag) return false;
    for (bool first = true;; first = false) {
        const auto dash = text.find('-');
        const auto subtag = text.substr(0, dash);
        if (subtag.empty() || subtag.size() > 8) return false;
        if (!std::ranges::all_of(subtag, [first](char c) { return is_letter(c) || (!first && is_digit(c)); })) return false;
        if (dash == text.npos) return true;
        text.remove_prefix(dash + 1);
    }
}

// XMPP to SIP

/// Of several languages one goes out: the stanza's own, else the one without, else the first; an empty text is none.   (IM-08)
const xmpp::LangText* choose(const std::vector<xmpp::LangText>& texts, const std::string& lang) {
    const xmpp::LangText *own = nullptr, *without = nullptr, *first = nullptr;
    for (const auto& text : texts) {
        if (text.text.empty()) continue;
        if (!own && !text.lang.empty() && equals_ignoring_case(text.lang, lang)) own = &text;
        if (!without && text.lang.empty()) without = &text;
        if (!first) first = &text;
    }
    return own ? own : without ? without : first;
}

/// One line without any control character, fit for a header: each run of them and of spaces is one space.   (IM-04, CORE-76)
std::string single_line(std::string_view text) {
    constexpr std::string_view kNextLine = "\xC2\x85", kLineSeparator = "\xE2\x80\xA8", kParagraphSeparator = "\xE2\x80\xA9";
    std::string line;
    while (!text.empty()) {
        std::size_t control = static_cast<unsigned char>(text[0]) <= ' ' || text[0] == 0x7F ? 1 : 0;
        for (const auto separator : {kNextLine, kLineSeparator, kParagraphSeparator})
            if (text.starts_with(separator)) control = separator.size();
        if (control == 0)
            line += text[0];
        else if (!line.empty() && line.back() != ' ')
            line += ' ';
        text.remove_prefix(std::max<std::size_t>(control, 1));
    }
    if (line.ends_with(' ')) line.pop_back();
    return line;
}

/// Every end of line as CRLF.   (RFC 2046 §4.1.1, IM-09)
std::string with_crlf(std::string_view text) {
    std::string lines;
    lines.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') ++i;
        if (text[i] == '\r' || text[i] == '\n')
            lines += "\r\n";
        else
            lines += text[i];
    }
    return lines;
}

// SIP to XMPP

/// A value of a parameter, without the quotes it may stand in.
std::string unquote(std::string_view value) {
    if (value.size() < 2 || value.front() != '"' || value.back() != '"') return std::string(value);
    std::string plain;
    for (std::size_t i = 1; i + 1 < value.size(); ++i) {
        if (value[i] == '\\' && i + 2 < value.size()) ++i;
        plain += value[i];
    }
    return plain;
}

/// The next part of "type/subtype;name=value;..."; a ';' inside quotes does not end it.
std::string_view take_part(std::string_view& rest) {
    bool quoted = false;
    std::size_t end = 0;
    for (; end < rest.size() && (quoted || rest[end] != ';'); ++end) {
        if (rest[end] == '"')
            quoted = !quoted;
        else if (quoted && rest[end] == '\\')
            ++end;
    }
    end = std::min(end, rest.size());
    const auto part = trim(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return part;
}

/// The charset of text/plain, absent if it names none.
/// errors  unsupported: any other type
Result<std::optional<std::string>> charset_of(std::string_view content_type) {
    if (!equals_ignoring_case(take_part(content_type), "text/plain")) return fail(Code::unsupported, "content type");
    while (!content_type.empty()) {
        const auto parameter = take_part(content_type);
        const auto equals = parameter.find('=');
        if (equals != parameter.npos && equals_ignoring_case(trim(parameter.substr(0, equals)), "charset"))
            return std::optional(unquote(trim(parameter.substr(equals + 1))));
    }
    return std::optional<std::string>();
}

Result<std::string> text_of(const sip::Request& in) {
    if (in.body.size() > kMaxBody_octets) return fail(Code::too_large, "a body of " + std::to_string(in.body.size()) + " octets");
    // A body without type is against RFC 3261 §20.15; neither without body is there anything to deliver.
    if (in.content_type.empty()) return fail(Code::malformed, in.body.empty() ? "nothing to deliver" : "a body without a type");
    BOOST_OUTCOME_TRY(charset, charset_of(in.content_type));
    if (!charset) return to_utf8(in.body);
    return to_utf8(in.body, *charset);
}

}  // namespace

Result<sip::Request> to_sip_message(const xmpp::Message& in, const sip::Uri& from, const sip::Uri& to,
                                    const PageMessageOptions& options) {
    if (in.type == xmpp::MessageType::error || in.type == xmpp::MessageType::groupchat)
        return fail(Code::unsupported, "a message of a type that no MESSAGE carries");
    const auto* body = choose(in.bodies, in.lang);
    if (!body) return fail(Code::unsupported, "a message without text");
    sip::Request request;
    request.method = "MESSAGE";
    request.uri = to;
    request.from = {{}, from, options.from_tag};
    request.to = {{}, to, {}};
    request.call_id = options.call_id;
    request.cseq = 1;
    if (const auto* subject = choose(in.subjects, in.lang))
        if (auto line = single_line(subject->text); !line.empty()) request.headers.push_back({"Subject", std::move(line)});
    const auto& lang = body->lang.empty() ? in.lang : body->lang;
    if (is_language_tag(lang)) request.headers.push_back({"Content-Language", lang});
    request.content_type = "text/plain;charset=utf-8";
    request.body = with_crlf(body->text);
    return request;
}

Result<xmpp::Message> to_xmpp_message(const sip::Request& in, xmpp::Jid from, xmpp::Jid to, const PageMessageOptions& options) {
    BOOST_OUTCOME_TRY(text, text_of(in));
    if (text.empty()) return fail(Code::malformed, "nothing to deliver");
    xmpp::Message message;
    message.from = std::move(from);
    message.to = std::move(to);
    message.id = options.id;
    message.type = options.pager_as_chat ? xmpp::MessageType::chat : xmpp::MessageType::normal;
    // One text has one language: the first that is named.   (CORE-60)
    if (const auto* languages = in.header("Content-Language"))
        if (const auto first = trim(std::string_view(*languages).substr(0, languages->find(','))); is_language_tag(first))
            message.lang = first;
    if (const auto* subject = in.header("Subject"); subject && !trim(*subject).empty())
        message.subjects.push_back({to_utf8(trim(*subject)), {}});
    message.bodies.push_back({std::move(text), {}});
    message.thread = to_utf8(in.call_id);
    // The same id where no server on the way changes it.   (XEP-0359 §3)
    message.payload.emplace_back(std::string(xmpp::ns::kStanzaIds), "origin-id").set("id", options.id);
    if (xml::write(xmpp::encode(xmpp::Stanza(message)), xmpp::kComponentNs).size() > kMaxStanza_octets)
        return fail(Code::too_large, "a stanza over the limit");
    return message;
}

}  // namespace stox
