#include "mapping/im/body.h"

#include "mapping/charset.h"
#include "mapping/im/cpim.h"
#include "mapping/im/html.h"
#include "mapping/im/inflate.h"
#include "mapping/im/lines.h"
#include "mapping/im/timestamps.h"

#include <algorithm>

namespace stox::im {

namespace {

constexpr unsigned kMaxDepth = 4;            // of multiparts and CPIM in one another
constexpr std::size_t kMaxLanguageTag = 64;  // RFC 5646 §4.4.1 asks for at least 35

constexpr unsigned kMaxParts = 64;           // of one body, of whatever depth

/// What one body may cost. Its parts are bounded one by one, but parts in parts multiply, and compressed ones cost their author
/// nothing.
struct Budget {
    unsigned parts = kMaxParts;
    std::size_t inflated = kMaxBody_octets;
    bool overdrawn = false;

    Error overdraw() {
        overdrawn = true;
        return {Code::too_large, "a body of too many parts, or of too much when it is decompressed"};
    }
};

Result<Body> read_part(const Entity& entity, unsigned depth, Budget& budget);

Result<std::string> decompress(const Entity& entity, std::string octets, Budget& budget) {
    const auto* named = entity.header("Content-Encoding");
    const auto encoding = named ? trim(*named) : std::string_view();
    if (encoding.empty() || same_word(encoding, "identity")) return octets;
    if (!same_word(encoding, "deflate")) return fail(Code::unsupported, "content encoding");
    auto inflated = inflate(octets, budget.inflated);
    if (inflated)
        budget.inflated -= inflated.value().size();
    else if (inflated.error().code == Code::too_large)
        return budget.overdraw();
    return inflated;
}

/// The octets of a part with every encoding undone.
Result<std::string> octets_of(const Entity& entity, Budget& budget) {
    BOOST_OUTCOME_TRY(octets, decode_transfer(entity));
    return decompress(entity, std::move(octets), budget);
}

Result<std::string> text_of(const sip::ParameterizedValue& type, std::string_view octets) {
    const auto* charset = type.parameter("charset");
    if (!charset) return to_utf8(octets);
    return to_utf8(octets, charset->value.value_or(""));
}

Result<Body> read_text(const Entity& entity, const sip::ParameterizedValue& type, std::string_view octets) {
    BOOST_OUTCOME_TRY(utf8, text_of(type, octets));
    Text text;
    if (const auto* lang = entity.header("Content-Language")) text.lang = first_language(*lang);
    if (type.value == "text/html") {
        text.plain = html_to_text(utf8);
        text.html = html_to_xhtml_im(utf8);
    } else {
        text.plain = std::move(utf8);
    }
    if (text.plain.empty()) return fail(Code::malformed, "nothing to deliver");
    return Body{std::move(text)};
}

/// The first part that can be read; of notifications all of them. If none can be, what the first one lacked.
Result<Body> read_parts(const sip::ParameterizedValue& type, std::string_view octets, unsigned depth, Budget& budget) {
    const auto* boundary = type.parameter("boundary");
    BOOST_OUTCOME_TRY(parts, read_multipart(octets, boundary ? boundary->value.value_or("") : std::string()));
    std::optional<Body> first;
    std::optional<Error> why;
    for (const auto& part : parts) {
        auto read = read_part(part, depth + 1, budget);
        if (budget.overdrawn) return budget.overdraw();
        if (!read) {
            if (!why) why = read.error();
            continue;
        }
        if (!first) {
            first = std::move(read).value();
            if (!std::holds_alternative<std::vector<Imdn>>(first->content)) break;
        } else if (auto* more = std::get_if<std::vector<Imdn>>(&read.value().content)) {
            auto& all = std::get<std::vector<Imdn>>(first->content);
            all.insert(all.end(), more->begin(), more->end());
        }
    }
    if (first) return std::move(*first);
    return fail(why->code, why->detail);
}

/// RFC 3862 has names of headers case-sensitive, so no sender's other spelling is looked for.
Envelope envelope_of(const Cpim& cpim) {
    Envelope envelope;
    const auto value = [&cpim](std::string_view ns, std::string_view name) {
        const auto* header = cpim.header(ns, name);
        return header ? header->value : std::string();
    };
    envelope.from_uri = cpim_uri(value(kCpimNs, "From"));
    envelope.to_uri = cpim_uri(value(kCpimNs, "To"));
    envelope.date_time = value(kCpimNs, "DateTime");
    envelope.sent = read_time(envelope.date_time);
    for (const auto& header : cpim.headers)
        if (header.ns == kCpimNs && header.name == "Subject" && !trim(header.value).empty())
            envelope.subjects.push_back({to_utf8(trim(header.value)), is_language_tag(header.lang) ? header.lang : ""});
    envelope.message_id = value(kImdnHeaderNs, "Message-ID");
    envelope.asks = read_disposition_request(value(kImdnHeaderNs, "Disposition-Notification"));
    envelope.original_to = cpim_uri(value(kImdnHeaderNs, "Original-To"));
    for (const auto& route : cpim.values(kImdnHeaderNs, "IMDN-Record-Route"))
        if (auto uri = cpim_uri(route); !uri.empty()) envelope.record_routes.push_back(std::move(uri));
    return envelope;
}

Result<Body> read_wrapped(std::string_view octets, unsigned depth, Budget& budget) {
    BOOST_OUTCOME_TRY(cpim, read_cpim(octets));
    if (!cpim.content.header("Content-Type")) return fail(Code::malformed, "a content without a type");
    BOOST_OUTCOME_TRY(body, read_part(cpim.content, depth + 1, budget));
    // Of one inside another the outer one is its sender's; what the inner one says is part of what was forwarded.
    body.envelope = envelope_of(cpim);
    return body;
}

/// One IMDN as the list that a body has of them.
Result<Body> read_notification(std::string_view octets) {
    BOOST_OUTCOME_TRY(imdn, read_imdn(octets));
    return Body{std::vector<Imdn>{std::move(imdn)}};
}

Result<Body> read_part(const Entity& entity, unsigned depth, Budget& budget) {
    if (depth >= kMaxDepth) return fail(Code::unsupported, "parts inside parts");
    if (budget.parts == 0) return budget.overdraw();
    --budget.parts;
    const auto* named = entity.header("Content-Type");
    BOOST_OUTCOME_TRY(type, read_media_type(named ? *named : "text/plain"));  // RFC 2045 §5.2
    BOOST_OUTCOME_TRY(octets, octets_of(entity, budget));
    if (type.value == "text/plain" || type.value == "text/html") return read_text(entity, type, octets);
    if (type.value == kCpimType) return read_wrapped(octets, depth, budget);
    if (type.value == kImdnType) return read_notification(octets);
    if (type.value == kIsComposingType) {
        BOOST_OUTCOME_TRY(status, read_is_composing(octets));
        return Body{status};
    }
    // What is encrypted shows nothing; what is signed shows its first part.   (IM-27)
    if (type.value.starts_with("multipart/") && type.value != "multipart/encrypted") return read_parts(type, octets, depth, budget);
    return fail(Code::unsupported, "content type");
}

char digit_or_letter(char c) { return (c >= '0' && c <= '9') ? 'd' : lower(c) >= 'a' && lower(c) <= 'z' ? 'l' : 0; }

}  // namespace

Result<Body> read_body(const sip::Request& request) {
    if (request.body.size() > kMaxBody_octets)
        return fail(Code::too_large, "a body of " + std::to_string(request.body.size()) + " octets");
    // A body without type is against RFC 3261 §20.15; neither without body is there anything to deliver.
    if (request.body.empty()) return fail(Code::malformed, "nothing to deliver");
    if (request.content_type.empty()) return fail(Code::malformed, "a body without a type");
    Entity entity{{{"Content-Type", request.content_type}}, request.body};
    for (const auto* name : {"Content-Encoding", "Content-Language", "Content-Transfer-Encoding"})
        if (const auto* value = request.header(name)) entity.headers.push_back({name, *value});
    Budget budget;
    return read_part(entity, 0, budget);
}

std::optional<sip::Request> as_plain_text(const sip::Request& request) {
    const auto type = read_media_type(request.content_type);
    if (!type || type.value().value != kCpimType) return std::nullopt;
    const auto cpim = read_cpim(request.body);
    const auto* inner = cpim ? cpim.value().content.header("Content-Type") : nullptr;
    if (!inner || !inner->starts_with("text/plain")) return std::nullopt;
    auto plain = request;
    plain.content_type = *inner;
    plain.body = cpim.value().content.body;
    return plain;
}

bool is_language_tag(std::string_view text) {
    if (text.empty() || text.size() > kMaxLanguageTag) return false;
    for (bool first = true;; first = false) {
        const auto dash = text.find('-');
        const auto subtag = text.substr(0, dash);
        if (subtag.empty() || subtag.size() > 8) return false;
        if (!std::ranges::all_of(subtag, [first](char c) { return digit_or_letter(c) == 'l' || (!first && digit_or_letter(c)); }))
            return false;
        if (dash == text.npos) return true;
        text.remove_prefix(dash + 1);
    }
}

std::string first_language(std::string_view value) {
    const auto first = trim(value.substr(0, value.find(',')));
    return is_language_tag(first) ? std::string(first) : std::string();
}

std::optional<UtcTime> expiry(const sip::Request& request, UtcTime received) {
    const auto seconds = sip::leading_number(request.header("Expires"));
    if (!seconds) return std::nullopt;
    const auto* date = request.header("Date");
    const auto sent = date ? read_sip_date(*date) : std::nullopt;
    return sent.value_or(received) + std::chrono::seconds(*seconds);
}

}  // namespace stox::im
