#pragma once
// How much of one stanza, or of one document, is taken.

#include <cstddef>

namespace stox::xml {

struct Limits {
    std::size_t stanza_octets = 262'144;  ///< of one stanza as it came over the wire
    std::size_t depth = 64;               ///< elements inside one another, the stanza itself counted
    std::size_t attributes = 128;         ///< of one element
    std::size_t children = 4'096;         ///< of one element
};

}  // namespace stox::xml
