#include "sip/overload.h"

#include <string>

namespace stox::sip {

namespace {

std::string line_of(Overload::Limit limit, const Endpoint::Settings& settings) {
    if (limit == Overload::Limit::requests)
        return "SIP requests are answered 503: " + std::to_string(settings.max_transactions) +
               " wait for an answer; raise limits.requests or lower the rate of the peers";
    return "SIP requests are answered 503: those that wait or that UDP may repeat take " +
           std::to_string(settings.max_transaction_octets >> 20) +
           " MiB; raise limits.request_memory_mib or lower the rate of the peers";
}

}  // namespace

void Overload::refused(Limit limit, std::chrono::steady_clock::time_point now) {
    ++(limit == Limit::requests ? over_requests_ : over_memory_);
    if (!settings_.log) return;
    const auto* kind = limit == Limit::requests ? "requests" : "memory";
    if (const auto line = gate_.pass({}, kind, line_of(limit, settings_), now)) settings_.log(LogLevel::error, *line);
}

}  // namespace stox::sip
