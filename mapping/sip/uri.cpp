#include "mapping/sip/uri.h"

#include "mapping/core/endpoint.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace stox::sip {

namespace {

constexpr std::size_t kMaxUri_octets = 4096;  // CORE-29: 1,023 octets may triple when percent-encoded
constexpr std::size_t kMaxHost_octets = 255;
constexpr std::size_t kMaxLabel_octets = 63;

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_alphanum(char c) { return is_digit(c) || is_alpha(c); }
bool one_of(std::string_view set, char c) { return set.find(c) != std::string_view::npos; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string lower(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(), [](char c) { return lower(c); });
    return result;
}

/// What a rule of the grammar allows raw: letters, digits and the mark of RFC 3261 §25.1, and its own.
class CharSet {
public:
    constexpr explicit CharSet(std::string_view own) {
        for (int octet = 0; octet < 256; ++octet) has_[static_cast<std::size_t>(octet)] = is_alphanum(static_cast<char>(octet));
        for (const auto marks : {std::string_view("-_.!~*'()"), own})
            for (const char c : marks) has_[static_cast<unsigned char>(c)] = true;
    }
    constexpr bool has(char c) const { return has_[static_cast<unsigned char>(c)]; }

private:
    std::array<bool, 256> has_{};
};

constexpr CharSet kUnreserved("");
constexpr CharSet kUser("&=+$,;?/");                    // user-unreserved
constexpr CharSet kPassword("&=+$,");                   // password
constexpr CharSet kParameter("[]/:&+$");                // param-unreserved
constexpr CharSet kHeaders("[]/?:+$=&");                // hnv-unreserved and what joins hname and hvalue
constexpr CharSet kHeader("[]/?:+$");                   // hnv-unreserved
constexpr CharSet kMailbox("&=+$,;/#^`{|}");            // RFC 2822 atext as far as senders leave it raw, and , ; /
constexpr std::string_view kVisualSeparators = "-.()";  // RFC 3966 §3

int hex_value(char c) {
    if (is_digit(c)) return c - '0';
    const char l = lower(c);
    return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

bool escape_at(std::string_view text, std::size_t at) {
    return at + 2 < text.size() && hex_value(text[at + 1]) >= 0 && hex_value(text[at + 2]) >= 0;
}

/// Nothing but characters of the set and escaped ones.
bool consists_of(std::string_view text, const CharSet& set) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && escape_at(text, i))
            i += 2;
        else if (!set.has(text[i]))
            return false;
    }
    return true;
}

std::string encode(std::string_view octets, const CharSet& set) {
    static constexpr char kHex[] = "0123456789ABCDEF";
    std::string text;
    for (const char c : octets) {
        const auto octet = static_cast<unsigned char>(c);
        if (set.has(c))
            text += c;
        else
            text.append({'%', kHex[octet >> 4], kHex[octet & 15]});
    }
    return text;
}

bool is_label(std::string_view label) {
    return !label.empty() && label.size() <= kMaxLabel_octets && label.front() != '-' && label.back() != '-' &&
           std::ranges::all_of(label, [](char c) { return is_alphanum(c) || c == '-'; });
}

/// hostname: labels, the last of which starts with a letter; one dot may follow.
bool is_hostname(std::string_view host) {
    if (host.size() > kMaxHost_octets) return false;
    if (host.ends_with('.')) host.remove_suffix(1);
    for (;;) {
        const auto dot = host.find('.');
        const auto label = host.substr(0, dot);
        if (!is_label(label)) return false;
        if (dot == std::string_view::npos) return is_alpha(label.front());
        host.remove_prefix(dot + 1);
    }
}

bool is_host(std::string_view host) {
    if (host.starts_with('[')) return host.ends_with(']') && host.find(':') != std::string_view::npos && Address::parse(host);
    if (host.find(':') != std::string_view::npos) return false;
    return is_hostname(host) || Address::parse(host);
}

Result<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (failure != std::errc{} || end != text.data() + text.size() || port == 0) return fail(Code::malformed, "no port");
    return port;
}

