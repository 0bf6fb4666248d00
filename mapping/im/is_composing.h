#pragma once
// isComposing (RFC 3994): somebody writes, or does no longer.

#include "mapping/core/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace stox::im {

inline constexpr std::string_view kIsComposingType = "application/im-iscomposing+xml";
inline constexpr std::uint32_t kDefaultRefresh_s = 120;  // RFC 3994 §3.3

struct IsComposing {
    bool active = false;                          ///< a state that is neither active nor idle is idle
    std::uint32_t refresh_s = kDefaultRefresh_s;  ///< how long `active` holds without another one; 60 at least

    friend bool operator==(const IsComposing&, const IsComposing&) = default;
};

/// errors  malformed: no isComposing document, or one without state; forbidden, too_large: as of xml::read_document
Result<IsComposing> read_is_composing(std::string_view document);
/// With refresh when it is active.
std::string write_is_composing(const IsComposing& status);

}  // namespace stox::im
