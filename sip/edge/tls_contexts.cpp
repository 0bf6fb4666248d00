#include "sip/edge/tls_contexts.h"

#include "mapping/core/handle.h"
#include "sip/edge/trust_store.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509err.h>
#include <openssl/x509v3.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <new>
#include <optional>
#include <utility>

namespace stox::sip {

namespace {

using RawContext = Handle<SSL_CTX, &SSL_CTX_free>;
using Part = TlsFault::Part;
/// Nothing, or what is wrong.
using Fault = std::optional<TlsFault>;

/// Days before its end at which a certificate begins to be reported.
constexpr int kReportedDays = 14;

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

/// Looked at before OpenSSL does: it would wait for somebody to write into a pipe, and says less about what is not there.
Fault unreadable(const std::string& file, Part part) {
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (descriptor < 0) return TlsFault{part, file + ": " + std::strerror(errno)};
    struct stat about {};
    const bool is_file = ::fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode);
    ::close(descriptor);
    return is_file ? Fault() : TlsFault{part, file + ": this is no file"};
}

RawContext make_context(const SSL_METHOD* method) {
    RawContext context(SSL_CTX_new(method));
    if (!context) throw std::bad_alloc();
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    // TLS 1.2: forward secrecy and authenticated encryption only (RFC 9325 §4.2). TLS 1.3 has nothing else.
    SSL_CTX_set_cipher_list(context.get(), "ECDHE+AESGCM:ECDHE+CHACHA20");
    // No tickets and no cache: a resumed session would keep the identity that SNI chose, or a client certificate, after a reload.
    SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                           SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context.get(), 0);
    SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_purpose(context.get(), X509_PURPOSE_ANY);  // is_for_sip judges instead
    SSL_CTX_set_default_passwd_cb(context.get(), no_passphrase);
    return context;
}

Fault use_certificate(SSL_CTX* context, const TlsIdentity& identity) {
    if (auto fault = unreadable(identity.certificate_chain, Part::certificate)) return fault;
    if (auto fault = unreadable(identity.key, Part::key)) return fault;
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(context, identity.certificate_chain.c_str()) != 1)
        return TlsFault{Part::certificate, identity.certificate_chain + ": " + why()};
    if (SSL_CTX_use_PrivateKey_file(context, identity.key.c_str(), SSL_FILETYPE_PEM) != 1) {
        if (ERR_GET_REASON(ERR_peek_last_error()) != X509_R_KEY_VALUES_MISMATCH)
            return TlsFault{Part::key, identity.key + ": " + why()};
        ERR_clear_error();
        return TlsFault{Part::key, identity.key + " does not belong to " + identity.certificate_chain};
    }
    if (SSL_CTX_check_private_key(context) != 1) return TlsFault{Part::key, identity.key + ": " + why()};
    return {};
}

void use_system_trust(SSL_CTX* context) {
    auto* store = system_trust();
    if (!store) throw std::bad_alloc();
    SSL_CTX_set1_cert_store(context, store);
}

Fault use_trust(SSL_CTX* context, const TlsIdentity& identity) {
    ERR_clear_error();
    if (identity.trust == TlsIdentity::Trust::system) use_system_trust(context);
    if (identity.trust != TlsIdentity::Trust::file) return {};
    if (auto fault = unreadable(identity.trust_file, Part::trust)) return fault;
    if (SSL_CTX_load_verify_locations(context, identity.trust_file.c_str(), nullptr) != 1)
        return TlsFault{Part::trust, identity.trust_file + ": " + why()};
    return {};
}

