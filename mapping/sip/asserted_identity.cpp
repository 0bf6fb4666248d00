#include "mapping/sip/asserted_identity.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

namespace stox::sip {

namespace {

constexpr std::size_t kMostValues = 4;
constexpr std::size_t kLongestValue = 1'024;

bool same_word(std::string_view one, std::string_view other) {
    return std::ranges::equal(one, other, [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
}

std::string_view trim(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r\n";
    const auto first = text.find_first_not_of(kSpace);
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

/// Where the value that starts at `text` ends: a comma outside quotes and angle brackets.
std::size_t value_end(std::string_view text) {
    bool quoted = false, bracket = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (quoted && text[i] == '\\')
            ++i;
        else if (text[i] == '"' && !bracket)
            quoted = !quoted;
        else if (!quoted && (text[i] == '<' || text[i] == '>'))
            bracket = text[i] == '<';
        else if (text[i] == ',' && !quoted && !bracket)
            return i;
    }
    return text.size();
}

/// Where a display name ends and `<` begins; npos: no angle bracket outside quotes.
std::size_t bracket_in(std::string_view text) {
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (quoted && text[i] == '\\')
            ++i;
        else if (text[i] == '"')
            quoted = !quoted;
        else if (text[i] == '<' && !quoted)
            return i;
    }
    return text.npos;
}

std::string unquote(std::string_view text) {
    if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::string(text);
    std::string plain;
    for (std::size_t i = 1; i + 1 < text.size(); ++i) {
        if (text[i] == '\\' && i + 2 < text.size()) ++i;
        plain += text[i];
    }
    return plain;
}

std::optional<NameAddr> read(std::string_view text) {
    if (text.size() > kLongestValue) return std::nullopt;
    NameAddr identity;
    auto uri = trim(text);
    if (const auto open = bracket_in(text); open != text.npos) {
        const auto close = text.find('>', open);
        if (close == text.npos) return std::nullopt;
        identity.display_name = unquote(trim(text.substr(0, open)));
        uri = text.substr(open + 1, close - open - 1);
    } else {
        uri = uri.substr(0, uri.find(';'));  // without brackets parameters are the header's
    }
    auto parsed = Uri::parse(uri);
    if (!parsed) return std::nullopt;
    identity.uri = std::move(parsed).value();
    return identity;
}

}  // namespace

std::optional<NameAddr> asserted_identity(const std::vector<Header>& headers, Asserted wanted) {
    std::optional<NameAddr> address;
    std::size_t values = 0;
    for (const auto& header : headers) {
        if (!same_word(header.name, "P-Asserted-Identity")) continue;
        for (std::string_view rest = header.value; !rest.empty() && ++values <= kMostValues;) {
            const auto end = value_end(rest);
            auto identity = read(rest.substr(0, end));
            const bool number = identity && identity->uri.scheme == Scheme::tel && wanted == Asserted::number;
            if (number) return identity;
            if (identity && !address && (identity->uri.scheme == Scheme::sip || identity->uri.scheme == Scheme::sips))
                address = std::move(identity);
            if (address && wanted == Asserted::address) return address;
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
    }
    return address;
}

bool wants_privacy(const std::vector<Header>& headers) {
    static constexpr std::array<std::string_view, 4> kHiding{"id", "user", "header", "session"};
    for (const auto& header : headers) {
        if (!same_word(header.name, "Privacy")) continue;
        for (std::string_view rest = header.value; !rest.empty();) {
            const auto end = std::min(rest.find_first_of(";,"), rest.size());
            const auto word = trim(rest.substr(0, end));
            if (std::ranges::any_of(kHiding, [&](auto hiding) { return same_word(word, hiding); })) return true;
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
    }
    return false;
}

}  // namespace stox::sip
