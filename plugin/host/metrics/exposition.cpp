#include "plugin/host/metrics/exposition.h"

namespace stox::host {

namespace {

/// As both formats want it in a quoted label value; in a HELP line of the older one a quote stands as it is.
std::string escaped(std::string_view text, bool quoted) {
    std::string out;
    for (const char c : text) {
        if (c == '\\')
            out += "\\\\";
        else if (c == '\n')
            out += "\\n";
        else if (c == '"' && quoted)
            out += "\\\"";
        else
            out += c;
    }
    return out;
}

std::string_view suffix(MetricType type) {
    switch (type) {
        case MetricType::counter:
            return "_total";
        case MetricType::info:
            return "_info";
        case MetricType::gauge:
            break;
    }
    return {};
}

/// The older format knows no info, and calls a counter as it calls its samples.
std::string head(const MetricFamily& family, Exposition exposition) {
    const bool open = exposition == Exposition::openmetrics;
    const auto name = std::string(family.name) + (open ? std::string() : std::string(suffix(family.type)));
    const std::string_view type = family.type == MetricType::counter ? "counter" : family.type == MetricType::info && open ? "info" : "gauge";
    auto text = "# TYPE " + name + ' ' + std::string(type) + '\n';
    if (open && !family.unit.empty()) text += "# UNIT " + name + ' ' + std::string(family.unit) + '\n';
    return text + "# HELP " + name + ' ' + escaped(family.help, open) + '\n';
}

std::string line(const MetricFamily& family, const MetricSample& sample) {
    auto text = std::string(family.name) + std::string(suffix(family.type));
    char before = '{';
    for (const auto& label : sample.labels) {
        text += before + std::string(label.name) + "=\"" + escaped(label.value, true) + '"';
        before = ',';
    }
    if (!sample.labels.empty()) text += '}';
    return text + ' ' + std::to_string(sample.value) + '\n';
}

}  // namespace

Exposition exposition_for(std::string_view accept) {
    return accept.find("application/openmetrics-text") != accept.npos ? Exposition::openmetrics : Exposition::prometheus;
}

std::string_view content_type(Exposition exposition) {
    return exposition == Exposition::openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                                 : "text/plain; version=0.0.4; charset=utf-8";
}

std::string to_exposition(const std::vector<MetricFamily>& families, Exposition exposition, std::size_t most) {
    std::string text;
    auto left_out = left_out_samples(0);
    for (const auto& family : families) {
        if (family.samples.empty()) continue;
        text += head(family, exposition);
        for (const auto& sample : family.samples) {
            auto one = line(family, sample);
            if (left_out.samples.front().value > 0 || text.size() + one.size() > most)
                ++left_out.samples.front().value;
            else
                text += one;
        }
    }
    text += head(left_out, exposition) + line(left_out, left_out.samples.front());
    return exposition == Exposition::openmetrics ? text + "# EOF\n" : text;
}

}  // namespace stox::host
