#pragma once
// Names that could be taken for other names.   (UTS 39; CORE-73)

#include <string_view>

namespace stox {

/// Whether a localpart mixes scripts in a way that no language writes them (UTS 39 §5.2, above "highly restrictive"), or looks
/// like Latin letters without holding any. Worth a line for the operator and no refusal: many honest names look odd.
bool is_confusable(std::string_view localpart);

}  // namespace stox
