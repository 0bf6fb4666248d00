#include "plugin/host/store/message_codec.h"

#include "mapping/xml/reader.h"
#include "mapping/xml/writer.h"
#include "plugin/host/store/json_text.h"
#include "plugin/host/store/row_fields.h"
#include "plugin/host/store/store.h"

#include <algorithm>
#include <array>

namespace stox::store {

using namespace engine;
using nlohmann::json;

namespace {

constexpr std::uint64_t kLastMillisecond = 253'402'300'799'999;  // of the year 9999, the last that date formats know
static_assert(kMaxRowOctets <= kMaxValueOctets, "what the engine accepts, the store takes");
constexpr std::size_t kMaxPaths = 64;                            // of IMDN-Record-Route
constexpr std::uint64_t kMaxCseq = 0x7fff'ffff;                  // RFC 3261 §8.1.1.5

constexpr std::array<std::string_view, 5> kTypes{"normal", "chat", "groupchat", "headline", "error"};  // as xmpp::MessageType

constexpr std::array<std::string_view, 3> kSaid{"granted", "asked", "refused"};  // of a watcher's row, as WatcherRow::Said

bool is_any(char) { return true; }

/// What JsonText::octets made of octets.
Result<std::string> from_text(std::string_view text, const char* name) {
    std::string octets;
    octets.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto octet = static_cast<unsigned char>(text[at]);
        if (octet < 0x80) {
            octets += text[at];
            continue;
        }
        if ((octet != 0xc2 && octet != 0xc3) || at + 1 == text.size()) return wrong_member(name);
        octets += static_cast<char>((octet & 3) << 6 | (static_cast<unsigned char>(text[++at]) & 0x3f));
    }
    return octets;
}

Result<std::string> octets_of(const json& object, const char* name, bool (*allowed)(char) = is_printable) {
    BOOST_OUTCOME_TRY(text, text_of(object, name));
    BOOST_OUTCOME_TRY(octets, from_text(text, name));
    if (!std::ranges::all_of(octets, allowed)) return wrong_member(name);
    return std::move(octets);
}

// Writing

/// Whatever is refused here would be lost at the next start.
class Writer {
public:
    explicit Writer(unsigned version) { object_.number("v", version); }

    void id(const char* name, const std::string& value, bool (*allowed)(char), std::size_t shortest) {
        if (value.size() < shortest || value.size() > kMaxRowIdOctets || !std::ranges::all_of(value, allowed)) refuse(name);
        object_.text(name, value);
    }
    void octets(const char* name, const std::string& value, bool (*allowed)(char) = is_printable) {
        if (!std::ranges::all_of(value, allowed)) refuse(name);
        object_.octets(name, value);
    }
    void stanza(const char* name, const xmpp::Message& message) {
        const auto text = xml::write_within(xmpp::encode(message), kMaxValueOctets);
        too_large_ = too_large_ || !text;
        if (text) object_.text(name, *text);
    }
    void time(const char* name, UtcTime time) {
        const auto milliseconds = time.time_since_epoch().count();
        if (milliseconds < 0 || static_cast<std::uint64_t>(milliseconds) > kLastMillisecond) refuse(name);
        object_.number(name, static_cast<std::uint64_t>(std::max<std::int64_t>(milliseconds, 0)));
    }
    void number(const char* name, std::uint64_t value, std::uint64_t most) {
        if (value > most) refuse(name);
        object_.number(name, value);
    }
    void flag(const char* name, bool value) {
        if (value) object_.flag(name, true);
    }
    void choice(const char* name, bool value) { object_.flag(name, value); }
    /// An octet that is no UTF-8 can only stand in an address, which the wire would have refused.
    void text(const char* name, std::string_view value) { object_.text(name, value); }
    void list(const char* name, const std::vector<std::string>& values, std::size_t most) {
        if (values.size() > most) refuse(name);
        object_.octets(name, values);
    }
    void report(const ReportAsked& asked);

    Result<std::string> finish() {
        if (wrong_) return wrong_member(wrong_);
        if (too_large_) return too_large();
        auto text = object_.finish();
        if (text.size() > kMaxValueOctets) return too_large();
        return text;
    }

private:
    static Error too_large() { return {Code::too_large, "a message that no record holds"}; }
    void refuse(const char* name) { wrong_ = name; }

