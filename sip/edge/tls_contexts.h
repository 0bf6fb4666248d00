#pragma once
// The certificates and trust stores of all domains, loaded once and never changed: a reload makes another set, and connections
// go on with the one they began with.

#include "mapping/core/result.h"
#include "sip/edge/settings.h"

#include <boost/asio/ssl/context.hpp>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace stox::sip {

class TlsContexts {
public:
    using Context = boost::asio::ssl::context;

    /// errors  unavailable: a file cannot be read, key and certificate do not belong together, or one domain stands in two
    ///         identities; the detail names domain and file
    static Result<std::shared_ptr<const TlsContexts>> load(const std::vector<TlsIdentity>& identities);
    TlsContexts(const TlsContexts&) = delete;
    TlsContexts& operator=(const TlsContexts&) = delete;

    /// For a connection that was accepted: begins with the first identity that has a certificate, goes over to the one of the
    /// client's SNI. Null: none has.
    Context* server() const;
    /// For one that we dial. Unknown or no domain: the first identity; when there are none, no certificate of ours and the host's
    /// trust store.
    Context& client(std::string_view domain) const;
    /// What a context of these verifies chains against, as in CertifiedNames; empty: nothing.
    std::string trust_of(const SSL_CTX* context) const;

    /// Certificates that are used up or will be within two weeks, as one line each.
    const std::vector<std::string>& expiring() const { return expiring_; }

private:
    struct Pair {
        std::unique_ptr<Context> server, client;
        std::string trust;
    };

    TlsContexts() = default;
    Result<void> add(const TlsIdentity& identity);
    static int choose_by_sni(SSL* ssl, int* alert, void* contexts) noexcept;

    std::vector<Pair> pairs_;
    std::map<std::string, std::size_t, std::less<>> by_domain_;  ///< lower case -> index in pairs_
    std::unique_ptr<Context> anonymous_client_;
    std::vector<std::string> expiring_;
};

}  // namespace stox::sip
