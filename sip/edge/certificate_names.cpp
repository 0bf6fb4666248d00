#include "sip/edge/certificate_names.h"

#include "mapping/core/handle.h"

#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

namespace stox::sip {

namespace {

using AlternativeNames = Handle<GENERAL_NAMES, &GENERAL_NAMES_free>;
using Usages = Handle<EXTENDED_KEY_USAGE, &EXTENDED_KEY_USAGE_free>;

std::string lower(std::string_view text) {
    std::string made(text);
    std::ranges::transform(made, made.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return made;
}

/// Nothing when a NUL or another control character is in it: a reader might stop there and see another name.
std::optional<std::string> text_of(const ASN1_STRING* string) {
    const auto* octets = ASN1_STRING_get0_data(string);
    std::string text(reinterpret_cast<const char*>(octets), static_cast<std::size_t>(ASN1_STRING_length(string)));
    if (text.empty() || std::ranges::any_of(text, [](unsigned char c) { return c <= 0x20 || c >= 0x7f; })) return std::nullopt;
    return text;
}

std::optional<Address> address_of(const ASN1_OCTET_STRING* octets) {
    const auto* data = ASN1_STRING_get0_data(octets);
    const auto size = ASN1_STRING_length(octets);
    if (size == 4) return Address::v4({data[0], data[1], data[2], data[3]});
    if (size != 16) return std::nullopt;
    std::array<std::uint8_t, 16> all;
    std::copy_n(data, 16, all.begin());
    return Address::v6(all);
}

void add(const GENERAL_NAME& name, CertificateNames& names) {
    if (name.type == GEN_URI) {
        if (auto text = text_of(name.d.uniformResourceIdentifier)) names.uris.push_back(std::move(*text));
    } else if (name.type == GEN_DNS) {
        if (auto text = text_of(name.d.dNSName)) names.dns.push_back(std::move(*text));
    } else if (name.type == GEN_IPADD) {
        if (const auto address = address_of(name.d.iPAddress)) names.addresses.push_back(*address);
    }
}

/// "sip:example.org", perhaps with port and parameters, which are no part of the comparison.
std::optional<std::string> domain_of(std::string_view uri) {
    constexpr std::string_view kScheme = "sip:";
    if (lower(uri.substr(0, kScheme.size())) != kScheme) return std::nullopt;
    auto host = uri.substr(kScheme.size());
    if (host.find('@') != host.npos) return std::nullopt;
    host = host.substr(0, host.find_first_of(";?"));
    if (!host.empty() && host.front() != '[') host = host.substr(0, host.find(':'));
    return host.empty() ? std::nullopt : std::optional(lower(host));
}

}  // namespace

bool is_for_sip(x509_st& certificate) {
    constexpr std::string_view sip_domain = "1.3.6.1.5.5.7.3.20";
    const Usages usages(static_cast<EXTENDED_KEY_USAGE*>(X509_get_ext_d2i(&certificate, NID_ext_key_usage, nullptr, nullptr)));
    if (!usages) return X509_get_ext_by_NID(&certificate, NID_ext_key_usage, -1) < 0;
    for (int i = 0; i < sk_ASN1_OBJECT_num(usages.get()); ++i) {
        const auto* usage = sk_ASN1_OBJECT_value(usages.get(), i);
        const int known = OBJ_obj2nid(usage);
        if (known == NID_server_auth || known == NID_client_auth || known == NID_anyExtendedKeyUsage) return true;
        char number[64]{};
        OBJ_obj2txt(number, sizeof number, usage, 1);
        if (number == sip_domain) return true;
    }
    return false;
}

CertificateNames read_names(x509_st& certificate) {
    CertificateNames names;
    const AlternativeNames list(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
    // Also when the extension is there but cannot be read.
    names.has_alternative_names = X509_get_ext_by_NID(&certificate, NID_subject_alt_name, -1) >= 0;
    for (int i = 0; list && i < sk_GENERAL_NAME_num(list.get()); ++i) add(*sk_GENERAL_NAME_value(list.get(), i), names);

    auto* subject = X509_get_subject_name(&certificate);
    for (int i = -1; (i = X509_NAME_get_index_by_NID(subject, NID_commonName, i)) >= 0;)
        if (auto text = text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, i))))
            names.common_names.push_back(std::move(*text));
    return names;
}

std::vector<std::string> sip_identities(const CertificateNames& names) {
    std::vector<std::string> identities;
    for (const auto& uri : names.uris)
        if (auto domain = domain_of(uri)) identities.push_back(std::move(*domain));
    if (!identities.empty()) return identities;
    for (const auto& name : names.has_alternative_names ? names.dns : names.common_names) identities.push_back(lower(name));
    return identities;
}

bool proves(const CertificateNames& names, std::string_view host) {
    if (const auto address = Address::parse(host))
        return std::ranges::find(names.addresses, address.value()) != names.addresses.end();
    if (host.ends_with('.')) host.remove_suffix(1);
    if (host.empty() || host.find('*') != host.npos) return false;
    const auto identities = sip_identities(names);
    return std::ranges::find(identities, lower(host)) != identities.end();
}

}  // namespace stox::sip