    JsonText object_;
    const char* wrong_ = nullptr;
    bool too_large_ = false;
};

void Writer::report(const ReportAsked& asked) {
    const auto printable = [](const std::string& value) { return std::ranges::all_of(value, is_printable); };
    if (!printable(asked.message_id) || !printable(asked.date_time) || asked.routes.size() > kMaxPaths ||
        !std::ranges::all_of(asked.routes, printable) || !printable(asked.original_recipient))
        return refuse("report");
    JsonText report;
    report.octets("message_id", asked.message_id).octets("date_time", asked.date_time);
    report.text("author", asked.author.to_string()).text("recipient", asked.recipient.to_string());
    report.flag("positive", asked.positive).flag("negative", asked.negative).flag("display", asked.display);
    report.octets("routes", asked.routes).octets("original_recipient", asked.original_recipient);
    object_.object("report", std::move(report));
}

void write(Writer& out, const InboxRow& row) {
    out.stanza("stanza", row.stanza);
    out.time("accepted", row.accepted);
    out.text("trace", row.trace.to_string());
    out.octets("peer", row.peer);
    out.octets("request_key", row.request_key, is_any);
    if (row.report) out.report(*row.report);
    out.flag("delivered", row.delivered);
}

/// The error as the stanza that will carry it.
xmpp::Message as_error(const OutboxRow& row) {
    xmpp::Message error;
    error.from = row.stanza.to, error.to = row.stanza.from, error.id = row.stanza.id;
    error.type = xmpp::MessageType::error;
    error.error = row.owed;
    return error;
}

void write(Writer& out, const OutboxRow& row) {
    out.stanza("stanza", row.stanza);
    out.time("accepted", row.accepted);
    out.text("trace", row.trace.to_string());
    out.id("call_id", row.call_id, is_call_id_octet, 0);
    out.id("from_tag", row.from_tag, is_token_octet, 0);
    out.number("cseq", row.cseq, kMaxCseq);
    out.octets("imdn_id", row.imdn_id);
    if (row.wrapped) out.choice("wrapped", *row.wrapped);
    if (row.owed) out.stanza("owed", as_error(row));
}

void write(Writer& out, const ReceiptRow& row) {
    out.octets("stanza_id", row.stanza_id, is_any);
    out.text("user", row.user.to_string());
    out.text("contact", row.contact.to_string());
    out.octets("imdn_id", row.imdn_id);
    out.time("since", row.since);
    out.flag("from_sip", row.from_sip);
    out.text("type", kTypes[static_cast<std::size_t>(row.type)]);
    if (row.report) out.report(*row.report);
}

void write(Writer& out, const ContactRow& row) {
    out.text("user", row.user.to_string());
    out.text("contact", row.contact.to_string());
    out.flag("granted", row.granted);
    out.list("shown", row.shown, ContactRow::kMaxShown);
    if (row.assumed) out.time("assumed", *row.assumed);
}

void write(Writer& out, const WatcherRow& row) {
    out.text("user", row.user.to_string());
    out.text("contact", row.contact.to_string());
    out.text("state", kSaid[static_cast<std::size_t>(row.said)]);
    if (row.said != WatcherRow::Said::granted) out.time("at", row.at);
    out.octets("peer", row.peer);
}

// Reading

/// What stood within the limits of a stream may need more of them when its namespaces are spelled out.
xml::Limits wide() {
    xml::Limits limits;
    limits.stanza_octets = kMaxValueOctets;
    limits.attributes *= 2;
    return limits;
}

Result<xmpp::Message> stanza_of(const json& object, const char* name) {
    const auto* value = member_of(object, name);
    if (!value || !value->is_string()) return wrong_member(name);
    const auto element = xml::read_document(value->get_ref<const std::string&>(), wide());
    if (!element) return wrong_member(name);
    auto stanza = xmpp::decode(element.value());
    if (!stanza) return wrong_member(name);
    auto* message = std::get_if<xmpp::Message>(&stanza.value());
    if (!message) return wrong_member(name);
    return std::move(*message);
}

Result<UtcTime> time_of(const json& object, const char* name) {
    BOOST_OUTCOME_TRY(milliseconds, number_of(object, name, kLastMillisecond));
    return UtcTime(std::chrono::milliseconds(milliseconds));
}

Result<std::vector<std::string>> list_of(const json& object, const char* name, std::size_t most, bool (*allowed)(char)) {
    const auto* list = member_of(object, name);
    if (!list || !list->is_array() || list->size() > most) return wrong_member(name);
    std::vector<std::string> values;
    for (const auto& value : *list) {
        if (!value.is_string()) return wrong_member(name);
        BOOST_OUTCOME_TRY(octets, from_text(value.get_ref<const std::string&>(), name));
        if (!std::ranges::all_of(octets, allowed)) return wrong_member(name);
        values.push_back(std::move(octets));
    }
    return values;
}

Result<std::optional<ReportAsked>> report_of(const json& object) {
    const auto* section = member_of(object, "report");
    if (!section) return std::optional<ReportAsked>();
    if (!section->is_object()) return wrong_member("report");
    ReportAsked asked;
    BOOST_OUTCOME_TRY(message_id, octets_of(*section, "message_id"));
    BOOST_OUTCOME_TRY(date_time, octets_of(*section, "date_time"));
    BOOST_OUTCOME_TRY(author, uri_of(*section, "author"));
    BOOST_OUTCOME_TRY(recipient, uri_of(*section, "recipient"));
    BOOST_OUTCOME_TRY(positive, flag_of(*section, "positive"));
    BOOST_OUTCOME_TRY(negative, flag_of(*section, "negative"));
    BOOST_OUTCOME_TRY(display, flag_of(*section, "display"));
    BOOST_OUTCOME_TRY(routes, list_of(*section, "routes", kMaxPaths, is_printable));
    BOOST_OUTCOME_TRY(original_recipient, octets_of(*section, "original_recipient"));
    asked.message_id = std::move(message_id), asked.date_time = std::move(date_time);
    asked.author = std::move(author), asked.recipient = std::move(recipient);
    asked.positive = positive, asked.negative = negative, asked.display = display;
    asked.routes = std::move(routes), asked.original_recipient = std::move(original_recipient);
    return std::optional(std::move(asked));
}

Result<RecordValue> inbox_row(const json& object) {
    InboxRow row;
    BOOST_OUTCOME_TRY(stanza, stanza_of(object, "stanza"));
    BOOST_OUTCOME_TRY(accepted, time_of(object, "accepted"));
    BOOST_OUTCOME_TRY(trace, trace_of(object, "trace"));
    BOOST_OUTCOME_TRY(peer, octets_of(object, "peer"));
    BOOST_OUTCOME_TRY(request_key, octets_of(object, "request_key", is_any));
    BOOST_OUTCOME_TRY(report, report_of(object));
    BOOST_OUTCOME_TRY(delivered, flag_of(object, "delivered"));
    row.delivered = delivered;
    row.stanza = std::move(stanza), row.accepted = accepted, row.trace = trace;
    row.peer = std::move(peer), row.request_key = std::move(request_key), row.report = std::move(report);
    return RecordValue(std::move(row));
}

Result<std::optional<xmpp::StanzaError>> owed_of(const json& object) {
    if (!member_of(object, "owed")) return std::optional<xmpp::StanzaError>();
    BOOST_OUTCOME_TRY(error, stanza_of(object, "owed"));
    if (!error.error) return wrong_member("owed");
    return std::move(error.error);
}

Result<RecordValue> outbox_row(const json& object) {
    OutboxRow row;
    BOOST_OUTCOME_TRY(stanza, stanza_of(object, "stanza"));
    BOOST_OUTCOME_TRY(accepted, time_of(object, "accepted"));
    BOOST_OUTCOME_TRY(trace, trace_of(object, "trace"));
    BOOST_OUTCOME_TRY(call_id, id_of(object, "call_id", is_call_id_octet, 0));
    BOOST_OUTCOME_TRY(from_tag, id_of(object, "from_tag", is_token_octet, 0));
    BOOST_OUTCOME_TRY(cseq, number_of(object, "cseq", kMaxCseq));
    BOOST_OUTCOME_TRY(imdn_id, octets_of(object, "imdn_id"));
    BOOST_OUTCOME_TRY(owed, owed_of(object));
    if (member_of(object, "wrapped")) {
        BOOST_OUTCOME_TRY(wrapped, flag_of(object, "wrapped"));
        row.wrapped = wrapped;
    }
    row.stanza = std::move(stanza), row.accepted = accepted, row.trace = trace;
    row.call_id = std::move(call_id), row.from_tag = std::move(from_tag), row.cseq = static_cast<std::uint32_t>(cseq);
    row.imdn_id = std::move(imdn_id), row.owed = std::move(owed);
    return RecordValue(std::move(row));
}

Result<xmpp::MessageType> type_of(const json& object, const char* name) {
    BOOST_OUTCOME_TRY(text, text_of(object, name));
    const auto found = std::ranges::find(kTypes, text);
    if (found == kTypes.end()) return wrong_member(name);
    return static_cast<xmpp::MessageType>(found - kTypes.begin());
}

Result<RecordValue> receipt_row(const json& object) {
    ReceiptRow row;
    BOOST_OUTCOME_TRY(stanza_id, octets_of(object, "stanza_id", is_any));
    BOOST_OUTCOME_TRY(user, jid_of(object, "user"));
    BOOST_OUTCOME_TRY(contact, jid_of(object, "contact"));
    BOOST_OUTCOME_TRY(imdn_id, octets_of(object, "imdn_id"));
    BOOST_OUTCOME_TRY(since, time_of(object, "since"));
    BOOST_OUTCOME_TRY(from_sip, flag_of(object, "from_sip"));
    BOOST_OUTCOME_TRY(type, type_of(object, "type"));
    BOOST_OUTCOME_TRY(report, report_of(object));
    row.stanza_id = std::move(stanza_id), row.user = std::move(user), row.contact = std::move(contact);
    row.imdn_id = std::move(imdn_id), row.since = since, row.from_sip = from_sip, row.type = type, row.report = std::move(report);
    return RecordValue(std::move(row));
}

Result<RecordValue> contact_row(const json& object) {
    ContactRow row;
    BOOST_OUTCOME_TRY(user, jid_of(object, "user"));
    BOOST_OUTCOME_TRY(contact, jid_of(object, "contact"));
    BOOST_OUTCOME_TRY(granted, flag_of(object, "granted"));
    BOOST_OUTCOME_TRY(shown, list_of(object, "shown", ContactRow::kMaxShown, is_any));
    if (!user.is_bare()) return wrong_member("user");
    if (!contact.is_bare()) return wrong_member("contact");
    // Rows of before had no word for it.
    if (member_of(object, "assumed")) {
        BOOST_OUTCOME_TRY(assumed, time_of(object, "assumed"));
        row.assumed = assumed;
    }
    row.user = std::move(user), row.contact = std::move(contact), row.granted = granted, row.shown = std::move(shown);
    return RecordValue(std::move(row));
}

Result<RecordValue> watcher_row(const json& object) {
    WatcherRow row;
    BOOST_OUTCOME_TRY(user, jid_of(object, "user"));
    BOOST_OUTCOME_TRY(contact, jid_of(object, "contact"));
    if (!user.is_bare()) return wrong_member("user");
    if (!contact.is_bare()) return wrong_member("contact");
    BOOST_OUTCOME_TRY(state, text_of(object, "state"));
    const auto said = std::ranges::find(kSaid, state);
    if (said == kSaid.end()) return wrong_member("state");
    row.said = static_cast<WatcherRow::Said>(said - kSaid.begin());
    if (row.said != WatcherRow::Said::granted) {
        BOOST_OUTCOME_TRY(at, time_of(object, "at"));
        row.at = at;
    }
    BOOST_OUTCOME_TRY(peer, octets_of(object, "peer"));
    row.user = std::move(user), row.contact = std::move(contact), row.peer = std::move(peer);
    return RecordValue(std::move(row));
}

}  // namespace

