#pragma once
// Octets that end a run of others, looked up in a table: markup is searched through at the cost of one load for each octet.

#include <algorithm>
#include <array>
#include <string_view>

namespace stox::xml {

class OctetSet {
public:
    constexpr explicit OctetSet(std::string_view octets) {
        for (const char octet : octets) add(octet);
    }
    constexpr void add(char octet) { has_[static_cast<unsigned char>(octet)] = true; }
    constexpr bool has(char octet) const { return has_[static_cast<unsigned char>(octet)]; }
    /// The first of them, or `end`.
    const char* find(const char* at, const char* end) const {
        return std::find_if(at, end, [this](char octet) { return has(octet); });
    }

private:
    std::array<bool, 256> has_{};
};

inline constexpr OctetSet kSpaces(" \t\r\n");

}  // namespace stox::xml
