#pragma once
// What stands in the body of a SIP message, with its wrappers taken off: text, a delivery notification, or that somebody writes.

#include "mapping/core/utc_time.h"
#include "mapping/im/imdn.h"
#include "mapping/im/is_composing.h"
#include "mapping/sip/message.h"
#include "mapping/xmpp/stanza.h"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace stox::im {

inline constexpr std::size_t kMaxBody_octets = 10'000;  ///< of a MESSAGE, and of what it holds when it is compressed (IM-31)

/// What we can read, as an Accept header says it.   (IM-28)
inline constexpr std::string_view kAccept =
    "text/plain, text/html, message/cpim, message/imdn+xml, application/im-iscomposing+xml, multipart/mixed, "
    "multipart/alternative";
inline constexpr std::string_view kAcceptEncoding = "identity, deflate";

struct Text {
    std::string plain;                 ///< UTF-8, lines end with LF, nothing that XML forbids
    std::optional<xml::Element> html;  ///< XHTML-IM; when it was HTML
    std::string lang{};                ///< of the part itself; may be empty

    friend bool operator==(const Text&, const Text&) = default;
};

/// What the headers of a message/cpim say. Who wrote it is not among it: that is known better by the request.   (IM-26)
struct Envelope {
    std::string from_uri, to_uri;  ///< as written; may be empty
    std::string date_time{};       ///< as written; may be empty
    std::optional<UtcTime> sent{};
    std::vector<xmpp::LangText> subjects{};
    std::string message_id{};  ///< imdn.Message-ID; may be empty
    DispositionRequest asks{};
    std::string original_to{};                 ///< its URI
    std::vector<std::string> record_routes{};  ///< their URIs, in order

    friend bool operator==(const Envelope&, const Envelope&) = default;
};

struct Body {
    /// Notifications may come several in one body.
    std::variant<Text, std::vector<Imdn>, IsComposing> content;
    std::optional<Envelope> envelope{};

    friend bool operator==(const Body&, const Body&) = default;
};

/// The first part that we can carry, of whatever depth up to 4, and of 64 parts in all.
/// errors  unsupported: a content type, charset or encoding we cannot read, encrypted content (415); too_large: over
///         kMaxBody_octets, all that is compressed in it together, or over 64 parts (413); malformed: not what its type or charset says, or nothing at all (400)
Result<Body> read_body(const sip::Request& request);

/// A message of ours in a form that every peer can read, for one that refused it: a CPIM without its wrapper. nullopt: it has
/// none, or that is what it was.   (IM-15)
std::optional<sip::Request> as_plain_text(const sip::Request& request);

/// The first of the tags of a Content-Language that is one (RFC 5646 §2.1), else "".   (CORE-60)
std::string first_language(std::string_view value);
bool is_language_tag(std::string_view text);

/// When the message expires: Expires counts from Date, without one from its reception.   (RFC 3428 §7, IM-33)
std::optional<UtcTime> expiry(const sip::Request& request, UtcTime received);

}  // namespace stox::im
