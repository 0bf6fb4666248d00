#pragma once
// Levels of the log by their names.

#include "plugin/engine/engine.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace stox::host {

inline constexpr std::array<std::string_view, 4> kLevels{"error", "warn", "info", "debug"};

/// Anything unknown is info.
inline engine::Level parse_level(std::string_view name) {
    const auto found = std::ranges::find(kLevels, name);
    return found == kLevels.end() ? engine::Level::info : static_cast<engine::Level>(found - kLevels.begin());
}

inline std::string_view to_string(engine::Level level) { return kLevels[static_cast<std::size_t>(level)]; }

}  // namespace stox::host
