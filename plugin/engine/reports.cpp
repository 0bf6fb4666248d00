#include "plugin/engine/reports.h"

#include "mapping/im/timestamps.h"
#include "mapping/page_message.h"
#include "mapping/xmpp/namespaces.h"
#include "plugin/engine/addressing.h"
#include "plugin/engine/destination.h"
#include "plugin/engine/log.h"
#include "plugin/engine/page_messages.h"
#include "plugin/engine/peers.h"
#include "plugin/engine/row_size.h"

#include <algorithm>

namespace stox::engine {

namespace {

// What of a sender's is kept for days has its limits; beyond them there is no report.
constexpr std::size_t kLongestId = 256, kLongestUri = 512, kMostRoutes = 8;

/// Notifications of one request that are told: each is two rows of the one commit that makes them ours.
constexpr std::size_t kMostTold = 100;
static_assert(2 * kMostTold <= Commit::kMaxChanges);

bool is_printable(std::string_view text, std::size_t most) {
    return text.size() <= most && std::ranges::all_of(text, [](char c) { return c >= ' ' && c < 0x7F; });
}

xmpp::Message to_author(State& state, const ReceiptRow& row, xml::Element element) {
    xmpp::Message message;
    message.from = row.contact;
    message.to = row.user;
    message.id = state.ids.wire_id();
    message.type = row.type;
    message.payload.push_back(std::move(element));
    return message;
}

/// The message that it is about has failed after all.   (IM-42)
std::optional<xmpp::Stanza> failure(const ReceiptRow& row) {
    xmpp::Message original;
    original.from = row.user;
    original.to = row.contact;
    original.id = row.stanza_id;
    original.type = row.type;
    xmpp::StanzaError why;
    why.type = xmpp::ErrorType::cancel;
    why.condition = xmpp::Condition::recipient_unavailable;
    why.text = "The message did not reach its reader.";
    return xmpp::make_error(original, std::move(why));
}

/// What one IMDN says, to the author.
std::optional<xmpp::Message> tell(State& state, const im::Imdn& imdn, ReceiptRow& row) {
    auto& waits = *row.report;
    using Status = im::DispositionStatus;
    // What is forbidden or could not be found out says nothing about the message.   (RFC 5438 §11.1.7)
    if (imdn.status == Status::delivered && std::exchange(waits.positive, false)) {
        waits.negative = false;
        return to_author(state, row, im::receipt(row.stanza_id));
    }
    if (imdn.status == Status::failed && std::exchange(waits.negative, false)) {
        waits.positive = false;
        auto error = failure(row);
        return error ? std::optional(std::get<xmpp::Message>(std::move(*error))) : std::nullopt;
    }
    if (imdn.status == Status::displayed && std::exchange(waits.display, false)) {
        waits.negative = false;
        return to_author(state, row, im::displayed_marker(row.stanza_id));
    }
    return std::nullopt;
}

/// The row as it is now, or gone when nothing is left to tell.
RecordChange settle_row(State& state, Receipts::Number number) {
    const auto& [key, row] = state.receipts.at(number);
    if (row.report && row.report->any()) return {Collection::receipts, key, row};
    return {Collection::receipts, state.receipts.remove(number).key, std::nullopt};
}

void write_down(State& state, RecordChange change, TimePoint now) {
    if (change.value) return state.commits.update(std::move(change), now);
    state.commits.erase(change.collection, std::move(change.key), now);
}

void erase_row(State& state, std::optional<Receipts::Number> number, TimePoint now) {
    if (number) state.commits.erase(Collection::receipts, state.receipts.remove(*number).key, now);
}

RecordChange keep(State& state, ReceiptRow row, TimePoint now) {
    for (auto& key : state.receipts.forget_old(row.since)) state.commits.erase(Collection::receipts, std::move(key), now);
    RecordChange change{Collection::receipts, state.row_keys.next(state.ids), row};
    for (auto& key : state.receipts.add({change.key, std::move(row)}))
        state.commits.erase(Collection::receipts, std::move(key), now);
    return change;
}

xml::Element ours(const char* name) { return {std::string(xmpp::ns::kReport), name}; }

/// A notification as the stanza that stands for it in the outbox.
xmpp::Message report_stanza(const ReceiptRow& row, const im::Imdn& imdn) {
    xmpp::Message stanza;
    stanza.from = row.user.bare();
    stanza.to = row.contact.bare();
    auto report = ours("report").set("to", row.report->author.to_string());
    report.add(ours("imdn")).add_text(im::write_imdn(imdn));
    for (const auto& route : row.report->routes) report.add(ours("route")).add_text(route);
    stanza.payload.push_back(std::move(report));
    return stanza;
}

/// A row changes by what is reported of it; if the report is refused, it stays.
void send_report(State& state, Receipts::Number number, im::Disposition disposition, im::DispositionStatus status,
                 void (*settle)(ReportAsked&), TimePoint now, Actions& out) {
    Telling telling{state.receipts.before(number), {}};
    const auto& before = telling.before.entry.row;
    const auto& asked = *before.report;
    const im::Imdn imdn{asked.message_id, asked.date_time, asked.recipient.to_string(), asked.original_recipient, {},
                        disposition,      status};
    const auto stanza = report_stanza(before, imdn);
    settle(*state.receipts.at(number).row.report);
    telling.change = settle_row(state, number);
    const auto kept = telling;
    switch (deliver_report(state, stanza, std::move(telling), state.ids.trace(), now, out)) {
        case Taken::yes:
            return;
        case Taken::no:
            return put_back(state, kept.before);
        case Taken::nothing_to_send:  // nor will there ever be
            return write_down(state, kept.change, now);
    }
}

}  // namespace

im::DispositionRequest wanted(const xmpp::Message& message) {
    const auto extensions = im::read_extensions(message);
    // Nobody acknowledges an acknowledgement.   (XEP-0184 §5, IM-46)
    if (extensions.received || extensions.displayed || message.id.empty()) return {};
    return {extensions.wants_receipt, extensions.wants_receipt, extensions.is_markable};
}

std::optional<RecordChange> await_imdn(State& state, const OutboxRow& row, const Outgoing& outgoing, TimePoint now) {
    const auto& asked = outgoing.asked;
    if (!asked.any()) return std::nullopt;
    ReceiptRow receipt;
    receipt.stanza_id = row.stanza.id;
    receipt.user = row.stanza.from;
    receipt.contact = row.stanza.to;
    receipt.imdn_id = row.imdn_id;
    receipt.since = row.accepted;
    const bool chat = row.stanza.type == xmpp::MessageType::chat;
    receipt.type = chat ? xmpp::MessageType::chat : xmpp::MessageType::normal;
    receipt.report = ReportAsked{row.imdn_id,
                                 im::write_time(row.accepted),
                                 outgoing.request.from.uri,
                                 outgoing.request.to.uri,
                                 asked.positive_delivery,
                                 asked.negative_delivery,
                                 asked.display,
                                 {},
                                 {}};
    return keep(state, std::move(receipt), now);
}

std::vector<Told> take_imdns(State& state, const std::vector<im::Imdn>& imdns, const xmpp::Jid& contact) {
    std::vector<Told> told;
    for (const auto& imdn : imdns) {
        const auto number = state.receipts.find_sent(imdn.message_id, contact);
        if (!number || !state.receipts.at(*number).row.report) continue;
        auto before = state.receipts.before(*number);
        auto stanza = tell(state, imdn, state.receipts.at(*number).row);
        if (stanza) told.push_back({std::move(*stanza), {std::move(before), settle_row(state, *number)}});
        if (told.size() == kMostTold) break;
    }
    return told;
}

void put_back(State& state, Receipts::Before before) {
    if (!state.is_leaving_for_good()) state.receipts.put_back(std::move(before));
}

void await_no_imdn(State& state, const Outgoing& outgoing, TimePoint now) {
    erase_row(state, state.receipts.find_sent(outgoing.row.imdn_id, outgoing.row.stanza.to), now);
}

void give_receipt(State& state, const Outgoing& outgoing, TimePoint now, Actions& out) {
    ReceiptRow row;
    row.stanza_id = outgoing.row.stanza.id;
    row.user = outgoing.row.stanza.from;
    row.contact = outgoing.row.stanza.to;
    row.type = outgoing.row.stanza.type;
    InboxEntry entry;
    entry.row = {to_author(state, row, im::receipt(row.stanza_id)), state.utc, outgoing.row.trace, outgoing.peer, {}, {}};
    entry.is_notice = true;
    entry.octets = size_of(entry.row).row;
    if (!state.inbox.is_full(entry.octets)) take_in(state, std::move(entry), {}, now, out);
}

std::optional<ReportAsked> asked_by(const im::Body& body, const Author& author, const sip::Request& request) {
    if (!body.envelope || author.anonymous) return std::nullopt;
    const auto& envelope = *body.envelope;
    if (!envelope.asks.any() || envelope.message_id.empty()) return std::nullopt;
    if (!is_printable(envelope.message_id, kLongestId) || !is_printable(envelope.date_time, kLongestId) ||
        !is_printable(envelope.original_to, kLongestUri) || envelope.record_routes.size() > kMostRoutes ||
        !std::ranges::all_of(envelope.record_routes, [](const auto& route) { return is_printable(route, kLongestUri); }))
        return std::nullopt;
    ReportAsked asked;
    asked.message_id = envelope.message_id;
    asked.date_time = envelope.date_time;
    asked.author = author.uri;
    const auto recipient = sip::Uri::parse(envelope.to_uri);
    asked.recipient = recipient ? recipient.value() : request.uri;
    asked.original_recipient = envelope.original_to;
    asked.positive = envelope.asks.positive_delivery;
    asked.negative = envelope.asks.negative_delivery;
    asked.display = envelope.asks.display;
    asked.routes = envelope.record_routes;
    // A row is kept for days: no address in it is longer than anybody's is.
    if (asked.author.to_string().size() > kLongestUri || asked.recipient.to_string().size() > kLongestUri) return std::nullopt;
    return asked;
}

void ask_client(xmpp::Message& message, const ReportAsked& asked) {
    if (asked.positive) message.payload.push_back(im::receipt_request());
    if (asked.display) message.payload.push_back(im::markable());
}

RecordChange await_receipt(State& state, const xmpp::Message& message, const ReportAsked& asked, UtcTime since, TimePoint now) {
    ReceiptRow row;
    row.stanza_id = message.id;
    row.user = message.to;
    row.contact = message.from;
    row.imdn_id = asked.message_id;
    row.since = since;
    row.from_sip = true;
    row.type = message.type;
    row.report = asked;
    return keep(state, std::move(row), now);
}

void take_receipt(State& state, const xmpp::Message& in, const im::Extensions& extensions, TimePoint now, Actions& out) {
    using im::Disposition, im::DispositionStatus;
    if (extensions.received) {
        const auto number = state.receipts.find_received(*extensions.received, in.from, in.to);
        if (number && state.receipts.at(*number).row.report->positive)
            send_report(
                state, *number, Disposition::delivery, DispositionStatus::delivered,
                [](ReportAsked& asked) { asked.positive = asked.negative = false; }, now, out);
    }
    if (!extensions.displayed) return;
    const auto newest = state.receipts.find_received(*extensions.displayed, in.from, in.to);
    if (!newest) return;
    // One marker is about what stands above it as well.   (XEP-0333 §3)
    auto seen = state.receipts.unseen_before(*newest);
    std::ranges::reverse(seen);
    seen.push_back(*newest);
    // Whoever has seen it has got it.   (IM-54)
    for (const auto number : seen)
        if (state.receipts.at(number).row.report->display)
            send_report(
                state, number, Disposition::display, DispositionStatus::displayed,
                [](ReportAsked& asked) { asked.display = asked.negative = false; }, now, out);
}

bool report_failed(State& state, const xmpp::Message& error, TimePoint now, Actions& out) {
    const auto number = state.receipts.find_received(error.id, error.from, error.to);
    if (!number) return false;
    const auto nothing_more = [](ReportAsked& asked) { asked.positive = asked.negative = asked.display = false; };
    const bool wanted = state.receipts.at(*number).row.report->negative;
    if (wanted)
        send_report(state, *number, im::Disposition::delivery, im::DispositionStatus::failed, nothing_more, now, out);
    else
        erase_row(state, number, now);
    return wanted;
}

void await_no_receipt(State& state, const xmpp::Message& message, TimePoint now) {
    erase_row(state, state.receipts.find_received(message.id, message.to, message.from), now);
}

namespace {

bool is_known_way(const config::DomainOptions& options, const config::Peer& peer, const sip::Uri& route) {
    if (is_own_sip_domain(options, route.host)) return select_peer(options, route) == &peer;
    return targeted_peer(options, route) == &peer;
}

}  // namespace

bool is_report(const xmpp::Message& stanza) {
    return std::ranges::any_of(stanza.payload, [](const xml::Element& one) { return one.ns == xmpp::ns::kReport; });
}

Prepared prepare_report(const State& state, const xmpp::Message& stanza, const OutboxRow& ids) {
    const auto found = std::ranges::find(stanza.payload, xmpp::ns::kReport, &xml::Element::ns);
    const auto* to = found->attribute("to");
    const auto* document = found->child(xmpp::ns::kReport, "imdn");
    const auto author = sip::Uri::parse(to ? *to : "");
    const auto imdn = im::read_imdn(document ? document->text() : "");
    const auto from = user_uri(state.options, stanza.from);
    if (!author || !imdn || !from) return NothingToSend{};
    const auto* peer = select_peer(state.options, author.value());
    if (!peer || peer->cpim == config::CpimUse::never) return NothingToSend{};

    Recipient recipient{author.value()};
    for (const auto& node : found->children)
        if (const auto* route = std::get_if<xml::Element>(&node); route && route->name == "route")
            recipient.routes.push_back(route->text());
    // It is whoever wrote the message that names the route: only where the operator said that this peer leads to, or to the
    // domain that both sides share, is it followed.   (RFC 5438 §14)
    const auto first =
        recipient.routes.empty() ? Result<sip::Uri>(fail(Code::malformed, "")) : sip::Uri::parse(recipient.routes.front());
    if (first && is_known_way(state.options, *peer, first.value())) recipient.first_route = first.value();

    PageMessageOptions how;
    how.call_id = ids.call_id;
    how.from_tag = ids.from_tag;
    how.cseq = ids.cseq;
    how.wrapping = Wrapping{ids.imdn_id, ids.accepted, {}};
    Outgoing outgoing;
    outgoing.request = to_imdn_message(imdn.value(), from.value(), recipient, how);
    const auto way = destination(state, stanza.to);
    const auto* place = std::get_if<Destination>(&way);
    outgoing.line = recipient.first_route ? recipient.first_route->to_string() : place ? place->line : author.value().to_string();
    outgoing.row = ids;
    outgoing.row.stanza = envelope(stanza);
    outgoing.row.wrapped = true;
    outgoing.peer = peer->name;
    outgoing.what = Outgoing::What::report;
    return outgoing;
}

}  // namespace stox::engine
