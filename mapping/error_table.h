#pragma once
// RFC 7247 §7: errors both ways, as tables.

#include "mapping/xmpp/stanza_error.h"

#include <string>
#include <string_view>

namespace stox {

/// What the original request was, seen from XMPP: it decides between 4xx and 6xx and between MESSAGE's and INVITE's rows.
struct ErrorContext {
    bool full_jid = false;    ///< the stanza was to a full JID (CORE-53); false: a bare one
    bool allow_6xx = false;   ///< we are sure of all devices: only then does a bare JID give 6xx (CORE-53)
    std::string_view method;  ///< "MESSAGE", "INVITE" ...
    /// The server answers a message to nobody, or to nobody who is there, with service-unavailable: 480, else 403 (CORE-X19).
    bool unavailable_is_offline = true;
};

struct SipFailure {
    int status = 500;
    std::string contact;      ///< URI for 301/302, else empty
    bool retry_after = false;  ///< carries Retry-After (CORE-X18)

    friend bool operator==(const SipFailure&, const SipFailure&) = default;
};

/// docs/spec 1.7.1, CORE-X01..X22.
SipFailure to_sip_failure(const xmpp::StanzaError& error, const ErrorContext& context);

/// docs/spec 1.7.2, CORE-S300..S6xx; unlisted codes fall to their class's row (CORE-50, CORE-56).
/// status   300..699
/// reason   the reason phrase, becomes <text/> (control characters removed, 256 octets; CORE-51)
/// contact  the first usable Contact of a 3xx as an address for the XMPP side; empty: none
/// retry_after  the response carried Retry-After (rows 500 and 503: wait)
xmpp::StanzaError to_stanza_error(int status, std::string_view reason, std::string_view contact = {}, bool retry_after = false);

}  // namespace stox
