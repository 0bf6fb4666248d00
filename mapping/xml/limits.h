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

/// What becomes of comments and processing instructions: no stanza may have one (RFC 6120 §11.1), any document may.
enum class Remarks { forbidden, passed_over };

}  // namespace stox::xml
