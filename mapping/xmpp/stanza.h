#pragma once
// The three stanzas (RFC 6120 §8, RFC 6121) as values. The codec is the only file of the program that sees the xml::Element
// of a stanza; everything else sees these.

#include "mapping/core/result.h"
#include "mapping/xml/element.h"
#include "mapping/xmpp/jid.h"
#include "mapping/xmpp/stanza_error.h"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace stox::xmpp {

inline constexpr std::string_view kComponentNs = "jabber:component:accept";

struct LangText {
    std::string text;
    std::string lang;  ///< xml:lang of the element itself; empty: the stanza's

    friend bool operator==(const LangText&, const LangText&) = default;
};

enum class MessageType { normal, chat, groupchat, headline, error };

struct Message {
    Jid from, to;
    std::string id;  ///< may be empty
    MessageType type = MessageType::normal;
    std::string lang;  ///< xml:lang of the stanza; may be empty
    std::vector<LangText> bodies;
    std::vector<LangText> subjects;
    std::optional<std::string> thread;
    std::optional<StanzaError> error;   ///< present exactly when type is error
    std::vector<xml::Element> payload;  ///< all other child elements, in order

    friend bool operator==(const Message&, const Message&) = default;
};

enum class PresenceType { available, unavailable, subscribe, subscribed, unsubscribe, unsubscribed, probe, error };

struct Presence {
    Jid from, to;
    std::string id;
    PresenceType type = PresenceType::available;
    std::string lang;
    std::optional<StanzaError> error;
    std::vector<xml::Element> payload;  ///< show, status, priority, caps ... as they came

    friend bool operator==(const Presence&, const Presence&) = default;
};

enum class IqType { get, set, result, error };

struct Iq {
    Jid from, to;
    std::string id;
    IqType type = IqType::get;
    std::string lang;
    std::optional<xml::Element> payload;  ///< the one child; absent in an empty result
    std::optional<StanzaError> error;

    friend bool operator==(const Iq&, const Iq&) = default;
};

using Stanza = std::variant<Message, Presence, Iq>;

/// Reads a stanza of a component stream. xml elements in foreign namespaces become payload.
/// errors  unsupported: no stanza of this stream's namespace; malformed: no from or to, a JID that is none, an unknown IQ
///         type, an IQ get/set without exactly one child. Unknown message types are normal (RFC 6121 §5.2.2); a presence
///         of unknown type is malformed.
Result<Stanza> decode(const xml::Element& element);

/// Reads who a stanza is from and to, its id and its type; whatever is in it is left out.
/// errors  as of decode, but for what is inside
Result<Stanza> decode_envelope(const xml::Element& element);

/// Writes a stanza; it always carries from and to.   (CORE-03)
xml::Element encode(const Stanza& stanza);
xml::Element encode(const Message& message);

/// The error that answers `original`: addresses swapped, same id and language, type error, nothing of the original's payload.
/// Null when the original is itself an error or an IQ result, which nothing answers.   (CORE-52, CORE-78)
std::optional<Stanza> make_error(const Stanza& original, StanzaError error);

}  // namespace stox::xmpp
