#include "mapping/presence/tuple_id.h"

#include "mapping/utf8.h"

#include <algorithm>
#include <array>
#include <optional>

namespace stox::presence {

namespace {

constexpr std::string_view kPlain = "ID-", kHex = "IDX-", kDigits = "0123456789abcdef";

struct Range {
    UChar32 first, last;
};

// NameChar of XML 1.0 (fifth edition, §2.3) without the colon.
constexpr std::array kNameCharacters{
    Range{0x2D, 0x2E},     Range{0x30, 0x39},     Range{0x41, 0x5A},       Range{0x5F, 0x5F},     Range{0x61, 0x7A},
    Range{0xB7, 0xB7},     Range{0xC0, 0xD6},     Range{0xD8, 0xF6},       Range{0xF8, 0x37D},    Range{0x37F, 0x1FFF},
    Range{0x200C, 0x200D}, Range{0x203F, 0x2040}, Range{0x2070, 0x218F},   Range{0x2C00, 0x2FEF}, Range{0x3001, 0xD7FF},
    Range{0xF900, 0xFDCF}, Range{0xFDF0, 0xFFFD}, Range{0x10000, 0xEFFFF},
};

bool is_name(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const auto point = next_code_point(text, at);
        if (std::ranges::none_of(kNameCharacters, [point](Range one) { return point >= one.first && point <= one.last; }))
            return false;
    }
    return true;
}

std::optional<std::string> from_hex(std::string_view text) {
    if (text.empty() || text.size() % 2 != 0) return std::nullopt;
    std::string octets;
    for (std::size_t at = 0; at < text.size(); at += 2) {
        const auto high = kDigits.find(text[at]), low = kDigits.find(text[at + 1]);
        if (high == kDigits.npos || low == kDigits.npos) return std::nullopt;
        octets += static_cast<char>(high << 4 | low);
    }
    return octets;
}

}  // namespace

std::string tuple_id(std::string_view resource) {
    if (is_name(resource)) return std::string(kPlain).append(resource);
    std::string id(kHex);
    for (const char c : resource) {
        const auto octet = static_cast<unsigned char>(c);
        (id += kDigits[octet >> 4]) += kDigits[octet & 15];
    }
    return id;
}

std::string tuple_resource(std::string_view id) {
    if (id.starts_with(kPlain)) return std::string(id.substr(kPlain.size()));
    auto decoded = id.starts_with(kHex) ? from_hex(id.substr(kHex.size())) : std::nullopt;
    return decoded ? *std::move(decoded) : std::string(id);
}

}  // namespace stox::presence
