#pragma once
// Delivery notifications both ways (RFC 5438): receipts and markers of XMPP (XEP-0184, XEP-0333) for what went to SIP, IMDNs for
// what came from there.
//
// Nobody is told more than once, nor "delivered" and then "failed"; and nobody hears that a user has seen a message unless that
// user's client said so.   (IM-46, IM-49, IM-54)

#include "mapping/im/body.h"
#include "mapping/im/extensions.h"
#include "plugin/engine/author.h"
#include "plugin/engine/outbox.h"
#include "plugin/engine/page_messages.h"

namespace stox::engine {

// Messages that went to SIP

/// What the author of a message wants to hear, as SIP is asked for it.   (IM-40)
im::DispositionRequest wanted(const xmpp::Message& message);
/// The record by which an IMDN will find that message. Nothing: nothing was asked for.
std::optional<RecordChange> await_imdn(State& state, const OutboxRow& row, const Outgoing& outgoing, TimePoint now);
/// What an author is told of their message, and what becomes of its row with it.
struct Told {
    xmpp::Message stanza;
    Telling telling;
};
/// IMDNs of that contact: what they say to whoever wrote the messages that they are about. Nobody is told the same again, unless
/// this is put back.
std::vector<Told> take_imdns(State& state, const std::vector<im::Imdn>& imdns, const xmpp::Jid& contact);
/// What should have been told was not stored.
void put_back(State& state, Receipts::Before before);
/// No IMDN will come: the message failed, or its contact got it in a form that asks for none.
void await_no_imdn(State& state, const Outgoing& outgoing, TimePoint now);
/// A contact whose client knows no IMDN has taken the message itself: a receipt all the same.   (IM-45)
void give_receipt(State& state, const Outgoing& outgoing, TimePoint now, Actions& out);

// Messages that came from SIP

/// What their author asked for; nothing when nothing, or when there is nobody to tell.
std::optional<ReportAsked> asked_by(const im::Body& body, const Author& author, const sip::Request& request);
/// The stanza asks its reader's client for the same.   (IM-44)
void ask_client(xmpp::Message& message, const ReportAsked& asked);
/// The record by which a receipt will find that message.
RecordChange await_receipt(State& state, const xmpp::Message& message, const ReportAsked& asked, UtcTime since, TimePoint now);
/// A receipt or a marker of a user's client.   (IM-44, IM-55)
void take_receipt(State& state, const xmpp::Message& in, const im::Extensions& extensions, TimePoint now, Actions& out);
/// The message did not reach its reader although it was accepted.   (IM-47, IM-55)
/// False: nobody wanted to know.
bool report_failed(State& state, const xmpp::Message& error, TimePoint now, Actions& out);
/// Its author got another answer than 2xx: there is nothing to report.   (IM-54)
void await_no_receipt(State& state, const xmpp::Message& message, TimePoint now);

/// The notification that such a stanza holds, as the request it becomes.   (IM-54)
Prepared prepare_report(const State& state, const xmpp::Message& stanza, const OutboxRow& ids);
bool is_report(const xmpp::Message& stanza);

}  // namespace stox::engine
