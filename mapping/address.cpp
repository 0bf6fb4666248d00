#include "mapping/address.h"

#include "mapping/ascii_names.h"
#include "mapping/core/endpoint.h"
#include "mapping/prepare.h"

#include <unicode/idna.h>
#include <unicode/stringpiece.h>

#include <algorithm>
#include <array>
#include <memory>

namespace stox {

namespace {

constexpr std::size_t kMaxPart_octets = 1023;  // RFC 7622 §3.1

struct EscapeRow {
    char character;
    std::string_view code;  ///< what follows the backslash
};

// XEP-0106 §4.2.
constexpr std::array kEscapes{
    EscapeRow{' ', "20"}, EscapeRow{'"', "22"}, EscapeRow{'&', "26"}, EscapeRow{'\'', "27"}, EscapeRow{'/', "2f"},
    EscapeRow{':', "3a"}, EscapeRow{'<', "3c"}, EscapeRow{'>', "3e"}, EscapeRow{'@', "40"},  EscapeRow{'\\', "5c"},
};

/// The row whose code stands right after the backslash at `at`.
const EscapeRow* code_at(std::string_view text, std::size_t at) {
    const auto row = std::ranges::find(kEscapes, text.substr(at + 1, 2), &EscapeRow::code);
    return row == kEscapes.end() ? nullptr : &*row;
}

/// Preparation lowers case, so that \3A would become a code that nobody wrote.
bool becomes_code(std::string_view text, std::size_t at) {
    std::string code(text.substr(at + 1, 2));
    std::ranges::transform(code, code.begin(), [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c; });
    return std::ranges::find(kEscapes, std::string_view(code), &EscapeRow::code) != kEscapes.end();
}

/// XEP-0106 §4.1: no localpart starts or ends with an escaped space.   (CORE-24)
bool has_space_at_end(std::string_view localpart) { return localpart.starts_with("\\20") || localpart.ends_with("\\20"); }

/// Both schemes: only what has a host, and never sips (CORE-32).
Result<void> check_mappable(const sip::Uri& uri) {
    if (uri.scheme == sip::Scheme::sips) return fail(Code::unmappable, "sips cannot be promised on the XMPP side");
    if (uri.scheme == sip::Scheme::tel) return fail(Code::unmappable, "tel URI has no domain");
    return ok();
}

/// Where the user ends and the SIP domain begins in what a nested localpart stands for; npos: it names no domain.   (CORE-10)
std::size_t split_at(std::string_view text) {
    if (const auto at = text.rfind('@'); at != text.npos) return at;
    // Scheme D. A '%' is an ordinary character of a user as well: only a name that cannot be its end makes an alias.
    const auto percent = text.rfind('%');
    if (percent == text.npos || percent == 0 || text.find('.', percent) == text.npos) return text.npos;
    return domain_to_sip(text.substr(percent + 1)) ? percent : text.npos;
}

const icu::IDNA* idna() {
    static const auto instance = [] {
        UErrorCode status = U_ZERO_ERROR;
        return std::unique_ptr<icu::IDNA>(
            icu::IDNA::createUTS46Instance(UIDNA_USE_STD3_RULES | UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ | UIDNA_CHECK_CONTEXTO |
                                               UIDNA_NONTRANSITIONAL_TO_ASCII | UIDNA_NONTRANSITIONAL_TO_UNICODE,
                                           status));
    }();
    return instance.get();
}

using IdnaCall = void (icu::IDNA::*)(icu::StringPiece, icu::ByteSink&, icu::IDNAInfo&, UErrorCode&) const;

Result<std::string> convert(IdnaCall call, std::string_view domain) {
    std::string converted;
    icu::StringByteSink<std::string> sink(&converted);
    icu::IDNAInfo info;
    UErrorCode status = U_ZERO_ERROR;
    if (!idna()) return fail(Code::unavailable, "no IDNA tables");
    (idna()->*call)(icu::StringPiece(domain.data(), static_cast<std::int32_t>(domain.size())), sink, info, status);
    if (U_FAILURE(status) || info.hasErrors() || converted.empty()) return fail(Code::unmappable, "no domain name");
    return converted;
}

/// An IP literal in lower case, IPv6 only with brackets; empty: none.
std::string ip_literal(std::string_view host) {
    const bool bracketed = host.starts_with('[');
    if (!bracketed && host.find(':') != std::string_view::npos) return {};
    if (!Address::parse(host)) return {};
    std::string literal(host);
    std::ranges::transform(literal, literal.begin(), [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c; });
    return literal;
}

std::string_view without_trailing_dot(std::string_view domain) {
    if (domain.ends_with('.')) domain.remove_suffix(1);
    return domain;
}

}  // namespace

std::string escape_localpart(std::string_view text) {
    std::string escaped;
    escaped.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto row = std::ranges::find(kEscapes, text[i], &EscapeRow::character);
        // A backslash is escaped only where it would be read as the start of an escape (XEP-0106 §4.3).
        const bool plain = row == kEscapes.end() || (text[i] == '\\' && !becomes_code(text, i));
        if (plain)
            escaped += text[i];
        else
            escaped.append(1, '\\').append(row->code);
    }
    return escaped;
}

