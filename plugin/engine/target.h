#pragma once
// Where one request is sent: a located next hop.

#include "mapping/core/endpoint.h"

#include <compare>
#include <string>

namespace stox::engine {

struct Target {
    Transport transport = Transport::udp;
    Endpoint endpoint;
    std::string tls_name{};  ///< TLS: whom the certificate must name   (RFC 5922)

    /// "tcp:192.0.2.1:5060"
    std::string text() const { return std::string(to_string(transport)) + ':' + endpoint.to_string(); }
    friend auto operator<=>(const Target&, const Target&) = default;
};

}  // namespace stox::engine
