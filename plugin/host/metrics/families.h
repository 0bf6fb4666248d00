#pragma once
// The views as metric families: which column is which metric, under a name that stays. Labels are the label columns of the row:
// domains, peers, and words of our own; a table whose labels come from strangers or name people (bans, traces, errors) is no metric.

#include "plugin/engine/views.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stox::host {

enum class MetricType {
    gauge,
    counter,  ///< samples are of NAME_total
    info,     ///< samples are of NAME_info, always 1; what is said stands in the labels
};

struct MetricLabel {
    std::string_view name;
    std::string value;
};

struct MetricSample {
    std::vector<MetricLabel> labels;
    std::uint64_t value = 0;
};

struct MetricFamily {
    std::string_view name;  ///< without _total or _info
    MetricType type = MetricType::gauge;
    std::string_view unit;  ///< "seconds", the end of the name; empty: a number of things
    std::string_view help;
    std::vector<MetricSample> samples;
};

/// One column of a view that is a metric.
struct MetricRow {
    std::string_view table, column;
    std::string_view name;
    MetricType type;
    std::string_view help;
    std::string_view unit{};
};
std::span<const MetricRow> metric_rows();

/// That so many samples had no place in an answer.
MetricFamily left_out_samples(std::uint64_t count);

/// In the order of metric_rows(); families without samples are there all the same. Of a limit of a single user nothing is said.
std::vector<MetricFamily> to_families(const std::vector<engine::Table>& tables);

}  // namespace stox::host
