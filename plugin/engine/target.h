#pragma once
// Where one request is sent: a located next hop, or where a dialog goes on.

#include "mapping/core/endpoint.h"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

namespace stox::engine {

/// The connection that a request came over; the number is the caller's. none: a datagram.   (RFC 5626)
enum class Flow : std::uint64_t { none = 0 };

/// Where the peer of a dialog was last heard from.
struct HeardFrom {
    Transport transport = Transport::udp;
    Endpoint endpoint;
    friend auto operator<=>(const HeardFrom&, const HeardFrom&) = default;
};

struct Target {
    Transport transport = Transport::udp;
    Endpoint endpoint;
    std::string tls_name{};  ///< TLS: whom the certificate must name   (RFC 5922)
    Flow flow = Flow::none;  ///< this connection while it lives, else one to `endpoint`
    bool configured = true;  ///< false: learnt from a message; then not to every address
    std::optional<HeardFrom> heard{};  ///< by whom it is for

    /// "tcp:192.0.2.1:5060"
    std::string text() const { return std::string(to_string(transport)) + ':' + endpoint.to_string(); }
    friend auto operator<=>(const Target&, const Target&) = default;
};

}  // namespace stox::engine
