#include "mapping/core/ids.h"

#include <cstring>

namespace stox {

std::string Trace::to_string() const {
    static constexpr char kHex[] = "0123456789abcdef";
    std::string text(16, '0');
    for (unsigned i = 0; i < 16; ++i) text[i] = kHex[(bits >> (60 - 4 * i)) & 0xf];
    return text;
}

Trace IdGenerator::trace() {
    std::array<std::uint8_t, 8> octets;
    fill_(octets);
    Trace trace;
    std::memcpy(&trace.bits, octets.data(), octets.size());
    return trace;
}

std::string IdGenerator::wire_id() {
    // Base 32 in lower case: RFC 4648's letters, so that a peer that folds case cannot break an id. 5 bits an octet are kept.
    static constexpr char kAlphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
    std::array<std::uint8_t, 26> octets;
    fill_(octets);
    std::string id(octets.size(), 'a');
    for (std::size_t i = 0; i < octets.size(); ++i) id[i] = kAlphabet[octets[i] & 31];
    id[0] = kAlphabet[octets[0] & 15];  // a letter first
    return id;
}

}  // namespace stox
