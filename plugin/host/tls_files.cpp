#include "plugin/host/tls_files.h"

#include "plugin/host/sip_settings.h"

#include <utility>
#include <variant>

namespace stox::host {

namespace {

const char* path_of(sip::TlsFault::Part part) {
    switch (part) {
        case sip::TlsFault::Part::certificate:
            return "tls.certificate";
        case sip::TlsFault::Part::key:
            return "tls.key";
        case sip::TlsFault::Part::trust:
            break;
    }
    return "tls.trust";
}

ReadTls read(const sip::TlsIdentity& identity) {
    auto loaded = sip::load_tls(identity);
    if (auto* fault = std::get_if<sip::TlsFault>(&loaded)) return {nullptr, {{path_of(fault->part), std::move(fault->text)}}};
    return {std::get<0>(std::move(loaded)), {}};
}

}  // namespace

ReadTls read_tls(const config::EngineOptions& options) {
    const auto identity = tls_identity(options);
    return identity ? read(*identity) : ReadTls{};
}

ReadTls read_tls(const config::DomainOptions& options, const config::CertificateFiles& of_server) {
    auto made = read(tls_identity(options, of_server));
    if (options.tls.files.certificate.empty())
        for (auto& problem : made.problems)
            if (problem.path != "tls.trust") problem.text = "the one of the whole server: " + problem.text;
    return made;
}

}  // namespace stox::host
