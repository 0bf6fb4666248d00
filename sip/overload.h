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
        acks,      ///< Settings::max_open_acks, max_open_acks_of_source
    };

    /// settings  outlive this
    explicit Overload(const Endpoint::Settings& settings) : settings_(settings) {}

    /// source  of the request; each of those whose calls are refused has a line of its own
    void refused(Limit limit, const Address& source, std::chrono::steady_clock::time_point now);
    std::uint64_t over_requests() const { return over_requests_; }
    std::uint64_t over_memory() const { return over_memory_; }
    std::uint64_t over_acks() const { return over_acks_; }

private:
    /// Between two lines about one limit.
    static constexpr std::chrono::seconds kQuiet{10};

    const Endpoint::Settings& settings_;
    LogGate gate_{kQuiet};
    std::uint64_t over_requests_ = 0, over_memory_ = 0, over_acks_ = 0;
};

}  // namespace stox::sip
