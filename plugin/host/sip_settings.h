#pragma once
// What the operator configured, in the words of the SIP endpoint.

#include "plugin/config/options.h"
#include "sip/endpoint.h"

#include <vector>

namespace stox::host {

/// Listeners, limits and the address in Via; certificates and sources follow with the domains.
sip::Endpoint::Settings sip_settings(const config::EngineOptions& options);

/// One identity for each domain that has TLS options of its own, the engine's certificate for the others. The first is for
/// clients that name no domain.
std::vector<sip::TlsIdentity> tls_identities(const config::EngineOptions& engine,
                                             const std::vector<config::DomainOptions>& domains);

/// Where the peers of all domains send from.
std::vector<Prefix> peer_sources(const std::vector<config::DomainOptions>& domains);

}  // namespace stox::host