Fault prepare_server(SSL_CTX* context, const TlsIdentity& identity) {
    if (auto fault = use_certificate(context, identity)) return fault;
    using Verify = TlsIdentity::VerifyClient;
    if (identity.verify_client == Verify::none) return {};
    if (identity.trust == TlsIdentity::Trust::none)
        return TlsFault{Part::trust, "client certificates are asked for, but trust is none"};
    if (auto fault = use_trust(context, identity)) return fault;
    if (identity.trust == TlsIdentity::Trust::file)
        SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(identity.trust_file.c_str()));
    SSL_CTX_set_verify(
        context, SSL_VERIFY_PEER | (identity.verify_client == Verify::required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
    return {};
}

Fault prepare_client(SSL_CTX* context, const TlsIdentity& identity) {
    if (!identity.certificate_chain.empty())
        if (auto fault = use_certificate(context, identity)) return fault;
    if (auto fault = use_trust(context, identity)) return fault;
    if (identity.trust != TlsIdentity::Trust::none) SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    return {};
}

std::unique_ptr<TlsCredentials::Context> owned(RawContext context) {
    return std::make_unique<TlsCredentials::Context>(context.release());
}

std::string name_of_trust(const TlsIdentity& identity) {
    switch (identity.trust) {
        case TlsIdentity::Trust::system:
            return "system";
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

/// Where a handshake keeps the TlsContexts that it chooses from. Not in its SSL_CTX, which outlives many of these.
int contexts_index() {
    static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

}  // namespace

LoadedTls load_tls(const TlsIdentity& identity) { return TlsCredentials::load(identity); }

Result<TlsSet> load_tls(const std::vector<TlsIdentity>& identities) {
    TlsSet all;
    for (const auto& identity : identities) {
        auto loaded = load_tls(identity);
        if (const auto* fault = std::get_if<TlsFault>(&loaded))
            return fail(Code::unavailable,
                        "TLS for " + (identity.domains.empty() ? "all" : identity.domains.front()) + ": " + fault->text);
        all.push_back(std::get<0>(std::move(loaded)));
    }
    return all;
}

LoadedTls TlsCredentials::load(const TlsIdentity& identity) {
    std::shared_ptr<TlsCredentials> made(new TlsCredentials);
    made->domains_ = identity.domains;
    made->trust_ = name_of_trust(identity);
    auto client = make_context(TLS_client_method());
    if (auto fault = prepare_client(client.get(), identity)) return *fault;
    made->client_ = owned(std::move(client));
    if (!identity.certificate_chain.empty()) {
        auto server = make_context(TLS_server_method());
        if (auto fault = prepare_server(server.get(), identity)) return *fault;
        SSL_CTX_set_tlsext_servername_callback(server.get(), &TlsContexts::choose_by_sni);
        made->expiring_ = expiry(identity, server.get());
        made->expired_ = X509_cmp_current_time(X509_get0_notAfter(SSL_CTX_get0_certificate(server.get()))) < 0;
        made->server_ = owned(std::move(server));
    }
    return std::shared_ptr<const TlsCredentials>(std::move(made));
}

Result<std::shared_ptr<const TlsContexts>> TlsContexts::make(TlsSet credentials) {
    std::shared_ptr<TlsContexts> contexts(new TlsContexts);
    for (const auto& one : credentials)
        for (const auto& domain : one->domains())
            if (!contexts->by_domain_.emplace(lower(domain), one.get()).second)
                return fail(Code::unavailable, "TLS: " + domain + " has two certificates");
    contexts->all_ = std::move(credentials);
    // The host's trust store may be empty, but is never a fault. Reading it takes a while.
    if (contexts->all_.empty()) contexts->anonymous_ = std::get<0>(TlsCredentials::load({}));
    return std::shared_ptr<const TlsContexts>(std::move(contexts));
}

void TlsContexts::attend(SSL* handshake) const { SSL_set_ex_data(handshake, contexts_index(), const_cast<TlsContexts*>(this)); }

TlsContexts::Context* TlsContexts::server() const {
    const auto found = std::ranges::find_if(all_, [](const auto& one) { return one->server() != nullptr; });
    return found == all_.end() ? nullptr : (*found)->server();
}

TlsContexts::Context& TlsContexts::client(std::string_view domain) const {
    if (all_.empty()) return anonymous_->client();
    const auto found = by_domain_.find(lower(domain));
    return (found == by_domain_.end() ? all_.front().get() : found->second)->client();
}

std::string TlsContexts::trust_of(const SSL_CTX* context) const {
    const auto found = std::ranges::find_if(all_, [context](const auto& one) {
        return one->client().native_handle() == context || (one->server() && one->server()->native_handle() == context);
    });
    if (found != all_.end()) return (*found)->trust();
    return anonymous_ ? anonymous_->trust() : std::string();
}

int TlsContexts::choose_by_sni(SSL* handshake, int*, void*) noexcept {
    const auto* self = static_cast<const TlsContexts*>(SSL_get_ex_data(handshake, contexts_index()));
    const char* name = SSL_get_servername(handshake, TLSEXT_NAMETYPE_host_name);
    if (!self || !name) return SSL_TLSEXT_ERR_NOACK;
    const auto found = self->by_domain_.find(lower(name));
    if (found == self->by_domain_.end() || !found->second->server()) return SSL_TLSEXT_ERR_NOACK;
    auto* chosen = found->second->server()->native_handle();
    SSL_set_SSL_CTX(handshake, chosen);
    // The connection took these over from the context that it began with.
    SSL_set_verify(handshake, SSL_CTX_get_verify_mode(chosen), nullptr);
    return SSL_TLSEXT_ERR_OK;
}

}  // namespace stox::sip
