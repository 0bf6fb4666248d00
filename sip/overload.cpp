#include "sip/overload.h"

#include <array>
#include <string>

namespace stox::sip {

namespace {

std::string line_of(Overload::Limit limit, const Address& source, const Endpoint::Settings& settings) {
    switch (limit) {
        case Overload::Limit::requests:
            return "SIP requests are answered 503: " + std::to_string(settings.max_transactions) +
                   " wait for an answer; raise limits.requests or lower the rate of the peers";
        case Overload::Limit::memory:
            return "SIP requests are answered 503: those that wait or that UDP may repeat take " +
                   std::to_string(settings.max_transaction_octets >> 20) +
                   " MiB; raise limits.request_memory_mib or lower the rate of the peers";
        case Overload::Limit::acks:
            return "SIP calls are answered 503: " + std::to_string(settings.max_open_acks) +
                   " that we accepted were not acknowledged; look why our answers or the ACKs do not arrive";
        case Overload::Limit::acks_of_source:
            return "calls from " + source.to_string() + " are answered 503: " + std::to_string(settings.max_open_acks_of_source) +
                   " that we accepted from there were not acknowledged; look why our answers or its ACKs do not arrive, or shut "
                   "it out";
    }
    return {};
}

}  // namespace

void Overload::refused(Limit limit, const Address& source, std::chrono::steady_clock::time_point now) {
    ++counts_.at(static_cast<std::size_t>(limit));
    if (!settings_.log) return;
    static constexpr std::array kKinds{"requests", "memory", "acks", "acks_of_source"};
    const auto told = limit == Limit::acks_of_source ? source : Address{};
    const auto* kind = kKinds.at(static_cast<std::size_t>(limit));
    if (const auto line = gate_.pass(told, kind, line_of(limit, source, settings_), now)) settings_.log(LogLevel::error, *line);
}

}  // namespace stox::sip
