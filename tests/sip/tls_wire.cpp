#include "tests/sip/tls_wire.h"

#include <openssl/err.h>

#include <sys/socket.h>
#include <sys/time.h>

#include <csignal>
#include <stdexcept>
#include <utility>

namespace stox::sip::test {

namespace {

std::string why() {
    const auto code = ERR_get_error();
    const char* reason = code ? ERR_reason_error_string(code) : nullptr;
    return reason ? reason : "closed";
}

void use(SSL_CTX* context, const Certificates::Files& own) {
    if (own.chain.empty()) return;
    if (SSL_CTX_use_certificate_chain_file(context, own.chain.c_str()) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, own.key.c_str(), SSL_FILETYPE_PEM) != 1)
        throw std::runtime_error("certificate: " + why());
}

}  // namespace

TlsWire::TlsWire(stox::test::Wire wire, const SSL_METHOD* method)
    : wire_(std::move(wire)), context_(SSL_CTX_new(method), SSL_CTX_free) {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes as if everybody did
    const timeval limit{10, 0};
    ::setsockopt(wire_.descriptor(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

TlsWire::TlsWire(stox::test::Wire wire, const std::string& sni, const std::string& root, const Certificates::Files& own)
    : TlsWire(std::move(wire), TLS_client_method()) {
    use(context_.get(), own);
    SSL_CTX_load_verify_locations(context_.get(), root.c_str(), nullptr);
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    ssl_.reset(SSL_new(context_.get()), SSL_free);
    if (!sni.empty()) SSL_set_tlsext_host_name(ssl_.get(), sni.c_str());
    handshake(&SSL_connect);
}

TlsWire::TlsWire(stox::test::Wire wire, const Certificates::Files& own, const std::string& client_root)
    : TlsWire(std::move(wire), TLS_server_method()) {
    use(context_.get(), own);
    if (!client_root.empty()) {
        SSL_CTX_load_verify_locations(context_.get(), client_root.c_str(), nullptr);
        SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
    ssl_.reset(SSL_new(context_.get()), SSL_free);
    handshake(&SSL_accept);
}

void TlsWire::handshake(int (*how)(SSL*)) {
    ERR_clear_error();
    SSL_set_fd(ssl_.get(), wire_.descriptor());
    if (how(ssl_.get()) == 1) return;
    const auto reason = why();
    // Closed with octets unread it would be reset, and the alert that says why be lost on its way.
    ::shutdown(wire_.descriptor(), SHUT_WR);
    wire_.closed();
    throw std::runtime_error("handshake: " + reason);
}

std::string TlsWire::peer_name() const {
    const std::shared_ptr<X509> certificate(SSL_get1_peer_certificate(ssl_.get()), X509_free);
    char name[256]{};
    if (certificate) X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name, sizeof name);
    return name;
}

std::string TlsWire::asked_name() const {
    const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
    return name ? name : "";
}

void TlsWire::send(std::string_view octets) {
    if (SSL_write(ssl_.get(), octets.data(), static_cast<int>(octets.size())) <= 0) throw std::runtime_error("send: " + why());
}

void TlsWire::send_then_damaged(std::string_view good, std::string_view damaged) {
    BIO* const records = BIO_new(BIO_s_mem());
    BIO* const socket = SSL_get_wbio(ssl_.get());
    BIO_up_ref(socket);
    SSL_set0_wbio(ssl_.get(), records);
    send(good);
    send(damaged);
    std::string octets(BIO_ctrl_pending(records), '\0');
    BIO_read(records, octets.data(), static_cast<int>(octets.size()));
    SSL_set0_wbio(ssl_.get(), socket);
    octets.back() = static_cast<char>(octets.back() ^ 1);
    wire_.send(octets);
}

std::string TlsWire::end_reason() {
    ERR_clear_error();
    while (fill()) {
    }
    return why();
}

bool TlsWire::fill() {
    char buffer[16'384];
    const int got = SSL_read(ssl_.get(), buffer, sizeof buffer);
    if (got <= 0) return false;
    input_.append(buffer, static_cast<std::size_t>(got));
    return true;
}

std::string TlsWire::read_until(std::string_view end) {
    for (;;) {
        if (const auto at = input_.find(end); at != std::string::npos) {
            auto text = input_.substr(0, at + end.size());
            input_.erase(0, at + end.size());
            return text;
        }
        if (!fill()) throw std::runtime_error("closed, or nothing came within 10 s, after: " + input_);
    }
}

std::string TlsWire::read_all() {
    if (!closed()) throw std::runtime_error("not closed within 10 s");
    return std::exchange(input_, {});
}

bool TlsWire::closed() {
    while (fill()) {
    }
    return SSL_get_error(ssl_.get(), -1) != SSL_ERROR_WANT_READ;
}

}  // namespace stox::sip::test
