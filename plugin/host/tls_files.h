#pragma once
// The certificate, key and trust files that options name, read and judged.

#include "plugin/config/loader.h"
#include "plugin/config/options.h"
#include "sip/edge/settings.h"

#include <memory>
#include <vector>

namespace stox::host {

struct ReadTls {
    std::shared_ptr<const sip::TlsCredentials> credentials;  ///< null: there are problems, or no certificate for the whole server
    std::vector<config::Problem> problems;
};

ReadTls read_tls(const config::EngineOptions& options);
/// of_server  the certificate of a domain that has none of its own
ReadTls read_tls(const config::DomainOptions& options, const config::CertificateFiles& of_server);

}  // namespace stox::host
