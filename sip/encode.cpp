#include "sip/encode.h"

#include <algorithm>
#include <cctype>

namespace stox::sip {

namespace {

/// RFC 3261 §25.1 `token`.
bool is_token(std::string_view name) {
    constexpr std::string_view kMarks = "-.!%*_+`'~";
    return !name.empty() && std::ranges::all_of(name, [&](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) || kMarks.find(c) != kMarks.npos;
    });
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
        if (is_token(header.name)) lines += header.name + ": " + header_value(header.value) + "\r\n";
    return lines;
}

}  // namespace stox::sip
