#pragma once
// What the operator configured, in the words of the SIP endpoint.

#include "mapping/sip/own_contact.h"
#include "plugin/config/options.h"
#include "sip/endpoint.h"

#include <optional>
#include <vector>

namespace stox::host {

/// Listeners, limits and the address in Via; certificates and sources follow with the domains.
sip::Endpoint::Settings sip_settings(const config::EngineOptions& options);

/// For clients that name no domain of ours. Nothing: no certificate is configured for the whole server.
std::optional<sip::TlsIdentity> tls_identity(const config::EngineOptions& options);
/// of_server  the certificate of a domain that has none of its own
sip::TlsIdentity tls_identity(const config::DomainOptions& options, const config::CertificateFiles& of_server);

/// What stands in Contact for each listener.   (CORE-45)
std::vector<sip::OwnAddress> own_addresses(const std::vector<sip::ListenAddress>& listening, const config::EngineOptions& options);

/// Where the peers of all domains send from.
std::vector<Prefix> peer_sources(const std::vector<config::DomainOptions>& domains);

}  // namespace stox::host
