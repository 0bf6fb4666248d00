#pragma once
// Certificates made for one test: an authority, one below it, and what they issue, as PEM files in a folder of their own.

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace stox::sip::test {

class Certificates {
public:
    Certificates();
    ~Certificates();
    Certificates(const Certificates&) = delete;
    Certificates& operator=(const Certificates&) = delete;

    struct Files {
        std::string chain, key;
    };
    /// Issued by the intermediate authority, whose certificate is in the chain file.
    /// alternative  as OpenSSL writes it: "DNS:a.test,IP:127.0.0.1,URI:sip:a.test"; empty: none
    /// usage        extended key usage: "serverAuth"; empty: none
    Files issue(const std::string& common_name, const std::string& alternative, int days = 90, const std::string& usage = {});
    /// The root alone.
    const std::string& root() const { return root_file_; }
    std::string file(const std::string& name, const std::string& content);

private:
    struct Party {
        std::shared_ptr<EVP_PKEY> key;
        std::shared_ptr<X509> certificate;
    };
    Party make(const std::string& common_name, const std::string& alternative, bool authority, const Party* issuer, int days,
               const std::string& usage = {});

    std::string folder_, root_file_;
    Party root_, intermediate_;
    long serial_ = 1;
};

}  // namespace stox::sip::test
