#pragma once
// A blocking TLS peer over a connected socket, either side.

#include "tests/sip/certificates.h"
#include "tests/support/wire.h"

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>

namespace stox::sip::test {

class TlsWire {
public:
    /// As a client that trusts `root` alone. `own`: the certificate to show, if asked. Throws when the handshake fails.
    TlsWire(stox::test::Wire wire, const std::string& sni, const std::string& root, const Certificates::Files& own = {});
    /// As a server. `client_root`: clients must have a certificate below it.
    TlsWire(stox::test::Wire wire, const Certificates::Files& own, const std::string& client_root = {});

    /// Common name of the certificate that the other side showed.
    std::string peer_name() const;
    /// The SNI that a client sent.
    std::string asked_name() const;
    void send(std::string_view octets);
    /// Two records in one piece, the second one not as it was made.
    void send_then_damaged(std::string_view good, std::string_view damaged);
    std::string read_until(std::string_view end);
    /// Everything until the other side closes.
    std::string read_all();
    /// Whether the other side closes within 10 s.
    bool closed();
    /// The same, and what alert it gave as the reason; "closed": none.
    std::string end_reason();
    unsigned local_port() const { return stox::test::local_port(wire_); }

private:
    TlsWire(stox::test::Wire wire, const SSL_METHOD* method);
    void handshake(int (*how)(SSL*));
    bool fill();

    stox::test::Wire wire_;
    std::shared_ptr<SSL_CTX> context_;
    std::shared_ptr<SSL> ssl_;
    std::string input_;
};

}  // namespace stox::sip::test
