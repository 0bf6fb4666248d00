#pragma once
// Metric families as the text that collectors read.

#include "plugin/host/metrics/families.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace stox::host {

enum class Exposition {
    prometheus,   ///< text format 0.0.4
    openmetrics,  ///< OpenMetrics 1.0
};

/// The one that a collector asks for by its Accept header.
Exposition exposition_for(std::string_view accept);
std::string_view content_type(Exposition exposition);

/// Octets of one answer; far above what a hundred domains with ten peers each take.
inline constexpr std::size_t kMostExposition = 4u << 20;

/// What is longer than `most` is cut at a sample; stox_left_out_samples says how many have no room.
std::string to_exposition(const std::vector<MetricFamily>& families, Exposition exposition, std::size_t most = kMostExposition);

}  // namespace stox::host
