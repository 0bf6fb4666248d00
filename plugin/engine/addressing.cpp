#include "plugin/engine/addressing.h"

#include "mapping/address.h"
#include "plugin/engine/dial_plan.h"

#include <algorithm>

namespace stox::engine {

namespace {

using config::AddressScheme;

Result<void> check_known(const config::DomainOptions& options, const PhoneNumber& number) {
    if (!is_known(options.phone, number)) return fail(Code::incomplete, "number without plus that no dial plan or context has");
    return ok();
}

Result<xmpp::Jid> number_jid(const config::DomainOptions& options, const sip::Uri& uri) {
    BOOST_OUTCOME_TRY(number, phone_number(uri));
    BOOST_OUTCOME_TRYV(check_known(options, number));
    return to_jid_phone(uri, options.domain);
}

/// An account of ours under a SIP domain would come back to us as its own message.   (CORE-07)
Result<sip::Uri> nested_uri(const config::DomainOptions& options, const xmpp::Jid& jid) {
    auto uri = to_uri_nested(jid, options.sip_domain);
    if (!uri) return uri;
    const auto inner = domain_to_jid(uri.value().host);
    if (inner && serves(options, inner.value())) return fail(Code::unmappable, "XMPP domain of ours behind the gateway");
    return uri;
}

bool is_nested_there(const config::DomainOptions& options, const std::string& xmpp_domain) {
    return std::ranges::find(options.nested_xmpp_domains, xmpp_domain) != options.nested_xmpp_domains.end();
}

/// sip:local%40xmppdomain@component
Result<sip::Uri> nested_user_uri(const config::DomainOptions& options, const xmpp::Jid& jid) {
    BOOST_OUTCOME_TRY(text, localpart_to_text(jid.local));
    BOOST_OUTCOME_TRY(host, domain_to_sip(options.domain));
    sip::Uri uri;
    uri.user = sip::percent_encode_user(text + '@' + jid.domain);
    uri.host = std::move(host);
    return uri;
}

}  // namespace

bool serves(const config::DomainOptions& options, std::string_view xmpp_domain) {
    return std::ranges::find(options.xmpp_domains, xmpp_domain) != options.xmpp_domains.end();
}

Result<xmpp::Jid> contact_jid(const config::DomainOptions& options, const sip::Uri& uri) {
    if (options.scheme == AddressScheme::phone) return number_jid(options, uri);
    if (options.scheme == AddressScheme::nested) return to_jid_nested(uri, options.domain);
    auto jid = to_jid_native(uri);
    if (!jid) return jid;
    auto contact = jid.value();
    // With the native scheme the component's domain stands for its SIP domain, whatever that is called.
    if (!options.sip_domain.empty() && contact.domain == options.sip_domain) contact.domain = options.domain;
    if (contact.domain != options.domain)
        return fail(Code::unmappable, "scheme native has no JID for a user of " + contact.domain);
    return contact;
}

Result<sip::Uri> contact_uri(const config::DomainOptions& options, const xmpp::Jid& jid) {
    if (options.scheme == AddressScheme::phone) {
        BOOST_OUTCOME_TRY(number, phone_number(jid));
        BOOST_OUTCOME_TRYV(check_known(options, number));
        return number_uri(options, number);
    }
    if (options.scheme == AddressScheme::nested) return nested_uri(options, jid);
    auto contact = jid;
    if (!options.sip_domain.empty()) contact.domain = options.sip_domain;
    return to_uri_native(contact);
}

Result<sip::Uri> number_uri(const config::DomainOptions& options, const PhoneNumber& number) {
    return to_uri_phone(number, options.sip_domain.empty() ? options.domain : options.sip_domain);
}

Result<sip::Uri> user_uri(const config::DomainOptions& options, const xmpp::Jid& jid) {
    if (jid.local.empty()) return fail(Code::unmappable, "no user");  // a domain speaks in errors and for itself alone (CORE-34)
    auto uri = is_nested_there(options, jid.domain) ? nested_user_uri(options, jid) : to_uri_native(jid);
    if (uri && options.from_gr && !jid.resource.empty())
        uri.value().parameters.push_back({"gr", sip::percent_encode_parameter(jid.resource)});
    return uri;
}

Result<xmpp::Jid> user_jid(const config::DomainOptions& options, const sip::Uri& uri) {
    auto jid = to_jid_native(uri);
    if (!jid) return jid;
    if (serves(options, jid.value().domain)) return jid;
    if (jid.value().domain == options.domain) {
        const auto unescaped = unescape_localpart(jid.value().local);
        const auto at = unescaped.rfind('@');
        if (at != std::string::npos) {
            auto nested = xmpp::Jid::parse(escape_localpart(unescaped.substr(0, at)) + '@' + unescaped.substr(at + 1));
            if (nested && serves(options, nested.value().domain)) {
                nested.value().resource = jid.value().resource;
                return nested;
            }
        }
    }
    return fail(Code::unmappable, "no XMPP user of ours");
}

}  // namespace stox::engine