/// host [":" port], from which an IPv6 reference is told by its brackets.
Result<void> parse_hostport(std::string_view text, Uri& uri) {
    const auto colon = text.find(':', text.starts_with('[') ? std::min(text.find(']'), text.size()) : 0);
    const auto host = text.substr(0, colon);
    if (!is_host(host)) return fail(Code::malformed, "no host");
    uri.host = lower(host);
    if (colon != std::string_view::npos) {
        BOOST_OUTCOME_TRY(port, parse_port(text.substr(colon + 1)));
        uri.port = port;
    }
    return ok();
}

/// What follows the first ';'. A name that stands twice has no one meaning and is refused (RFC 3261 §19.1.1).
Result<void> parse_parameters(std::string_view text, Uri& uri) {
    for (bool more = true; more;) {
        const auto end = text.find(';');
        const auto pair = text.substr(0, end);
        const auto equals = pair.find('=');
        UriParameter parameter{lower(pair.substr(0, equals)), std::nullopt};
        if (parameter.name.empty() || !consists_of(parameter.name, kParameter)) return fail(Code::malformed, "no parameter name");
        if (equals != std::string_view::npos) {
            parameter.value = pair.substr(equals + 1);
            if (parameter.value->empty() || !consists_of(*parameter.value, kParameter))
                return fail(Code::malformed, "no value of parameter " + parameter.name);
        }
        if (uri.parameter(parameter.name)) return fail(Code::malformed, "parameter " + parameter.name + " stands twice");
        uri.parameters.push_back(std::move(parameter));
        more = end != std::string_view::npos;
        if (more) text.remove_prefix(end + 1);
    }
    return ok();
}

/// Cuts "?headers" off. Only the grammar is looked at.
Result<void> cut_headers(std::string_view& text, Uri& uri) {
    const auto mark = text.find('?');
    if (mark == std::string_view::npos) return ok();
    const auto headers = text.substr(mark + 1);
    if (headers.empty() || !consists_of(headers, kHeaders)) return fail(Code::malformed, "headers of a URI");
    uri.has_headers = true;
    text = text.substr(0, mark);
    return ok();
}

Result<void> parse_sip(std::string_view text, Uri& uri) {
    // userinfo may hold ';' and '?', and nothing but the separator may be a raw '@': it is looked for first.
    if (const auto at = text.find('@'); at != std::string_view::npos) {
        const auto userinfo = text.substr(0, at);
        const auto colon = userinfo.find(':');
        const auto user = userinfo.substr(0, colon);
        if (user.empty() || !consists_of(user, kUser)) return fail(Code::malformed, "userinfo");
        if (colon != std::string_view::npos && !consists_of(userinfo.substr(colon + 1), kPassword))
            return fail(Code::malformed, "password in userinfo");
        uri.user = user;
        text.remove_prefix(at + 1);
    }
    BOOST_OUTCOME_TRYV(cut_headers(text, uri));
    const auto semicolon = text.find(';');
    BOOST_OUTCOME_TRYV(parse_hostport(text.substr(0, semicolon), uri));
    if (semicolon != std::string_view::npos) return parse_parameters(text.substr(semicolon + 1), uri);
    return ok();
}

/// im: and pres: hold a mailbox; no port, no parameters.
Result<void> parse_mailbox(std::string_view text, Uri& uri) {
    BOOST_OUTCOME_TRYV(cut_headers(text, uri));
    const auto at = text.find('@');
    if (at == std::string_view::npos || at == 0) return fail(Code::malformed, "no mailbox");
    if (!consists_of(text.substr(0, at), kMailbox)) return fail(Code::malformed, "local part of a mailbox");
    uri.user = text.substr(0, at);
    text.remove_prefix(at + 1);
    if (!is_host(text)) return fail(Code::malformed, "no host");
    uri.host = lower(text);
    return ok();
}

