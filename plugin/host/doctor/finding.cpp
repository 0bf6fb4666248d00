#include "plugin/host/doctor/finding.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>

namespace stox::doctor {

namespace {

std::ptrdiff_t count(const std::vector<Finding>& findings, Level level) {
    return std::ranges::count(findings, level, &Finding::level);
}

std::string padded(std::string_view word, std::size_t width) {
    std::string text(word);
    text.resize(std::max(width, text.size() + 1), ' ');
    return text;
}

/// "1 error", "2 errors".
std::string counted(std::ptrdiff_t number, const char* word) {
    return std::to_string(number) + ' ' + word + (number == 1 ? "" : "s");
}

}  // namespace

std::string_view to_string(Level level) {
    switch (level) {
        case Level::ok:
            return "ok";
        case Level::warning:
            return "warning";
        case Level::error:
            break;
    }
    return "error";
}

int exit_status(const std::vector<Finding>& findings) {
    if (count(findings, Level::error)) return 2;
    return count(findings, Level::warning) ? 1 : 0;
}

std::string as_text(const std::vector<Finding>& findings) {
    std::string text;
    for (const auto& finding : findings) {
        text += padded(to_string(finding.level), 9) + padded(finding.check, 14) + finding.text;
        if (!finding.advice.empty()) text += "; " + finding.advice;
        text += '\n';
    }
    return text + counted(count(findings, Level::error), "error") + ", " + counted(count(findings, Level::warning), "warning") + '\n';
}

std::string as_json(const std::vector<Finding>& findings) {
    auto list = nlohmann::json::array();
    for (const auto& finding : findings)
        list.push_back({{"level", to_string(finding.level)}, {"check", finding.check}, {"text", finding.text}, {"advice", finding.advice}});
    const nlohmann::json all{{"version", STOX_VERSION},
                             {"findings", std::move(list)},
                             {"warnings", count(findings, Level::warning)},
                             {"errors", count(findings, Level::error)}};
    return all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

}  // namespace stox::doctor