std::string unescape_localpart(std::string_view localpart) {
    std::string text;
    text.reserve(localpart.size());
    for (std::size_t i = 0; i < localpart.size(); ++i) {
        const auto* row = localpart[i] == '\\' ? code_at(localpart, i) : nullptr;
        text += row ? row->character : localpart[i];
        if (row) i += row->code.size();
    }
    return text;
}

Result<std::string> domain_to_jid(std::string_view sip_host) {
    if (auto plain = ascii::domain(sip_host)) return *std::move(plain);
    if (auto literal = ip_literal(sip_host); !literal.empty()) return literal;
    const auto host = without_trailing_dot(sip_host);
    BOOST_OUTCOME_TRY(domain, convert(&icu::IDNA::nameToUnicodeUTF8, host));
    BOOST_OUTCOME_TRY(ascii, domain_to_sip(domain));
    // A wrong A-label is one that its own U-label does not lead back to.
    if (!std::ranges::equal(ascii, host, [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b + 32 : b); }))
        return fail(Code::unmappable, "A-label that stands for nothing");
    if (domain.size() > kMaxPart_octets) return fail(Code::too_large, "domain over 1,023 octets");
    // Sharp s and its like: a server that maps them would hand the stanza to somebody else's domain.
    if (!is_nameprepped(domain)) return fail(Code::unmappable, "domain that nameprep changes");
    return std::move(domain);
}

Result<std::string> domain_to_sip(std::string_view jid_domain) {
    if (auto plain = ascii::domain(jid_domain)) return *std::move(plain);
    if (auto literal = ip_literal(jid_domain); !literal.empty()) return literal;
    if (jid_domain.size() > kMaxPart_octets) return fail(Code::too_large, "domain over 1,023 octets");
    BOOST_OUTCOME_TRY(host, convert(&icu::IDNA::nameToASCII_UTF8, without_trailing_dot(jid_domain)));
    // IDNA allows names that SIP does not: a last label of digits, or a second trailing dot.
    if (host.ends_with('.')) return fail(Code::unmappable, "no SIP host");
    if (const auto uri = sip::Uri::parse("sip:" + host); !uri || uri.value().host != host)
        return fail(Code::unmappable, "no SIP host");
    return std::move(host);
}

// Where preparation would turn what stands beside an escape into another escape, or break one (a combining mark after \3c), the
// localpart would name someone else: there is no such JID.
Result<std::string> text_to_localpart(std::string_view text) {
    if (text.empty()) return fail(Code::unmappable, "no user");
    BOOST_OUTCOME_TRY(localpart, prepare_localpart(escape_localpart(text)));
    const auto unescaped = unescape_localpart(localpart);
    BOOST_OUTCOME_TRY(meant, fold(text));
    BOOST_OUTCOME_TRY(made, fold(unescaped));
    if (meant != made || escape_localpart(unescaped) != localpart)
        return fail(Code::unmappable, "escapes that preparation changes");
    if (has_space_at_end(localpart)) return fail(Code::unmappable, "space at an end of the user");
    return std::move(localpart);
}

Result<std::string> localpart_to_text(std::string_view localpart) {
    if (localpart.size() > kMaxPart_octets) return fail(Code::too_large, "localpart over 1,023 octets");
    BOOST_OUTCOME_TRY(prepared, prepare_localpart(localpart));
    if (has_space_at_end(prepared)) return fail(Code::unmappable, "space at an end of the localpart");
    return unescape_localpart(prepared);
}

