#pragma once
// RFC 7247 §6: SIP addresses and JIDs, both ways. Pure text to text; policy and DNS are elsewhere.

#include "mapping/core/result.h"
#include "mapping/sip/uri.h"
#include "mapping/xmpp/jid.h"

#include <string>
#include <string_view>

namespace stox {

/// XEP-0106 over a whole localpart: what stands on the wire as \20 \22 \26 \27 \2f \3a \3c \3e \40 \5c.
std::string escape_localpart(std::string_view text);
/// The ten sequences, lower case, single pass; anything else stays.   (CORE-21, CORE-22)
std::string unescape_localpart(std::string_view localpart);

/// Prepares a localpart that *we* make: PRECIS UsernameCaseMapped (RFC 8265 §3.3), and a fixed point of nodeprep too, so
/// that no server changes it.   errors  unmappable, with the reason
Result<std::string> prepare_localpart(std::string_view text);
/// Lower case, U-labels, without trailing dot; IP literals as they are.   (CORE-30)   errors  unmappable
Result<std::string> domain_to_jid(std::string_view sip_host);
/// Lower case, A-labels.   errors  unmappable
Result<std::string> domain_to_sip(std::string_view jid_domain);

/// Text -> localpart that stands for it.   errors  unmappable: no such JID can exist; too_large
Result<std::string> text_to_localpart(std::string_view text);
/// localpart from the stream -> what it stands for, prepared and without escapes.   errors  unmappable, too_large
Result<std::string> localpart_to_text(std::string_view localpart);

/// userinfo of a SIP URI -> localpart.   (CORE-20; vectors in docs/spec 1.4)
/// errors  unmappable: no such JID can exist; too_large: over 1,023 octets once escaped
Result<std::string> user_to_localpart(std::string_view userinfo);
/// localpart -> userinfo.   (CORE-21; vectors in docs/spec 1.5)
Result<std::string> localpart_to_user(std::string_view localpart);
/// localpart -> the local part of an im: or pres: URI, whose rule is that of mailto.   (docs/spec 1.2, 1.5)
Result<std::string> localpart_to_im_user(std::string_view localpart);

/// ;gr=value -> resource; empty: no gr.   (CORE-40)   errors  unmappable: without a value it is a temporary GRUU, whose user is
/// a riddle and no address (CORE-41); too_large
Result<std::string> gr_to_resource(const sip::Uri& uri);

/// Scheme A (native): sip:user@host -> user@host, with ;gr=value as resource.   (CORE-09, CORE-40)
Result<xmpp::Jid> to_jid_native(const sip::Uri& uri);
/// Scheme B (nested): sip:user@sipdomain -> user\40sipdomain@component.
Result<xmpp::Jid> to_jid_nested(const sip::Uri& uri, std::string_view component);
/// Scheme A: user@domain -> sip:user@domain. The resource is not put into the URI: it is no known GRUU (IM-52).
Result<sip::Uri> to_uri_native(const xmpp::Jid& jid);
/// Scheme B: user\40sipdomain@component -> sip:user@sipdomain. The last unescaped '@' splits; without one `default_domain`
/// is the SIP domain.   (CORE-10) So does the last '%' before a domain with a dot where no '@' stands: scheme D, an alias that
/// other gateways have made known; what we make is scheme B.   errors  unmappable: no '@' and no default domain
Result<sip::Uri> to_uri_nested(const xmpp::Jid& jid, std::string_view default_domain);

}  // namespace stox