std::string collection_of(Collection collection, std::string_view domain) {
    constexpr std::array kNames{"inbox/", "outbox/", "receipts/", "contacts/", "watchers/"};  // as Collection
    return kNames[static_cast<std::size_t>(collection)] + std::string(domain);
}

Result<std::string> to_json(const RecordValue& row) {
    const auto* inbox = std::get_if<InboxRow>(&row);
    Writer out(inbox && inbox->delivered ? kDeliveredVersion : kMessageVersion);
    std::visit([&out](const auto& one) { write(out, one); }, row);
    return out.finish();
}

Result<RecordValue> from_json(Collection collection, std::string_view text) {
    BOOST_OUTCOME_TRY(object, parse_row(text, kMaxValueOctets));
    const auto* version = member_of(object, "v");
    if (!version || !version->is_number_unsigned()) return wrong_member("v");
    const auto is = version->get<std::uint64_t>();
    if (is == kDeliveredVersion) {
        BOOST_OUTCOME_TRY(delivered, flag_of(object, "delivered"));
        if (collection != Collection::inbox || !delivered) return wrong_member("delivered");
    } else if (is != kMessageVersion)
        return fail(Code::unsupported,
                    "a row of version " + std::to_string(is) + ", which another release wrote and this one does not know");
    switch (collection) {
        case Collection::inbox:
            return inbox_row(object);
        case Collection::outbox:
            return outbox_row(object);
        case Collection::receipts:
            return receipt_row(object);
        case Collection::contacts:
            return contact_row(object);
        case Collection::watchers:
            break;
    }
    return watcher_row(object);
}

}  // namespace stox::store
