#pragma once
// One line per peer and reason within a while, however often it happens.   (contracts 9)

#include "mapping/core/endpoint.h"
#include "sip/edge/settings.h"

#include <chrono>
#include <map>
#include <string>
#include <utility>

namespace stox::sip {

class LogGate {
public:
    using Time = std::chrono::steady_clock::time_point;

    explicit LogGate(Log log) : log_(std::move(log)) {}

    void write(LogLevel level, const Address& peer, const std::string& reason, const std::string& line, Time now) {
        if (!log_) return;
        // Whoever has as many addresses makes us forget: that costs a line each, not more.
        if (told_.size() >= kRemembered) told_.clear();
        const auto [entry, first] = told_.try_emplace({peer, reason}, Told{now, 0});
        auto& told = entry->second;
        if (!first && now - told.last < kQuiet) {
            ++told.silent;
            return;
        }
        log_(level, told.silent > 0 ? line + " repeated=" + std::to_string(told.silent) : line);
        told = {now, 0};
    }

private:
    static constexpr std::size_t kRemembered = 1'024;
    static constexpr std::chrono::seconds kQuiet{10};
    struct Told {
        Time last;
        unsigned silent;
    };

    Log log_;
    std::map<std::pair<Address, std::string>, Told> told_;
};

}  // namespace stox::sip
