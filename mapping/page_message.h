#pragma once
// RFC 7572: page-mode messages, both ways. One message in, one message out; who may write to whom is decided elsewhere.

#include "mapping/core/result.h"
#include "mapping/im/body.h"
#include "mapping/sip/message.h"
#include "mapping/xmpp/stanza.h"

#include <optional>
#include <string>
#include <string_view>

namespace stox {

/// A message in message/cpim, with what its author wants to be told of it.   (IM-40)
struct Wrapping {
    std::string message_id;  ///< imdn.Message-ID
    UtcTime sent{};
    im::DispositionRequest asks{};
};

struct PageMessageOptions {
    std::string id;                      ///< of the stanza we make, as id and as origin-id (IM-21)
    std::string call_id;                 ///< of the request we make (IM-05, IM-06)
    std::string from_tag;                ///< of the request we make
    bool pager_as_chat = true;           ///< the type of the stanza we make is chat, else absent (IM-22)
    std::uint32_t cseq = 1;              ///< of the request we make
    std::string correction_mark{"* "};   ///< before the text that replaces an earlier one (IM-20)
    std::optional<Wrapping> wrapping{};  ///< of the request we make; none: the text alone
    bool xhtml_im = false;               ///< of HTML more than its text goes into the stanza (IM-25)
    UtcTime received{};                  ///< the request we read; what is much older gets a delay stamp (IM-26)
};

/// A message with a body as a MESSAGE request; From, To and Request-URI as given.
/// errors  unsupported: nothing in it that a page-mode message carries (a chat state, a marker, an empty body)
Result<sip::Request> to_sip_message(const xmpp::Message& in, const sip::Uri& from, const sip::Uri& to,
                                    const PageMessageOptions& options);

/// A MESSAGE with text as a message stanza.
/// errors  unsupported: a content type or charset we cannot read (415), or no text in it; too_large: the text as XML passes the
///         stanza limit (413); malformed: not what its charset says, or nothing to deliver (400)
Result<xmpp::Message> to_xmpp_message(const sip::Request& in, xmpp::Jid from, xmpp::Jid to, const PageMessageOptions& options);
/// The same of a body that was read already.
Result<xmpp::Message> to_xmpp_message(const sip::Request& in, const im::Body& body, xmpp::Jid from, xmpp::Jid to,
                                      const PageMessageOptions& options);

/// Whom a notification is for, and by which way.
struct Recipient {
    sip::Uri author;                       ///< of the message that it is about
    std::vector<std::string> routes{};     ///< of the message's IMDN-Record-Route, in order
    std::optional<sip::Uri> first_route{};  ///< to which it goes; none: to the author
};

/// A notification about a message, as a MESSAGE of its own.   (RFC 5438 §7.2.1, §12.1.3.1)
sip::Request to_imdn_message(const im::Imdn& imdn, const sip::Uri& from, const Recipient& to, const PageMessageOptions& options);

/// Somebody writes, or no longer does.   (RFC 3994, CHAT-41)
sip::Request to_is_composing_message(const im::IsComposing& status, const sip::Uri& from, const sip::Uri& to,
                                     const PageMessageOptions& options);

/// Whether a thread can stand as a Call-ID: word ["@" word] of 128 octets at most.   (RFC 3261 §25.1, IM-06)
bool is_call_id(std::string_view thread);

}  // namespace stox
