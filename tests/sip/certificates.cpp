#include "tests/sip/certificates.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace stox::sip::test {

namespace {

void add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    auto* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
    if (!extension) throw std::runtime_error("extension " + value);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

template <class Write>
std::string pem(Write write) {
    BIO* memory = BIO_new(BIO_s_mem());
    write(memory);
    char* octets = nullptr;
    const auto size = BIO_get_mem_data(memory, &octets);
    std::string text(octets, static_cast<std::size_t>(size));
    BIO_free(memory);
    return text;
}

std::string pem(X509* certificate) {
    return pem([&](BIO* to) { PEM_write_bio_X509(to, certificate); });
}

}  // namespace

Certificates::Certificates() {
    char pattern[] = "/tmp/stox-certificates-XXXXXX";
    if (!::mkdtemp(pattern)) throw std::runtime_error("no folder for certificates");
    folder_ = pattern;
    root_ = make("Root", "", true, nullptr, 365);
    intermediate_ = make("Intermediate", "", true, &root_, 365);
    root_file_ = file("root.pem", pem(root_.certificate.get()));
}

Certificates::~Certificates() { std::filesystem::remove_all(folder_); }

Certificates::Party Certificates::make(const std::string& common_name, const std::string& alternative, bool authority,
                                       const Party* issuer, int days, const std::string& usage) {
    Party party;
    party.key.reset(EVP_EC_gen("P-256"), EVP_PKEY_free);
    party.certificate.reset(X509_new(), X509_free);
    auto* certificate = party.certificate.get();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial_++);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -86'400L * 30);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86'400L * days);
    X509_set_pubkey(certificate, party.key.get());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
    auto* by = issuer ? issuer->certificate.get() : certificate;
    X509_set_issuer_name(certificate, X509_get_subject_name(by));
    add_extension(certificate, by, NID_basic_constraints, authority ? "critical,CA:TRUE" : "CA:FALSE");
    if (!alternative.empty()) add_extension(certificate, by, NID_subject_alt_name, alternative);
    if (!usage.empty()) add_extension(certificate, by, NID_ext_key_usage, usage);
    X509_sign(certificate, (issuer ? issuer->key : party.key).get(), EVP_sha256());
    return party;
}

Certificates::Files Certificates::issue(const std::string& common_name, const std::string& alternative, int days,
                                        const std::string& usage) {
    const auto party = make(common_name, alternative, false, &intermediate_, days, usage);
    const auto number = std::to_string(serial_);
    return {file(number + "-chain.pem", pem(party.certificate.get()) + pem(intermediate_.certificate.get())),
            file(number + "-key.pem",
                 pem([&](BIO* to) { PEM_write_bio_PrivateKey(to, party.key.get(), nullptr, nullptr, 0, nullptr, nullptr); }))};
}

std::string Certificates::file(const std::string& name, const std::string& content) {
    const auto path = folder_ + '/' + name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
}

}  // namespace stox::sip::test
