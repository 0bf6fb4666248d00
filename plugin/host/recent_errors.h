#pragma once
// The last errors of each domain, for the views.

#include "plugin/engine/views.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace stox::host {

class RecentErrors {
public:
    using TimePoint = std::chrono::steady_clock::time_point;
    static constexpr std::size_t kKept = 5;         ///< of a domain, and of the worker itself
    static constexpr std::size_t kLongest = 1'024;  ///< octets of a text; the rest is cut

    void add(std::string_view domain, std::string_view text, TimePoint now) {
        auto& errors = by_domain_[std::string(domain)];
        errors.push_back({now, std::string(text.substr(0, kLongest))});
        if (errors.size() > kKept) errors.pop_front();
    }
    void forget(const std::string& domain) { by_domain_.erase(domain); }

    /// The youngest first. domain  empty: of all, and of the worker itself; else its own and the worker's
    std::vector<engine::ErrorRow> rows(std::string_view domain, TimePoint now) const {
        std::vector<engine::ErrorRow> rows;
        for (const auto& [name, errors] : by_domain_) {
            if (!domain.empty() && !name.empty() && name != domain) continue;
            for (auto one = errors.rbegin(); one != errors.rend(); ++one) {
                const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - one->at);
                rows.push_back({name, static_cast<std::uint64_t>(age.count()), one->text});
            }
        }
        std::ranges::stable_sort(rows, {}, &engine::ErrorRow::age_seconds);
        return rows;
    }

private:
    struct Entry {
        TimePoint at;
        std::string text;
    };
    std::map<std::string, std::deque<Entry>> by_domain_;
};

}  // namespace stox::host
