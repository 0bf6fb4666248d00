#pragma once
// Identifiers: the trace of a session, ids for the wire, the provisioning domain.

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace stox {

/// 64 random bits, made by the first input of a session and carried by everything that follows from it. In logs `t=`.
struct Trace {
    std::uint64_t bits = 0;

    /// 16 lower-case hex digits.
    std::string to_string() const;
    friend auto operator<=>(const Trace&, const Trace&) = default;
};

/// The one generator of identifiers that leave the process. Its randomness is an argument: getrandom in the worker, the
/// seed in the simulator.
class IdGenerator {
public:
    /// fill   fills the span with random octets; must not fail
    explicit IdGenerator(std::function<void(std::span<std::uint8_t>)> fill) : fill_(std::move(fill)) {}

    Trace trace();
    /// 26 characters of [a-z2-7] holding 129 random bits: a stanza id, Call-ID, tag or branch suffix that nobody guesses.
    /// Starts with a letter, so it is an XML NCName and an RFC 3261 token as well.
    std::string wire_id();

private:
    std::function<void(std::span<std::uint8_t>)> fill_;
};

/// A provisioning domain (RFC 7556): one consistent set of network configuration. 0 is the host's default one.
enum class ProvisioningDomain : std::uint32_t { host_default = 0 };

}  // namespace stox
