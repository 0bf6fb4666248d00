#pragma once
// Telephone numbers and dial strings: in tel URIs, in the user part of SIP URIs, in localparts.   (RFC 3966, RFC 3261 §19.1.6;
// CORE-35, CORE-36). Which of them may be used is decided elsewhere.

#include "mapping/core/result.h"
#include "mapping/sip/uri.h"
#include "mapping/xmpp/jid.h"

#include <string>
#include <string_view>
#include <vector>

namespace stox {

/// A number in its one spelling: without visual separators, in lower case, its parameters in one order.
struct PhoneNumber {
    std::string digits;                         ///< "+15551230000"; without plus also * # a-f: "7042", "*21#"
    std::vector<sip::UriParameter> parameters;  ///< whose number it is: ext, phone-context ...; isub and postd first, then by name
    std::vector<std::string> dropped;           ///< names of those that stood there and say how it is routed, rated or signed

    bool is_global() const { return digits.starts_with('+'); }
    /// The domain or the number prefix that a number without plus belongs to; null: it names none.
    const std::string* context() const;
    /// "+15551230000;ext=5": the user part of a SIP URI, and the localpart, before either is escaped.
    std::string text() const;
    friend bool operator==(const PhoneNumber&, const PhoneNumber&) = default;
};

/// The number that a tel URI is, or that the user of a sip, im or pres URI spells.
/// errors  unmappable: no number, sips
Result<PhoneNumber> phone_number(const sip::Uri& uri);
/// The number that a localpart spells.   errors  unmappable, too_large
Result<PhoneNumber> phone_number(const xmpp::Jid& jid);

/// Scheme C (phone): a number, whatever host stands with it -> number@component, with ;gr=value as resource.
/// errors  unmappable, too_large
Result<xmpp::Jid> to_jid_phone(const sip::Uri& uri, std::string_view component);
/// Scheme C: number -> sip:number@trunk;user=phone; without user=phone where nothing says to which numbers a local one belongs,
/// for the rule of tel has no such number.   errors  unmappable
Result<sip::Uri> to_uri_phone(const PhoneNumber& number, std::string_view trunk);

}  // namespace stox
