#include "plugin/engine/views.h"

#include <array>

namespace stox::engine {

namespace {

/// A column and where its cell comes from.
template <class Row>
struct From {
    std::string_view name;
    ColumnKind kind;
    std::string_view title;
    Cell (*read)(const Row&);
};

template <auto Member, class Row>
Cell cell(const Row& row) {
    return Cell(row.*Member);
}

using enum ColumnKind;

// clang-format off
constexpr std::array kWorker{
    From<WorkerRow>{"version",                label,   "Version",          &cell<&WorkerRow::version>},
    From<WorkerRow>{"pid",                    gauge,   "Process",          &cell<&WorkerRow::pid>},
    From<WorkerRow>{"uptime_seconds",         seconds, "Up for",           &cell<&WorkerRow::uptime_seconds>},
    From<WorkerRow>{"log_level",              text,    "Log level",        &cell<&WorkerRow::log_level>},
    From<WorkerRow>{"listeners",              text,    "Listens on",       &cell<&WorkerRow::listeners>},
    From<WorkerRow>{"domains",                gauge,   "Domains",          &cell<&WorkerRow::domains>},
    From<WorkerRow>{"banned_sources",         gauge,   "Banned sources",   &cell<&WorkerRow::banned_sources>},
    From<WorkerRow>{"refused_requests_total", total,   "Refused requests", &cell<&WorkerRow::refused_requests_total>},
    From<WorkerRow>{"bans_total",             total,   "Bans so far",      &cell<&WorkerRow::bans_total>},
    From<WorkerRow>{"lost_log_lines_total",   total,   "Log lines lost",   &cell<&WorkerRow::lost_log_lines_total>},
    From<WorkerRow>{"store_open",             flag,    "Store is open",    &cell<&WorkerRow::store_open>},
    From<WorkerRow>{"sip_open",               flag,    "SIP is open",      &cell<&WorkerRow::sip_open>}};
constexpr std::array kDomain{
    From<DomainRow>{"domain",          label,   "Domain",       &cell<&DomainRow::domain>},
    From<DomainRow>{"state",           text,    "State",        &cell<&DomainRow::state>},
    From<DomainRow>{"since_seconds",   seconds, "For",          &cell<&DomainRow::since_seconds>},
    From<DomainRow>{"held_messages",   gauge,   "Held",         &cell<&DomainRow::held_messages>},
    From<DomainRow>{"queued_messages", gauge,   "Queued",       &cell<&DomainRow::queued_messages>},
    From<DomainRow>{"transactions",    gauge,   "On their way", &cell<&DomainRow::transactions>},
    From<DomainRow>{"stored_messages", gauge,   "Stored",       &cell<&DomainRow::stored_messages>},
    From<DomainRow>{"to_sip_total",    total,   "To SIP",       &cell<&DomainRow::to_sip_total>},
    From<DomainRow>{"to_xmpp_total",   total,   "To XMPP",      &cell<&DomainRow::to_xmpp_total>},
    From<DomainRow>{"failed_total",    total,   "Failed",       &cell<&DomainRow::failed_total>},
    From<DomainRow>{"attached",        flag,    "Attached",     &cell<&DomainRow::attached>},
    From<DomainRow>{"store_failing",   flag,    "Store fails",  &cell<&DomainRow::store_failing>}};
constexpr std::array kPeer{
    From<PeerRow>{"domain",       label, "Domain",       &cell<&PeerRow::domain>},
    From<PeerRow>{"peer",         label, "Peer",         &cell<&PeerRow::peer>},
    From<PeerRow>{"state",        text,  "State",        &cell<&PeerRow::state>},
    From<PeerRow>{"probed",       flag,  "Probed",       &cell<&PeerRow::probed>},
    From<PeerRow>{"transactions", gauge, "On their way", &cell<&PeerRow::transactions>},
    From<PeerRow>{"targets",      text,  "Targets",      &cell<&PeerRow::targets>}};
constexpr std::array kError{
    From<ErrorRow>{"domain",      label,   "Domain", &cell<&ErrorRow::domain>},
    From<ErrorRow>{"age_seconds", seconds, "Age",    &cell<&ErrorRow::age_seconds>},
    From<ErrorRow>{"text",        text,    "Error",  &cell<&ErrorRow::text>}};
constexpr std::array kLimit{
    From<LimitRow>{"domain", label, "Domain", &cell<&LimitRow::domain>},
    From<LimitRow>{"limit",  label, "Limit",  &cell<&LimitRow::limit>},
    From<LimitRow>{"of",     label, "Of",     &cell<&LimitRow::of>},
    From<LimitRow>{"used",   gauge, "Used",   &cell<&LimitRow::used>},
    From<LimitRow>{"most",   gauge, "Most",   &cell<&LimitRow::most>}};
constexpr std::array kSubscription{
    From<SubscriptionRow>{"domain",    label, "Domain",    &cell<&SubscriptionRow::domain>},
    From<SubscriptionRow>{"user",      label, "User",      &cell<&SubscriptionRow::user>},
    From<SubscriptionRow>{"contact",   label, "Contact",   &cell<&SubscriptionRow::contact>},
    From<SubscriptionRow>{"direction", label, "Direction", &cell<&SubscriptionRow::direction>},
    From<SubscriptionRow>{"state",     text,  "State",     &cell<&SubscriptionRow::state>}};
constexpr std::array kBan{
    From<BanRow>{"source",       label,   "Source",      &cell<&BanRow::source>},
    From<BanRow>{"hears",        text,    "Still heard", &cell<&BanRow::hears>},
    From<BanRow>{"left_seconds", seconds, "For",         &cell<&BanRow::left_seconds>}};
constexpr std::array kTrace{
    From<TraceRow>{"domain",       label,   "Domain",     &cell<&TraceRow::domain>},
    From<TraceRow>{"match",        label,   "Looked for", &cell<&TraceRow::match>},
    From<TraceRow>{"left_seconds", seconds, "For",        &cell<&TraceRow::left_seconds>},
    From<TraceRow>{"lines_total",  total,   "Lines",      &cell<&TraceRow::lines_total>}};
constexpr std::array kTraffic{
    From<TrafficRow>{"domain",         label, "Domain",    &cell<&TrafficRow::domain>},
    From<TrafficRow>{"direction",      label, "Direction", &cell<&TrafficRow::direction>},
    From<TrafficRow>{"result",         label, "Result",    &cell<&TrafficRow::result>},
    From<TrafficRow>{"messages_total", total, "Messages",  &cell<&TrafficRow::messages_total>}};
constexpr std::array kResponse{
    From<ResponseRow>{"domain",          label, "Domain",    &cell<&ResponseRow::domain>},
    From<ResponseRow>{"direction",       label, "Direction", &cell<&ResponseRow::direction>},
    From<ResponseRow>{"status",          label, "Status",    &cell<&ResponseRow::status>},
    From<ResponseRow>{"responses_total", total, "Responses", &cell<&ResponseRow::responses_total>}};
constexpr std::array kDatagram{
    From<DatagramRow>{"direction",       label, "Direction", &cell<&DatagramRow::direction>},
    From<DatagramRow>{"outcome",         label, "Outcome",   &cell<&DatagramRow::outcome>},
    From<DatagramRow>{"datagrams_total", total, "Datagrams", &cell<&DatagramRow::datagrams_total>}};
constexpr std::array kRequest{
    From<RequestRow>{"outcome",        label, "Outcome",  &cell<&RequestRow::outcome>},
    From<RequestRow>{"requests_total", total, "Requests", &cell<&RequestRow::requests_total>}};
constexpr std::array kConnection{
    From<ConnectionRow>{"event",             label, "Event",       &cell<&ConnectionRow::event>},
    From<ConnectionRow>{"connections_total", total, "Connections", &cell<&ConnectionRow::connections_total>}};
// clang-format on

template <const auto& Rows>
constexpr auto columns_of() {
    std::array<Column, Rows.size()> columns{};
    for (std::size_t n = 0; n < Rows.size(); ++n) columns[n] = {Rows[n].name, Rows[n].kind, Rows[n].title};
    return columns;
}

template <const auto& Rows, class Row>
Table make(std::string_view name, std::string_view title, const std::vector<Row>& rows, bool single = false) {
    static constexpr auto kColumns = columns_of<Rows>();
    Table table{name, title, single, kColumns, {}};
    for (const auto& row : rows) {
        auto& cells = table.rows.emplace_back();
        for (const auto& column : Rows) cells.push_back(column.read(row));
    }
    return table;
}

std::string duration(std::uint64_t seconds) {
    static constexpr struct {
        std::uint64_t length;
        std::string_view name;
    } kUnits[]{{86'400, " d"}, {3'600, " h"}, {60, " min"}, {1, " s"}};
    // The two largest units are exact enough for people.
    std::string text;
    unsigned shown = 0;
    for (const auto& [length, name] : kUnits) {
        const auto count = seconds / length;
        seconds %= length;
        if (count == 0 && shown == 0 && length != 1) continue;
        if (shown++ == 2) break;
        if (count == 0 && shown == 2) continue;
        if (!text.empty()) text += ' ';
        text += std::to_string(count);
        text += name;
    }
    return text;
}

}  // namespace

Table to_table(const std::vector<WorkerRow>& rows) { return make<kWorker>("worker", "Worker", rows, true); }
Table to_table(const std::vector<DomainRow>& rows) { return make<kDomain>("domains", "Domains", rows); }
Table to_table(const std::vector<PeerRow>& rows) { return make<kPeer>("peers", "Peers", rows); }
Table to_table(const std::vector<ErrorRow>& rows) { return make<kError>("errors", "Last errors", rows); }
Table to_table(const std::vector<LimitRow>& rows) { return make<kLimit>("limits", "Limits", rows); }
Table to_table(const std::vector<SubscriptionRow>& rows) { return make<kSubscription>("subscriptions", "Presence subscriptions", rows); }
Table to_table(const std::vector<BanRow>& rows) { return make<kBan>("bans", "Banned sources", rows); }
Table to_table(const std::vector<TraceRow>& rows) { return make<kTrace>("traces", "Traces", rows); }
Table to_table(const std::vector<TrafficRow>& rows) { return make<kTraffic>("traffic", "Messages", rows); }
Table to_table(const std::vector<ResponseRow>& rows) { return make<kResponse>("sip_responses", "SIP responses", rows); }
Table to_table(const std::vector<RequestRow>& rows) { return make<kRequest>("sip_requests", "SIP requests", rows); }
Table to_table(const std::vector<DatagramRow>& rows) { return make<kDatagram>("sip_datagrams", "SIP datagrams", rows); }
Table to_table(const std::vector<ConnectionRow>& rows) { return make<kConnection>("sip_connections", "SIP connections", rows); }

std::string readable(const Column& column, const Cell& cell) {
    if (const auto* text = std::get_if<std::string>(&cell)) return *text;
    if (const auto* flag = std::get_if<bool>(&cell)) return *flag ? "yes" : "no";
    const auto number = std::get<std::uint64_t>(cell);
    return column.kind == ColumnKind::seconds ? duration(number) : std::to_string(number);
}

}  // namespace stox::engine
