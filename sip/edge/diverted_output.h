#pragma once
// What OpenSSL writes of its own accord while we read past Asio: alerts, answers to a change of keys. Asio sends only what
// came of its own calls.

#include <openssl/ssl.h>

#include <string>

namespace stox::sip {

/// Catches it while this lives.
class DivertedOutput {
public:
    explicit DivertedOutput(SSL& ssl);
    ~DivertedOutput();
    DivertedOutput(const DivertedOutput&) = delete;
    DivertedOutput& operator=(const DivertedOutput&) = delete;

    /// For us to send.
    std::string take();
    /// It leaves with what is written next.
    void give_back();

private:
    SSL& ssl_;
    BIO* own_;     ///< of the stream; null when nothing could be put in its place
    BIO* caught_;  ///< in the hands of `ssl_`
};

}  // namespace stox::sip
