#pragma once
// The certificates and trust stores of all domains, never changed: a reload makes another set, and connections go on with the one
// they began with. Each part of a set is loaded by itself, so that a domain whose files went bad holds up no other.

#include "mapping/core/result.h"
#include "sip/edge/settings.h"

#include <boost/asio/ssl/context.hpp>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace stox::sip {

class TlsCredentials {
public:
    using Context = boost::asio::ssl::context;

    static LoadedTls load(const TlsIdentity& identity);
    TlsCredentials(const TlsCredentials&) = delete;
    TlsCredentials& operator=(const TlsCredentials&) = delete;

    const std::vector<std::string>& domains() const { return domains_; }
    /// Null: no certificate.
    Context* server() const { return server_.get(); }
    Context& client() const { return *client_; }
    /// A line about a certificate that is used up or will be within two weeks; else empty.
    const std::string& expiring() const { return expiring_; }
    bool has_expired() const { return expired_; }
    /// What chains are verified against, as in CertifiedNames; empty: nothing.
    const std::string& trust() const { return trust_; }

private:
    TlsCredentials() = default;

    std::vector<std::string> domains_;
    std::unique_ptr<Context> server_, client_;
    std::string expiring_, trust_;
    bool expired_ = false;
};

class TlsContexts {
public:
    using Context = TlsCredentials::Context;

    /// errors  unavailable: one domain stands in two of them
    static Result<std::shared_ptr<const TlsContexts>> make(TlsSet credentials);
    TlsContexts(const TlsContexts&) = delete;
    TlsContexts& operator=(const TlsContexts&) = delete;

    /// The SNI of this handshake chooses among us, who outlive it.
    void attend(SSL* handshake) const;
    /// For a connection that was accepted: begins with the first identity that has a certificate, goes over to the one of the
    /// client's SNI. Null: none has.
    Context* server() const;
    /// For one that we dial. Unknown or no domain: the first identity; when there are none, no certificate of ours and the host's
    /// trust store.
    Context& client(std::string_view domain) const;
    /// TlsCredentials::trust of the one whose context it is.
    std::string trust_of(const SSL_CTX* context) const;

    const TlsSet& all() const { return all_; }

private:
    friend class TlsCredentials;

    TlsContexts() = default;
    static int choose_by_sni(SSL* handshake, int* alert, void*) noexcept;

    TlsSet all_;
    std::map<std::string, const TlsCredentials*, std::less<>> by_domain_;  ///< lower case -> one of all_
    std::shared_ptr<const TlsCredentials> anonymous_;  ///< null unless all_ is empty
};

}  // namespace stox::sip
