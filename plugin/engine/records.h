#pragma once
// What must outlive the process, as plain values: messages that were accepted and are not delivered yet, and what a later receipt
// refers to. The engine keeps them in memory; the shell writes them through and gives them back at the next start.
// (contract: docs/architecture.md, Delivery)

#include "mapping/core/ids.h"
#include "mapping/core/utc_time.h"
#include "mapping/sip/message.h"
#include "mapping/xmpp/stanza.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace stox::engine {

enum class Collection : std::uint8_t {
    inbox,     ///< from SIP, accepted, until the XMPP server surely has it
    outbox,    ///< from XMPP, accepted, until a final response, or until its author was told
    receipts,  ///< ids that a later receipt or IMDN refers to
    contacts,  ///< SIP contacts that XMPP users watch, as long as they do
    watchers,  ///< SIP contacts that may watch XMPP users, or asked to
};

/// What the author of a MESSAGE asked to be told (RFC 5438), and what a report needs to be sent.
struct ReportAsked {
    std::string message_id;  ///< imdn.Message-ID
    std::string date_time;   ///< as it came
    sip::Uri author;         ///< of the message, to whom reports go
    sip::Uri recipient;      ///< whom it was for
    bool positive = false;   ///< delivery
    bool negative = false;   ///< delivery
    bool display = false;

    bool any() const { return positive || negative || display; }
    std::vector<std::string> routes{};  ///< of IMDN-Record-Route, in order
    std::string original_recipient{};   ///< of Original-To; may be empty

    friend bool operator==(const ReportAsked&, const ReportAsked&) = default;
};

/// A message from SIP that is ours now. Every copy of the stanza has the same id.
struct InboxRow {
    xmpp::Message stanza;  ///< as it goes to XMPP, without the delay stamp
    UtcTime accepted{};    ///< when it came   (XEP-0203)
    Trace trace{};
    std::string peer{};         ///< it came from
    std::string request_key{};  ///< what a copy of its request has in common with it; may be empty   (RFC 3261 §8.2.2.2)
    std::optional<ReportAsked> report{};
    /// The server has the message: the row is there for copies of its request, and of the stanza only the envelope.
    bool delivered = false;

    friend bool operator==(const InboxRow&, const InboxRow&) = default;
};

/// A message from XMPP that is ours now. Every copy of the request has the same ids and a higher CSeq.
struct OutboxRow {
    xmpp::Message stanza;  ///< as it came; of a failure that is owed: its envelope
    UtcTime accepted{};
    Trace trace{};
    std::string call_id{};
    std::string from_tag{};
    std::uint32_t cseq = 1;  ///< a restart leaps over it: what was sent since is not written down
    std::string imdn_id{};   ///< imdn.Message-ID
    /// Whether it went as message/cpim, so that a copy is the same message. None: nobody has decided.
    std::optional<bool> wrapped{};
    /// It failed, and its author could not be told yet.
    std::optional<xmpp::StanzaError> owed{};

    friend bool operator==(const OutboxRow&, const OutboxRow&) = default;
};

/// Two names of one message: the stanza's id and the one that SIP knows it by.
struct ReceiptRow {
    std::string stanza_id;
    xmpp::Jid user;     ///< on the XMPP side
    xmpp::Jid contact;  ///< on the SIP side
    std::string imdn_id{};
    UtcTime since{};
    bool from_sip = false;                             ///< who wrote the message that the receipt is about
    xmpp::MessageType type = xmpp::MessageType::chat;  ///< of what its author is told: chat, or normal
    std::optional<ReportAsked> report{};  ///< what is still to be told

    friend bool operator==(const ReceiptRow&, const ReceiptRow&) = default;
};

/// A user's subscription to the presence of a SIP contact. Its dialogs are not kept.   (PRES-02)
struct ContactRow {
    xmpp::Jid user;     ///< bare
    xmpp::Jid contact;  ///< bare
    bool granted = false;
    std::vector<std::string> shown{};  ///< resources that the user sees as available, kMaxShown at most
    std::optional<UtcTime> assumed{};  ///< granted by the roster's word alone, since then

    static constexpr std::size_t kMaxShown = 64;
    friend bool operator==(const ContactRow&, const ContactRow&) = default;
};

/// A SIP contact's subscription to the presence of a user. Its dialogs are not kept.   (PRES-02)
struct WatcherRow {
    xmpp::Jid user;                ///< bare
    xmpp::Jid contact;             ///< bare
    /// The user has agreed, has been asked, or has said no and is not asked again before `until`.
    enum class Said : std::uint8_t { granted, asked, refused } said = Said::granted;
    UtcTime at{};        ///< when they were asked; until when they are not asked again
    std::string peer{};  ///< that the contact came by, last; may be empty

    friend bool operator==(const WatcherRow&, const WatcherRow&) = default;
};

/// Octets of a row as it is stored; a longer one is refused when it comes.
constexpr std::size_t kMaxRowOctets = 1u << 20;

using RecordValue = std::variant<InboxRow, OutboxRow, ReceiptRow, ContactRow, WatcherRow>;

struct RecordChange {
    Collection collection;
    std::string key;                   ///< unique in its collection for ever
    std::optional<RecordValue> value;  ///< none: erased

    friend bool operator==(const RecordChange&, const RecordChange&) = default;
};

struct Record {
    Collection collection;
    std::string key;
    RecordValue value;
    /// How many engines may have worked with it before this one. Grows from one to the next; gaps mean nothing.
    std::uint32_t lives = 1;

    friend bool operator==(const Record&, const Record&) = default;
};

}  // namespace stox::engine
