#pragma once
// What the doctor says: one line for the operator about one thing it looked at.

#include <string>
#include <string_view>
#include <vector>

namespace stox::doctor {

enum class Level { ok, warning, error };

/// "ok", "warning", "error".
std::string_view to_string(Level level);

struct Finding {
    Level level = Level::ok;
    std::string check;    ///< a word: "listeners", "dns", ...
    std::string text;     ///< what was seen, in one line
    std::string advice{}; ///< what to do about it; empty where nothing is to be done

    friend bool operator==(const Finding&, const Finding&) = default;
};

/// 0: all is well, 1: warnings, 2: errors.
int exit_status(const std::vector<Finding>& findings);

/// One line a finding, then a line of counts.
std::string as_text(const std::vector<Finding>& findings);
/// {"version":..., "findings":[{"level","check","text","advice"}], "warnings":n, "errors":n}
std::string as_json(const std::vector<Finding>& findings);

}  // namespace stox::doctor
