#pragma once
// MIME entities inside a body (RFC 2045, RFC 2046): header lines, transfer encodings, multiparts. Octets stay octets.

#include "mapping/core/result.h"
#include "mapping/sip/header_values.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace stox::im {

inline constexpr std::size_t kMaxParts = 32;         ///< of one multipart
inline constexpr std::size_t kMaxMimeHeaders = 32;   ///< of one entity
inline constexpr std::size_t kMaxHeaderLine = 2048;  ///< octets, folded lines together

struct Entity {
    std::vector<sip::Header> headers;  ///< unfolded
    std::string body;

    /// The first of that name (any case), or null.
    const std::string* header(std::string_view name) const;
    friend bool operator==(const Entity&, const Entity&) = default;
};

/// "text/plain; charset=utf-8": the type in lower case and its parameters.
/// errors  unsupported: no type of the form a/b
Result<sip::ParameterizedValue> read_media_type(std::string_view text);

/// Header lines up to an empty one, then the body. No header lines at all is an empty line at once.
/// errors  malformed: a line that is no header; too_large: over a limit above
Result<Entity> read_entity(std::string_view octets);

/// What a Content-Transfer-Encoding of an entity hides; 7bit, 8bit and binary hide nothing.
/// errors  unsupported: another encoding; malformed: octets that are not of it
Result<std::string> decode_transfer(const Entity& entity);

/// The parts of a multipart body, in order; what stands before the first boundary and after the last is no part. A body that
/// ends without its last boundary ends its last part.   (RFC 2046 §5.1.1)
/// boundary  as the type's parameter gives it
/// errors    malformed: a boundary that cannot be one, no part at all; too_large: more than kMaxParts
Result<std::vector<Entity>> read_multipart(std::string_view body, std::string_view boundary);

/// A multipart body of those parts. None of them may hold a line that starts with the boundary: it is random.
std::string write_multipart(const std::vector<Entity>& parts, std::string_view boundary);

}  // namespace stox::im
