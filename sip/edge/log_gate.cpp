#include "sip/edge/log_gate.h"

#include <algorithm>

namespace stox::sip {

namespace {

/// Whoever has as many addresses makes us forget: that costs a line each, as far as the kind has any.
constexpr std::size_t kRemembered = 1'024;

Address source_of(const Address& address) {
    if (address.is_v4()) return address;
    auto octets = address.octets();
    std::fill(octets.begin() + 8, octets.end(), std::uint8_t{0});
    return Address::v6(octets);
}

}  // namespace

bool LogGate::Kind::take(Time now) {
    const std::chrono::duration<double> passed = now - filled;
    tokens = std::min(kBurst, tokens + std::max(0.0, passed.count()) * kPerSecond);
    filled = now;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
}

std::optional<std::string> LogGate::pass(const Address& source, const std::string& kind, std::string line, Time now) {
    const std::pair key(source_of(source), kind);
    const auto known = told_.find(key);
    if (known != told_.end() && now - known->second.last < quiet_) {
        ++known->second.silent;
        return std::nullopt;
    }
    auto& all = kinds_[kind];
    if (!all.take(now)) {
        ++all.left_out;
        return std::nullopt;
    }
    if (known != told_.end() && known->second.silent > 0) line += " repeated=" + std::to_string(known->second.silent);
    if (const auto left_out = std::exchange(all.left_out, 0); left_out > 0) line += " left_out=" + std::to_string(left_out);
    if (known == told_.end() && told_.size() >= kRemembered) told_.clear();
    told_[key] = {now};
    return line;
}

}  // namespace stox::sip
