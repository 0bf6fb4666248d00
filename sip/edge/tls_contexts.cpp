#include "sip/edge/tls_contexts.h"

#include "mapping/core/handle.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509err.h>

#include <algorithm>
#include <cctype>

namespace stox::sip {

namespace {

using RawContext = Handle<SSL_CTX, &SSL_CTX_free>;

/// Days before its end at which a certificate begins to be reported.
constexpr int kReportedDays = 14;
/// Also of the anonymous client context.
constexpr std::string_view kSystemTrust = "system";

std::string lower(std::string_view text) {
    std::string made(text);
    std::ranges::transform(made, made.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return made;
}

std::string why() {
    const auto code = ERR_peek_last_error();
    ERR_clear_error();
    const char* reason = code ? ERR_reason_error_string(code) : nullptr;
    return reason ? reason : "cannot be used";
}

/// An encrypted key is an error, not a question at somebody's terminal.
int no_passphrase(char*, int, int, void*) { return 0; }

Result<RawContext> make_context(const SSL_METHOD* method) {
    RawContext context(SSL_CTX_new(method));
    if (!context) return fail(Code::unavailable, "TLS: " + why());
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    // TLS 1.2: forward secrecy and authenticated encryption only (RFC 9325 §4.2). TLS 1.3 has nothing else.
    SSL_CTX_set_cipher_list(context.get(), "ECDHE+AESGCM:ECDHE+CHACHA20");
    // No tickets and no cache: a resumed session would keep the identity that SNI chose, or a client certificate, after a reload.
    SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                           SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context.get(), 0);
    SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_default_passwd_cb(context.get(), no_passphrase);
    return context;
}

Result<void> use_certificate(SSL_CTX* context, const TlsIdentity& identity) {
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(context, identity.certificate_chain.c_str()) != 1)
        return fail(Code::unavailable, identity.certificate_chain + ": " + why());
    if (SSL_CTX_use_PrivateKey_file(context, identity.key.c_str(), SSL_FILETYPE_PEM) != 1) {
        if (ERR_GET_REASON(ERR_peek_last_error()) != X509_R_KEY_VALUES_MISMATCH)
            return fail(Code::unavailable, identity.key + ": " + why());
        ERR_clear_error();
        return fail(Code::unavailable, identity.key + " does not belong to " + identity.certificate_chain);
    }
    if (SSL_CTX_check_private_key(context) != 1) return fail(Code::unavailable, identity.key + ": " + why());
    return ok();
}

Result<void> use_trust(SSL_CTX* context, const TlsIdentity& identity) {
    ERR_clear_error();
    if (identity.trust == TlsIdentity::Trust::system) SSL_CTX_set_default_verify_paths(context);
    if (identity.trust == TlsIdentity::Trust::file &&
        SSL_CTX_load_verify_locations(context, identity.trust_file.c_str(), nullptr) != 1)
        return fail(Code::unavailable, identity.trust_file + ": " + why());
    return ok();
}

Result<RawContext> make_server(const TlsIdentity& identity) {
    auto made = make_context(TLS_server_method());
    if (!made) return made;
    auto* context = made.value().get();
    if (auto used = use_certificate(context, identity); !used) return used.error();
    using Verify = TlsIdentity::VerifyClient;
    if (identity.verify_client == Verify::none) return made;
    if (identity.trust == TlsIdentity::Trust::none)
        return fail(Code::unavailable, "client certificates are asked for, but trust is none");
    if (auto used = use_trust(context, identity); !used) return used.error();
    if (identity.trust == TlsIdentity::Trust::file)
        SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(identity.trust_file.c_str()));
    SSL_CTX_set_verify(
        context, SSL_VERIFY_PEER | (identity.verify_client == Verify::required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
    return made;
}

Result<RawContext> make_client(const TlsIdentity& identity) {
    auto made = make_context(TLS_client_method());
    if (!made) return made;
    auto* context = made.value().get();
    if (!identity.certificate_chain.empty())
        if (auto used = use_certificate(context, identity); !used) return used.error();
    if (auto used = use_trust(context, identity); !used) return used.error();
    if (identity.trust != TlsIdentity::Trust::none) SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    return made;
}

std::unique_ptr<TlsContexts::Context> owned(RawContext context) {
    return std::make_unique<TlsContexts::Context>(context.release());
}

std::string name_of_trust(const TlsIdentity& identity) {
    switch (identity.trust) {
        case TlsIdentity::Trust::system:
            return std::string(kSystemTrust);
        case TlsIdentity::Trust::file:
            return identity.trust_file;
        case TlsIdentity::Trust::none:
            break;
    }
    return {};
}

/// A line about a certificate that ends soon; empty: it does not.
std::string expiry(const TlsIdentity& identity, SSL_CTX* context) {
    int days = 0, seconds = 0;
    const auto* certificate = SSL_CTX_get0_certificate(context);
    if (!certificate || ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(certificate)) != 1) return {};
    if (days < 0 || seconds < 0) return identity.certificate_chain + ": the certificate has expired";
    if (days >= kReportedDays) return {};
    return identity.certificate_chain + ": the certificate expires in " + std::to_string(days) + " days";
}

}  // namespace

