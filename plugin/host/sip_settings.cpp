#include "plugin/host/sip_settings.h"

#include "sip/told_address.h"

#include <limits>
#include <string>

namespace stox::host {

namespace {

constexpr std::size_t kKiB = 1'024, kMiB = 1'048'576;

/// 0 is no limit.
template <class Number>
Number limit(unsigned configured) {
    return configured ? static_cast<Number>(configured) : std::numeric_limits<Number>::max();
}

sip::TlsIdentity::VerifyClient verify(config::VerifyClient wish) {
    switch (wish) {
        case config::VerifyClient::required:
            return sip::TlsIdentity::VerifyClient::required;
        case config::VerifyClient::optional:
            return sip::TlsIdentity::VerifyClient::optional;
        case config::VerifyClient::none:
            break;
    }
    return sip::TlsIdentity::VerifyClient::none;
}

/// The names that a client may ask for: those of the component alone, since several gateways can serve one XMPP domain.
std::vector<std::string> names_of(const config::DomainOptions& domain) {
    std::vector<std::string> names{domain.domain};
    if (!domain.sip_domain.empty() && domain.sip_domain != domain.domain) names.push_back(domain.sip_domain);
    return names;
}

}  // namespace

sip::Endpoint::Settings sip_settings(const config::EngineOptions& options) {
    sip::Endpoint::Settings settings;
    for (const auto& listener : options.bind) settings.listen.push_back({listener.transport, listener.endpoint});
    settings.user_agent = std::string("stox/") + STOX_VERSION;
    settings.public_address = options.public_address;
    auto& limits = settings.limits;
    limits.connections_per_source = limit<std::size_t>(options.limits.connections_per_source);
    limits.connections = limit<std::size_t>(options.limits.connections);
    limits.source_rate = limit<unsigned>(options.limits.per_source_rate);
    limits.source_burst = limit<unsigned>(options.limits.per_source_burst);
    limits.total_rate = limit<unsigned>(options.limits.total_rate);
    limits.total_burst = limit<unsigned>(options.limits.total_burst);
    limits.handshakes = limit<std::size_t>(options.limits.handshakes);
    limits.handshakes_per_source = limit<std::size_t>(options.limits.handshakes_per_source);
    limits.sources = options.limits.sources;
    limits.write_queue = options.limits.write_queue_kib * kKiB;
    limits.stranger_write_queue = options.limits.stranger_write_queue_kib * kKiB;
    limits.write_queues = options.limits.write_queues_mib * kMiB;
    limits.headers = options.limits.headers;
    limits.header_octets = options.limits.header_kib * kKiB;
    limits.body_octets = options.limits.body_kib * kKiB;
    limits.via_values = options.limits.vias;
    limits.route_values = options.limits.routes;
    settings.max_transactions = options.limits.requests;
    settings.max_transaction_octets = options.limits.request_memory_mib * kMiB;
    limits.connect = std::chrono::seconds(options.limits.connect_s);
    limits.handshake = std::chrono::seconds(options.limits.handshake_s);
    limits.message = std::chrono::seconds(options.limits.message_s);
    limits.idle = std::chrono::seconds(options.limits.idle_s);
    limits.ban.reset();
    if (options.limits.ban_refusals != 0)
        limits.ban = {options.limits.ban_refusals, std::chrono::seconds(options.limits.ban_window_s),
                      std::chrono::seconds(options.limits.ban_s)};
    return settings;
}

std::optional<sip::TlsIdentity> tls_identity(const config::EngineOptions& options) {
    if (options.tls.certificate.empty()) return std::nullopt;
    sip::TlsIdentity identity;
    identity.certificate_chain = options.tls.certificate;
    identity.key = options.tls.key;
    return identity;
}

sip::TlsIdentity tls_identity(const config::DomainOptions& options, const config::CertificateFiles& of_server) {
    const auto& files = options.tls.files.certificate.empty() ? of_server : options.tls.files;
    sip::TlsIdentity identity;
    identity.domains = names_of(options);
    identity.certificate_chain = files.certificate;
    identity.key = files.key;
    if (options.tls.trust != "system") {
        identity.trust = sip::TlsIdentity::Trust::file;
        identity.trust_file = options.tls.trust;
    }
    identity.verify_client = verify(options.tls.verify_client);
    return identity;
}

std::vector<sip::OwnAddress> own_addresses(const std::vector<sip::ListenAddress>& listening, const config::EngineOptions& options) {
    std::vector<sip::OwnAddress> addresses;
    for (const auto& [transport, endpoint] : listening)
        addresses.push_back({sip::told_address(endpoint.address, options.public_address).to_string(), endpoint.port, transport});
    return addresses;
}

std::vector<Prefix> peer_sources(const std::vector<config::DomainOptions>& domains) {
    std::vector<Prefix> sources;
    for (const auto& domain : domains)
        for (const auto& peer : domain.peers) sources.insert(sources.end(), peer.source.begin(), peer.source.end());
    return sources;
}

}  // namespace stox::host
