#include "mapping/page_message.h"

#include "mapping/charset.h"
#include "mapping/im/cpim.h"
#include "mapping/im/extensions.h"
#include "mapping/im/lines.h"
#include "mapping/im/timestamps.h"
#include "mapping/xml/writer.h"
#include "mapping/xmpp/delay.h"
#include "mapping/xmpp/namespaces.h"

#include <algorithm>
#include <chrono>
#include <optional>

namespace stox {

namespace {

constexpr std::size_t kMaxStanza_octets = 262'144;  // of any stanza on a component stream

// XMPP to SIP

/// Of several languages one goes out: the stanza's own, else the one without, else the first; an empty text is none.   (IM-08)
const xmpp::LangText* choose(const std::vector<xmpp::LangText>& texts, const std::string& lang) {
    const xmpp::LangText *own = nullptr, *without = nullptr, *first = nullptr;
    for (const auto& text : texts) {
        if (text.text.empty()) continue;
        if (!own && !text.lang.empty() && im::same_word(text.lang, lang)) own = &text;
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

constexpr std::string_view kRetracted = "A previous message was retracted.";

/// What SIP is told: of a message that replaces an earlier one, its text with a mark; of one that takes an earlier one back, the
/// text its client put there for those who do not know retractions, else ours.   (IM-20)
/// errors  unsupported: nothing
Result<xmpp::LangText> text_of(const xmpp::Message& in, const PageMessageOptions& options) {
    const auto extensions = im::read_extensions(in);
    const auto* body = choose(in.bodies, in.lang);
    if (!body && extensions.retracts) return xmpp::LangText{options.correction_mark + std::string(kRetracted), "en"};
    if (!body) return fail(Code::unsupported, "a message without text");
    auto text = *body;
    if (text.lang.empty()) text.lang = in.lang;
    if (extensions.corrects) text.text.insert(0, options.correction_mark);
    return text;
}

sip::Request message_request(const sip::Uri& from, const sip::Uri& to, const PageMessageOptions& options) {
    sip::Request request;
    request.method = "MESSAGE";
    request.uri = to;
    request.from = {{}, from, options.from_tag, {}};
    request.to = {{}, to, {}, {}};
    request.call_id = options.call_id;
    request.cseq = options.cseq;
    return request;
}

std::string in_brackets(const sip::Uri& uri) { return '<' + uri.to_string() + '>'; }

/// Who it is from and for, when it was written, its id.
im::Cpim envelope(const sip::Request& request, const Wrapping& wrapping) {
    const auto header = [](const char* name, std::string value) {
        return im::CpimHeader{std::string(im::kCpimNs), name, std::move(value), {}};
    };
    im::Cpim cpim;
    cpim.headers = {header("From", in_brackets(request.from.uri)), header("To", in_brackets(request.to.uri)),
                    header("DateTime", im::write_time(wrapping.sent))};
    cpim.headers.push_back({std::string(im::kImdnHeaderNs), "Message-ID", wrapping.message_id, {}});
    if (wrapping.asks.any())
        cpim.headers.push_back(
            {std::string(im::kImdnHeaderNs), "Disposition-Notification", im::write_disposition_request(wrapping.asks), {}});
    return cpim;
}

void wrap(sip::Request& request, im::Cpim cpim) {
    cpim.content.headers.insert(cpim.content.headers.begin(), {"Content-Type", request.content_type});
    cpim.content.body = std::move(request.body);
    request.content_type = im::kCpimType;
    request.body = im::write_cpim(cpim);
}

// SIP to XMPP

constexpr std::chrono::seconds kOld{60};  // a message that is older than this says when it was written   (IM-26)

void add_delay(xmpp::Message& message, const im::Body& body, UtcTime received) {
    if (received == UtcTime{} || !body.envelope || !body.envelope->sent || *body.envelope->sent + kOld >= received) return;
    message.payload.push_back(xmpp::delay(message.from.domain, *body.envelope->sent));
}

bool is_word(std::string_view text) {
    static constexpr std::string_view kMarks = "-.!%*_+`'~()<>:\\\"/[]?{}";
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || kMarks.find(c) != kMarks.npos;
    });
}

}  // namespace

Result<sip::Request> to_sip_message(const xmpp::Message& in, const sip::Uri& from, const sip::Uri& to,
                                    const PageMessageOptions& options) {
    if (in.type == xmpp::MessageType::error || in.type == xmpp::MessageType::groupchat)
        return fail(Code::unsupported, "a message of a type that no MESSAGE carries");
    BOOST_OUTCOME_TRY(text, text_of(in, options));
    auto request = message_request(from, to, options);
    if (const auto* subject = choose(in.subjects, in.lang))
        if (auto line = single_line(subject->text); !line.empty()) request.headers.push_back({"Subject", std::move(line)});
    if (im::is_language_tag(text.lang)) request.headers.push_back({"Content-Language", text.lang});
    request.content_type = "text/plain;charset=utf-8";
    request.body = with_crlf(text.text);
    if (options.wrapping) wrap(request, envelope(request, *options.wrapping));
    return request;
}

Result<xmpp::Message> to_xmpp_message(const sip::Request& in, xmpp::Jid from, xmpp::Jid to, const PageMessageOptions& options) {
    BOOST_OUTCOME_TRY(body, im::read_body(in));
    return to_xmpp_message(in, body, std::move(from), std::move(to), options);
}

Result<xmpp::Message> to_xmpp_message(const sip::Request& in, const im::Body& body, xmpp::Jid from, xmpp::Jid to,
                                      const PageMessageOptions& options) {
    const auto* text = std::get_if<im::Text>(&body.content);
    if (!text) return fail(Code::unsupported, "a message without text");
    xmpp::Message message;
    message.from = std::move(from);
    message.to = std::move(to);
    message.id = options.id;
    message.type = options.pager_as_chat ? xmpp::MessageType::chat : xmpp::MessageType::normal;
    message.lang = text->lang;
    if (const auto* language = in.header("Content-Language"); language && message.lang.empty())
        message.lang = im::first_language(*language);
    if (const auto* subject = in.header("Subject"); subject && !im::trim(*subject).empty())
        message.subjects.push_back({to_utf8(im::trim(*subject)), {}});
    else if (body.envelope)
        message.subjects = body.envelope->subjects;
    message.bodies.push_back({text->plain, {}});
    message.thread = to_utf8(in.call_id);
    // The same id where no server on the way changes it.   (XEP-0359 §3)
    message.payload.emplace_back(std::string(xmpp::ns::kStanzaIds), "origin-id").set("id", options.id);
    if (options.xhtml_im && text->html) message.payload.push_back(*text->html);
    add_delay(message, body, options.received);
    if (xml::write(xmpp::encode(xmpp::Stanza(message)), xmpp::kComponentNs).size() > kMaxStanza_octets)
        return fail(Code::too_large, "a stanza over the limit");
    return message;
}

sip::Request to_imdn_message(const im::Imdn& imdn, const sip::Uri& from, const Recipient& to, const PageMessageOptions& options) {
    auto request = message_request(from, to.author, options);
    auto cpim = envelope(request, options.wrapping.value_or(Wrapping{}));
    if (to.first_route) request.uri = request.to.uri = *to.first_route;
    // A notification asks for none.   (RFC 5438 §7.2.1)
    std::erase_if(cpim.headers, [](const im::CpimHeader& one) { return one.name == "Disposition-Notification"; });
    for (const auto& route : to.routes)
        cpim.headers.push_back({std::string(im::kImdnHeaderNs), "IMDN-Route", '<' + route + '>', {}});
    cpim.content.headers.push_back({"Content-Disposition", "notification"});
    request.content_type = im::kImdnType;
    request.body = im::write_imdn(imdn);
    wrap(request, std::move(cpim));
    return request;
}

sip::Request to_is_composing_message(const im::IsComposing& status, const sip::Uri& from, const sip::Uri& to,
                                     const PageMessageOptions& options) {
    auto request = message_request(from, to, options);
    request.content_type = im::kIsComposingType;
    request.body = im::write_is_composing(status);
    return request;
}

bool is_call_id(std::string_view thread) {
    constexpr std::size_t kMaxCallId = 128;
    if (thread.size() > kMaxCallId) return false;
    const auto at = thread.find('@');
    return is_word(thread.substr(0, at)) && (at == thread.npos || is_word(thread.substr(at + 1)));
}

}  // namespace stox
