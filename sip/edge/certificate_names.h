#pragma once
// Whom a certificate names, and whom that proves.   (RFC 5922 §7)

#include "mapping/core/endpoint.h"

#include <string>
#include <string_view>
#include <vector>

struct x509_st;

namespace stox::sip {

/// As they stand in a certificate whose chain was checked by somebody else.
struct CertificateNames {
    bool has_alternative_names = false;  ///< then the common name counts for nothing
    std::vector<std::string> uris;
    std::vector<std::string> dns;
    std::vector<Address> addresses;
    std::vector<std::string> common_names;
};

/// Whether its extended key usage, if it has one, lets it stand for a SIP server or client. Those for TLS servers alone are good
/// for clients too: a proxy is both with one certificate, and public authorities issue no others.   (RFC 5924 §4)
bool is_for_sip(x509_st& certificate);

CertificateNames read_names(x509_st& certificate);

/// The SIP domains that the certificate speaks for, in lower case: hosts of `sip:` URIs without a user; if there is none, the DNS
/// names; if there are no alternative names at all, the common name.   (RFC 5922 §7.1)
std::vector<std::string> sip_identities(const CertificateNames& names);

/// Whole names, without regard to case, and no wildcards (RFC 5922 §7.2). A numeric host is proved by an IP address alone.
bool proves(const CertificateNames& names, std::string_view host);

}  // namespace stox::sip
