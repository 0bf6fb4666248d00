#pragma once
// Requests that are answered 503 because there is no room for them: counted, and told to the operator. Inside sip/ only.

#include "sip/edge/log_gate.h"
#include "sip/endpoint.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace stox::sip {

class Overload {
public:
    enum class Limit {
        requests,        ///< Settings::max_transactions
        memory,          ///< Settings::max_transaction_octets
        acks,            ///< Settings::max_open_acks
        acks_of_source,  ///< Settings::max_open_acks_of_source
    };

    /// settings  outlive this
    explicit Overload(const Endpoint::Settings& settings) : settings_(settings) {}

    /// source  of the request; each that has too many of its own has a line
    void refused(Limit limit, const Address& source, std::chrono::steady_clock::time_point now);
    std::uint64_t over_requests() const { return count(Limit::requests); }
    std::uint64_t over_memory() const { return count(Limit::memory); }
    std::uint64_t over_acks() const { return count(Limit::acks) + count(Limit::acks_of_source); }

private:
    std::uint64_t count(Limit limit) const { return counts_.at(static_cast<std::size_t>(limit)); }

    /// Between two lines about one limit.
    static constexpr std::chrono::seconds kQuiet{10};

    const Endpoint::Settings& settings_;
    LogGate gate_{kQuiet};
    std::array<std::uint64_t, 4> counts_{};  ///< by Limit
};

}  // namespace stox::sip
