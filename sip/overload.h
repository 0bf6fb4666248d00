#pragma once
// Requests that are answered 503 because there is no room for them: counted, and told to the operator. Inside sip/ only.

#include "sip/edge/log_gate.h"
#include "sip/endpoint.h"

#include <chrono>
#include <cstdint>

namespace stox::sip {

class Overload {
public:
    enum class Limit {
        requests,  ///< Settings::max_transactions
        memory,    ///< Settings::max_transaction_octets
    };

    /// settings  outlive this
    explicit Overload(const Endpoint::Settings& settings) : settings_(settings) {}

    void refused(Limit limit, std::chrono::steady_clock::time_point now);
    std::uint64_t over_requests() const { return over_requests_; }
    std::uint64_t over_memory() const { return over_memory_; }

private:
    /// Between two lines about one limit.
    static constexpr std::chrono::seconds kQuiet{10};

    const Endpoint::Settings& settings_;
    LogGate gate_{kQuiet};
    std::uint64_t over_requests_ = 0, over_memory_ = 0;
};

}  // namespace stox::sip