Result<std::string> user_to_localpart(std::string_view userinfo) {
    BOOST_OUTCOME_TRY(text, sip::percent_decode(userinfo.substr(0, userinfo.find(':'))));
    return text_to_localpart(text);
}

Result<std::string> localpart_to_user(std::string_view localpart) {
    BOOST_OUTCOME_TRY(text, localpart_to_text(localpart));
    return sip::percent_encode_user(text);
}

Result<std::string> localpart_to_im_user(std::string_view localpart) {
    static constexpr std::string_view kOnlySip = "(),/;?";  // raw in a SIP user, escaped in a mailbox
    BOOST_OUTCOME_TRY(text, localpart_to_text(localpart));
    std::string user;
    for (const char c : sip::percent_encode_user(text)) {
        // A mailbox has no dot at an end and no two in a row (RFC 2822 §3.2.4).
        const bool stray_dot = c == '.' && (user.empty() || user.ends_with('.'));
        if (kOnlySip.find(c) == std::string_view::npos && !stray_dot) {
            user += c;
            continue;
        }
        static constexpr char kHex[] = "0123456789ABCDEF";
        user.append({'%', kHex[c >> 4], kHex[c & 15]});
    }
    if (user.ends_with('.')) user.replace(user.size() - 1, 1, "%2E");
    return user;
}

Result<std::string> gr_to_resource(const sip::Uri& uri) {
    const auto* gr = uri.parameter("gr");
    if (!gr) return std::string{};
    if (!gr->value) return fail(Code::unmappable, "temporary GRUU");
    BOOST_OUTCOME_TRY(octets, sip::percent_decode(*gr->value));
    return prepare_resource(octets);
}

Result<xmpp::Jid> to_jid_native(const sip::Uri& uri) {
    BOOST_OUTCOME_TRYV(check_mappable(uri));
    BOOST_OUTCOME_TRY(local, user_to_localpart(uri.user));
    BOOST_OUTCOME_TRY(domain, domain_to_jid(uri.host));
    BOOST_OUTCOME_TRY(resource, gr_to_resource(uri));
    return xmpp::Jid{std::move(local), std::move(domain), std::move(resource)};
}

Result<xmpp::Jid> to_jid_nested(const sip::Uri& uri, std::string_view component) {
    BOOST_OUTCOME_TRYV(check_mappable(uri));
    BOOST_OUTCOME_TRYV(user_to_localpart(uri.user));  // who has no JID by itself has none here either
    BOOST_OUTCOME_TRY(user, sip::percent_decode(uri.user));
    BOOST_OUTCOME_TRY(domain, domain_to_jid(uri.host));
    BOOST_OUTCOME_TRY(local, text_to_localpart(user + '@' + domain));
    BOOST_OUTCOME_TRY(resource, gr_to_resource(uri));
    return xmpp::Jid{std::move(local), std::string(component), std::move(resource)};
}

Result<sip::Uri> to_uri_native(const xmpp::Jid& jid) {
    sip::Uri uri;
    if (!jid.local.empty()) {
        BOOST_OUTCOME_TRY(user, localpart_to_user(jid.local));
        uri.user = std::move(user);
    }
    BOOST_OUTCOME_TRY(host, domain_to_sip(jid.domain));
    uri.host = std::move(host);
    return uri;
}

Result<sip::Uri> to_uri_nested(const xmpp::Jid& jid, std::string_view default_domain) {
    BOOST_OUTCOME_TRY(text, localpart_to_text(jid.local));
    std::string_view user = text, domain = default_domain;
    if (const auto at = split_at(user); at != std::string_view::npos) {
        domain = user.substr(at + 1);
        user = user.substr(0, at);
    }
    if (user.empty()) return fail(Code::unmappable, "no user");
    if (domain.empty()) return fail(Code::unmappable, "no SIP domain");
    sip::Uri uri;
    uri.user = sip::percent_encode_user(user);
    BOOST_OUTCOME_TRY(host, domain_to_sip(domain));
    uri.host = std::move(host);
    return uri;
}

}  // namespace stox
