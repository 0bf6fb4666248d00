#pragma once
// One domain's choice among the addressing schemes (CORE-09..11): SIP contacts as JIDs of the component, XMPP users as SIP
// URIs.

#include "mapping/core/result.h"
#include "mapping/phone.h"
#include "mapping/sip/uri.h"
#include "mapping/xmpp/jid.h"
#include "plugin/config/options.h"

namespace stox::engine {

/// Somebody on the SIP side as a JID in the component's domain.
/// errors  unmappable, too_large; incomplete: a number that is neither global nor known (CORE-35)
Result<xmpp::Jid> contact_jid(const config::DomainOptions& options, const sip::Uri& uri);
/// A JID of the component's domain as the SIP URI behind it.   errors  as of contact_jid
Result<sip::Uri> contact_uri(const config::DomainOptions& options, const xmpp::Jid& jid);

/// Scheme phone: a number as the URI that the trunk gets.   errors  unmappable
Result<sip::Uri> number_uri(const config::DomainOptions& options, const PhoneNumber& number);

/// An XMPP user as SIP sees them: sip:local@xmppdomain, or sip:local%40xmppdomain@component where SIP does not route their domain
/// to us; with ;gr=resource if the domain wants that (IM-03).   (CORE-11)
Result<sip::Uri> user_uri(const config::DomainOptions& options, const xmpp::Jid& jid);
/// The XMPP user a request is for: sip:local@xmppdomain, or nested as sip:local%40xmppdomain@component.   (CORE-08, CORE-11)
/// errors  unmappable: nobody of our XMPP domains; too_large
Result<xmpp::Jid> user_jid(const config::DomainOptions& options, const sip::Uri& uri);

bool serves(const config::DomainOptions& options, std::string_view xmpp_domain);

}  // namespace stox::engine
