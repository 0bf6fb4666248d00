#include "sip/encode.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace stox::sip {

namespace {

bool consists_of(std::string_view text, std::string_view marks) {
    return !text.empty() && std::ranges::all_of(text, [&](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || marks.find(c) != marks.npos;
    });
}

/// RFC 3261 §25.1 `token`.
bool is_token(std::string_view name) { return consists_of(name, "-.!%*_+`'~"); }

/// RFC 3261 §25.1 `callid`, whose two words may hold more than a token.
bool is_call_id(std::string_view id) { return consists_of(id, "-.!%*_+`'~()<>:\\\"/[]?{}@"); }

bool is_written_as_read(const Uri& uri) { return static_cast<bool>(Uri::parse(uri.to_string())); }

/// Long and compact names (RFC 3261 §20). A second one of these would let two readers see two messages.
bool is_reserved(std::string_view name) {
    constexpr std::array<std::string_view, 16> kReserved{
        "via",          "v", "from",         "f",     "to",          "t", "call-id", "i", "cseq", "content-length", "l",
        "content-type", "c", "max-forwards", "route", "record-route"};
    std::string lower(name);
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return std::ranges::find(kReserved, lower) != kReserved.end();
}

}  // namespace

std::string header_value(std::string_view value) {
    std::string clean(value);
    std::ranges::replace_if(
        clean, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
    return clean;
}

std::string name_addr_value(const NameAddr& address) {
    std::string text;
    if (!address.display_name.empty()) {
        text += '"';
        for (const char c : header_value(address.display_name)) {
            if (c == '"' || c == '\\') text += '\\';
            text += c;
        }
        text += "\" ";
    }
    text += '<' + header_value(address.uri.to_string()) + '>';
    if (!address.tag.empty()) text += ";tag=" + header_value(address.tag);
    return text;
}

std::string header_lines(const std::vector<Header>& headers) {
    std::string lines;
    for (const auto& header : headers)
        if (is_token(header.name) && !is_reserved(header.name)) lines += header.name + ": " + header_value(header.value) + "\r\n";
    return lines;
}

Result<void> check_writable(const Request& request) {
    if (!is_token(request.method)) return fail(Code::malformed, "method");
    if (!is_written_as_read(request.uri)) return fail(Code::malformed, "Request-URI");
    for (const auto* address : {&request.from, &request.to}) {
        if (!is_written_as_read(address->uri)) return fail(Code::malformed, "From or To");
        if (!address->tag.empty() && !is_token(address->tag)) return fail(Code::malformed, "tag");
    }
    if (!is_call_id(request.call_id)) return fail(Code::malformed, "Call-ID");
    return ok();
}

}  // namespace stox::sip
