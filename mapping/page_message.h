#pragma once
// RFC 7572: page-mode messages, both ways. One message in, one message out; who may write to whom is decided elsewhere.

#include "mapping/core/result.h"
#include "mapping/sip/message.h"
#include "mapping/xmpp/stanza.h"

#include <string>

namespace stox {

struct PageMessageOptions {
    std::string id;             ///< of the stanza we make, as id and as origin-id (IM-21)
    std::string call_id;        ///< of the request we make; fresh for each, no thread goes out (IM-05, IM-06)
    std::string from_tag;       ///< of the request we make
    bool pager_as_chat = true;  ///< the type of the stanza we make is chat, else absent (IM-22)
};

/// A message with a body as a MESSAGE request; From, To and Request-URI as given.
/// errors  unsupported: nothing in it that a page-mode message carries (a chat state, a marker, an empty body)
Result<sip::Request> to_sip_message(const xmpp::Message& in, const sip::Uri& from, const sip::Uri& to,
                                    const PageMessageOptions& options);

/// A MESSAGE with plain text as a message stanza.
/// errors  unsupported: a content type or charset we cannot read (415); too_large: the text as XML passes the stanza limit
///         (413); malformed: not what its charset says, or nothing to deliver (400)
Result<xmpp::Message> to_xmpp_message(const sip::Request& in, xmpp::Jid from, xmpp::Jid to, const PageMessageOptions& options);

}  // namespace stox