Result<void> parse_tel(std::string_view text, Uri& uri) {
    const auto semicolon = text.find(';');
    const auto number = text.substr(0, semicolon);
    const bool global = number.starts_with('+');
    const auto is_number_digit = [global](char c) {
        return is_digit(c) || (!global && (hex_value(c) >= 0 || c == '*' || c == '#'));
    };
    for (std::size_t i = global ? 1 : 0; i < number.size(); ++i) {
        if (!global && number.substr(i, 3) == "%23")  // '#' as a careful sender writes it
            i += 2;
        else if (!is_number_digit(number[i]) && !one_of(kVisualSeparators, number[i]))
            return fail(Code::malformed, "telephone number");
    }
    if (std::ranges::none_of(number, is_number_digit)) return fail(Code::malformed, "telephone number without digits");
    uri.user = number;
    if (semicolon != std::string_view::npos) return parse_parameters(text.substr(semicolon + 1), uri);
    return ok();
}

struct SchemeRow {
    Scheme scheme;
    std::string_view name;
    Result<void> (*parse)(std::string_view, Uri&);
};

constexpr std::array kSchemes{
    SchemeRow{Scheme::sip, "sip", parse_sip},       SchemeRow{Scheme::sips, "sips", parse_sip},
    SchemeRow{Scheme::tel, "tel", parse_tel},       SchemeRow{Scheme::im, "im", parse_mailbox},
    SchemeRow{Scheme::pres, "pres", parse_mailbox},
};

}  // namespace

Result<Uri> Uri::parse(std::string_view text) {
    if (text.size() > kMaxUri_octets) return fail(Code::too_large, "URI over 4,096 octets");
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) return fail(Code::malformed, "URI without scheme");
    const auto row = std::ranges::find_if(kSchemes, [name = text.substr(0, colon)](const SchemeRow& one) {
        return std::ranges::equal(name, one.name, {}, [](char c) { return lower(c); });
    });
    if (row == kSchemes.end()) return fail(Code::unsupported, "URI scheme");
    Uri uri;
    uri.scheme = row->scheme;
    BOOST_OUTCOME_TRYV(row->parse(text.substr(colon + 1), uri));
    return uri;
}

const UriParameter* Uri::parameter(std::string_view name) const {
    const auto found = std::ranges::find(parameters, name, &UriParameter::name);
    return found == parameters.end() ? nullptr : &*found;
}

std::string Uri::to_string() const {
    const auto row = std::ranges::find(kSchemes, scheme, &SchemeRow::scheme);
    std::string text;
    text.reserve(user.size() + host.size() + 16 + 32 * parameters.size());
    text.append(row->name).append(1, ':').append(user);
    if (!user.empty() && scheme != Scheme::tel) text += '@';
    text += host;
    if (port) text.append(1, ':').append(std::to_string(*port));
    for (const auto& parameter : parameters) {
        text.append(1, ';').append(parameter.name);
        if (parameter.value) text.append(1, '=').append(*parameter.value);
    }
    return text;
}

Result<std::string> percent_decode(std::string_view text) {
    std::string octets;
    octets.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            octets += text[i];
        } else if (escape_at(text, i)) {
            octets += static_cast<char>(hex_value(text[i + 1]) << 4 | hex_value(text[i + 2]));
            i += 2;
        } else {
            return fail(Code::malformed, "'%' without two hex digits");
        }
    }
    return octets;
}

std::string percent_encode_user(std::string_view octets) { return encode(octets, kUser); }
std::string canonical_user(std::string_view user) {
    std::string canonical;
    for (std::size_t i = 0; i < user.size(); ++i) {
        if (user[i] != '%' || !escape_at(user, i)) {
            canonical += user[i];
            continue;
        }
        const auto octet = static_cast<char>(hex_value(user[i + 1]) << 4 | hex_value(user[i + 2]));
        canonical += encode({&octet, 1}, kUnreserved);
        i += 2;
    }
    return canonical;
}

std::string percent_encode_parameter(std::string_view octets) { return encode(octets, kParameter); }
std::string percent_encode_header(std::string_view octets) { return encode(octets, kHeader); }

}  // namespace stox::sip
