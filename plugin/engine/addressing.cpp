#include "plugin/engine/addressing.h"

#include "mapping/address.h"

#include <algorithm>

namespace stox::engine {

bool serves(const config::DomainOptions& options, std::string_view xmpp_domain) {
    return std::ranges::find(options.xmpp_domains, xmpp_domain) != options.xmpp_domains.end();
}

Result<xmpp::Jid> contact_jid(const config::DomainOptions& options, const sip::Uri& uri) {
    if (options.scheme == config::AddressScheme::nested) return to_jid_nested(uri, options.domain);
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
    if (options.scheme == config::AddressScheme::nested) return to_uri_nested(jid, options.sip_domain);
    auto contact = jid;
    if (!options.sip_domain.empty()) contact.domain = options.sip_domain;
    return to_uri_native(contact);
}

Result<sip::Uri> user_uri(const config::DomainOptions& options, const xmpp::Jid& jid) {
    auto uri = to_uri_native(jid);
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
            if (nested && serves(options, nested.value().domain)) return nested;
        }
    }
    return fail(Code::unmappable, "no XMPP user of ours");
}

}  // namespace stox::engine
