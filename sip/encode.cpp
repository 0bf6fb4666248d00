#include "sip/encode.h"

#include <algorithm>
#include <array>

namespace stox::sip {

namespace {

bool consists_of(std::string_view text, std::string_view marks) {
    return !text.empty() && std::ranges::all_of(text, [&](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || marks.find(c) != marks.npos;
    });
}

/// RFC 3261 §25.1 `callid`, whose two words may hold more than a token.
bool is_call_id(std::string_view id) { return consists_of(id, "-.!%*_+`'~()<>:\\\"/[]?{}@"); }

bool is_written_as_read(const Uri& uri) {
    const auto read = Uri::parse(uri.to_string());
    return read && read.value() == uri;
}

/// RFC 3261 §25.1 `quoted-string`: its quotes, and none between them but after a backslash. Octets over 0x7f are UTF-8.
bool is_quoted_string(std::string_view text) {
    if (text.size() < 2 || text.front() != '"' || text.back() != '"') return false;
    text = text.substr(1, text.size() - 2);
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto octet = static_cast<unsigned char>(text[i]);
        if (octet < 0x20 || octet == 0x7f || text[i] == '"') return false;
        if (text[i] == '\\' && (++i == text.size() || static_cast<unsigned char>(text[i]) < 0x20)) return false;
    }
    return true;
}

/// RFC 3261 §25.1 `generic-param`; the brackets and colons are those of an IPv6 host.
bool is_parameter(const UriParameter& parameter) {
    return is_token(parameter.name) &&
           (!parameter.value || consists_of(*parameter.value, "-.!%*_+`'~[]:") || is_quoted_string(*parameter.value));
}

bool is_tag(std::string_view tag) { return tag.empty() || is_token(tag); }

bool is_address(const NameAddr& address) {
    return is_written_as_read(address.uri) && is_tag(address.tag) && std::ranges::all_of(address.parameters, is_parameter);
}

/// Long and compact names (RFC 3261 §20). A second one of these would let two readers see two messages.
bool is_reserved(std::string_view name) {
    constexpr std::array<std::string_view, 16> kReserved{
        "via",          "v", "from",         "f",     "to",          "t", "call-id", "i", "cseq", "content-length", "l",
        "content-type", "c", "max-forwards", "route", "record-route"};
    return std::ranges::any_of(kReserved, [name](std::string_view reserved) { return is_named(name, reserved); });
}

void append_value(std::string& text, std::string_view value) {
    const auto begin = text.size();
    text += value;
    std::transform(value.begin(), value.end(), text.begin() + static_cast<std::ptrdiff_t>(begin), printable);
}

}  // namespace

bool is_named(std::string_view name, std::string_view lower) {
    return std::ranges::equal(name, lower, {}, [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
}

bool is_header_of_callers(std::string_view name) { return is_token(name) && !is_reserved(name); }

bool is_token(std::string_view text) { return consists_of(text, "-.!%*_+`'~"); }

std::string header_value(std::string_view value) {
    std::string clean;
    append_value(clean, value);
    return clean;
}

std::string name_addr_value(const NameAddr& address) {
    std::string text;
    text.reserve(128);
    if (!address.display_name.empty()) {
        text += '"';
        for (const char c : header_value(address.display_name)) {
            if (c == '"' || c == '\\') text += '\\';
            text += c;
        }
        text += "\" ";
    }
    text += '<';
    append_value(text, address.uri.to_string());
    text += '>';
    if (!address.tag.empty()) append_value(text += ";tag=", address.tag);
    for (const auto& parameter : address.parameters) {
        append_value(text += ';', parameter.name);
        if (parameter.value) append_value(text += '=', *parameter.value);
    }
    return text;
}

std::string name_addr_list(const std::vector<NameAddr>& addresses) {
    std::string text;
    for (const auto& address : addresses) text += (text.empty() ? "" : ", ") + name_addr_value(address);
    return text;
}

bool are_writable(const std::vector<NameAddr>& addresses) {
    return std::ranges::all_of(addresses, [](const NameAddr& address) {
        const bool dialled = address.uri.scheme == Scheme::sip || address.uri.scheme == Scheme::sips;
        return dialled && !address.uri.host.empty() && is_address(address);
    });
}

std::string header_lines(const std::vector<Header>& headers) {
    std::string lines;
    for (const auto& header : headers) {
        if (!is_header_of_callers(header.name)) continue;
        lines += header.name;
        lines += ": ";
        append_value(lines, header.value);
        lines += "\r\n";
    }
    return lines;
}

Result<void> check_writable(const Request& request) {
    if (!is_token(request.method)) return fail(Code::malformed, "method");
    if (!is_written_as_read(request.uri)) return fail(Code::malformed, "Request-URI");
    if (!is_address(request.from) || !is_address(request.to)) return fail(Code::malformed, "From or To");
    if (!are_writable(request.contacts)) return fail(Code::malformed, "Contact");
    if (!are_writable(request.routes)) return fail(Code::malformed, "Route");
    if (!is_call_id(request.call_id)) return fail(Code::malformed, "Call-ID");
    return ok();
}

}  // namespace stox::sip