Result<std::shared_ptr<const TlsContexts>> TlsContexts::load(const std::vector<TlsIdentity>& identities) {
    std::shared_ptr<TlsContexts> contexts(new TlsContexts);
    auto anonymous = make_client({});
    if (!anonymous) return anonymous.error();
    contexts->anonymous_client_ = owned(std::move(anonymous).value());
    for (const auto& identity : identities)
        if (auto added = contexts->add(identity); !added)
            return fail(added.error().code,
                        "TLS for " + (identity.domains.empty() ? "all" : identity.domains.front()) + ": " + added.error().detail);
    return std::shared_ptr<const TlsContexts>(std::move(contexts));
}

Result<void> TlsContexts::add(const TlsIdentity& identity) {
    auto client = make_client(identity);
    if (!client) return client.error();
    RawContext server;
    if (!identity.certificate_chain.empty()) {
        auto made = make_server(identity);
        if (!made) return made.error();
        server = std::move(made).value();
    }
    for (const auto& domain : identity.domains)
        if (!by_domain_.emplace(lower(domain), pairs_.size()).second)
            return fail(Code::unavailable, domain + " has two certificates");
    if (server) {
        if (auto line = expiry(identity, server.get()); !line.empty()) expiring_.push_back(std::move(line));
        SSL_CTX_set_tlsext_servername_callback(server.get(), &TlsContexts::choose_by_sni);
        SSL_CTX_set_tlsext_servername_arg(server.get(), this);
    }
    pairs_.push_back({server ? owned(std::move(server)) : nullptr, owned(std::move(client).value()), name_of_trust(identity)});
    return ok();
}

TlsContexts::Context* TlsContexts::server() const {
    const auto found = std::ranges::find_if(pairs_, [](const auto& pair) { return pair.server != nullptr; });
    return found == pairs_.end() ? nullptr : found->server.get();
}

TlsContexts::Context& TlsContexts::client(std::string_view domain) const {
    if (pairs_.empty()) return *anonymous_client_;
    const auto found = by_domain_.find(lower(domain));
    return *pairs_[found == by_domain_.end() ? 0 : found->second].client;
}

std::string TlsContexts::trust_of(const SSL_CTX* context) const {
    const auto found = std::ranges::find_if(pairs_, [context](const Pair& pair) {
        return pair.client->native_handle() == context || (pair.server && pair.server->native_handle() == context);
    });
    return found == pairs_.end() ? std::string(kSystemTrust) : found->trust;
}

int TlsContexts::choose_by_sni(SSL* ssl, int*, void* contexts) noexcept {
    const auto& self = *static_cast<const TlsContexts*>(contexts);
    const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (!name) return SSL_TLSEXT_ERR_NOACK;
    const auto found = self.by_domain_.find(lower(name));
    if (found == self.by_domain_.end() || !self.pairs_[found->second].server) return SSL_TLSEXT_ERR_NOACK;
    auto* chosen = self.pairs_[found->second].server->native_handle();
    SSL_set_SSL_CTX(ssl, chosen);
    // The connection took these over from the context that it began with.
    SSL_set_verify(ssl, SSL_CTX_get_verify_mode(chosen), nullptr);
    return SSL_TLSEXT_ERR_OK;
}

}  // namespace stox::sip
