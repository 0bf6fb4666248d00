#pragma once
// What an operator can look at: one row type for each kind of object, with named, typed columns. Whoever shows them works on
// Table alone: data forms (views_form), text (views_text), JSON, metrics. A new object appears everywhere at once.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace stox::engine {

/// What a column says, and in which unit its name says so: seconds end in _seconds, what only ever grows in _total.
enum class ColumnKind {
    label,    ///< which object it is
    text,     ///< about it, in words
    gauge,    ///< a number that goes up and down
    total,    ///< a number that only grows, since the start of the worker
    seconds,  ///< a duration, whole seconds
    flag,     ///< true or false
};

using Cell = std::variant<std::string, std::uint64_t, bool>;

struct Column {
    std::string_view name;  ///< [a-z_]+, the same in every rendering
    ColumnKind kind;
    std::string_view title;  ///< for people
};

struct Table {
    std::string_view name;   ///< "peers"
    std::string_view title;  ///< for people
    bool single = false;     ///< always one row: shown as a list of its fields
    std::span<const Column> columns;
    std::vector<std::vector<Cell>> rows;  ///< as many cells each as there are columns
};

// One row type for each kind of object.

struct WorkerRow {
    std::string version;
    std::uint64_t pid = 0, uptime_seconds = 0;
    std::string log_level;
    std::string listeners;  ///< "udp:192.0.2.1:5060 tcp:192.0.2.1:5060"
    std::uint64_t domains = 0, banned_sources = 0, refused_requests_total = 0;
    std::uint64_t bans_total = 0, lost_log_lines_total = 0;
    bool store_open = false, sip_open = false;
};
struct DomainRow {
    std::string domain;
    std::string state;                ///< up, down, draining: of its component stream, unless it is being emptied
    std::uint64_t since_seconds = 0;  ///< how long the stream is up or down
    std::uint64_t held_messages = 0, queued_messages = 0, transactions = 0, stored_messages = 0;
    std::uint64_t to_sip_total = 0, to_xmpp_total = 0, failed_total = 0;
    bool attached = false;       ///< its component stream is up, whether it is being emptied or not
    bool store_failing = false;  ///< what it last wanted stored could not be
};
struct PeerRow {
    std::string domain, peer;
    std::string state;  ///< up, down, unknown
    bool probed = false;
    std::uint64_t transactions = 0;
    std::string targets;  ///< "udp:192.0.2.1:5060 up, udp:192.0.2.2:5060 down"
};
struct ErrorRow {
    std::string domain;  ///< empty: the worker itself
    std::uint64_t age_seconds = 0;
    std::string text;
};
/// What is bounded, and how near the bound is.
struct LimitRow {
    std::string domain;
    std::string limit;                 ///< messages_to_xmpp, peer_transactions ...
    std::string of;                    ///< whom it holds for; empty: the domain
    std::uint64_t used = 0, most = 0;  ///< most 0: no limit
};
/// Who watches whom.
struct SubscriptionRow {
    std::string domain, user, contact;
    std::string direction;  ///< to_sip: the user watches the contact; to_xmpp: the contact watches the user
    std::string state;      ///< waiting, pending, granted, refused, static, ending
};
/// A source that is not heard.
struct BanRow {
    std::string source;
    std::string hears;  ///< what is still heard: nothing, connections
    std::uint64_t left_seconds = 0;
};
/// What is looked at in detail.
struct TraceRow {
    std::string domain;  ///< empty: all
    std::string match;
    std::uint64_t left_seconds = 0, lines_total = 0;
};
/// Messages that came to their end.
struct TrafficRow {
    std::string domain;
    std::string direction;  ///< to_sip, to_xmpp
    std::string result;     ///< delivered, failed
    std::uint64_t messages_total = 0;
};
/// Final responses of SIP.
struct ResponseRow {
    std::string domain;
    std::string direction;  ///< sent, received
    std::string status;     ///< "202"; of received ones also timeout, unsent, transport: none came
    std::uint64_t responses_total = 0;
};
struct DatagramRow {
    std::string direction;  ///< received, sent
    std::string outcome;    ///< passed, or why not
    std::uint64_t datagrams_total = 0;
};
struct RequestRow {
    std::string outcome;  ///< passed, or over which limit
    std::uint64_t requests_total = 0;
};
struct ConnectionRow {
    std::string event;  ///< accepted, dialled, refused_source, closed_idle ...
    std::uint64_t connections_total = 0;
};

Table to_table(const std::vector<WorkerRow>& rows);
Table to_table(const std::vector<DomainRow>& rows);
Table to_table(const std::vector<PeerRow>& rows);
Table to_table(const std::vector<ErrorRow>& rows);
Table to_table(const std::vector<LimitRow>& rows);
Table to_table(const std::vector<SubscriptionRow>& rows);
Table to_table(const std::vector<BanRow>& rows);
Table to_table(const std::vector<TraceRow>& rows);
Table to_table(const std::vector<TrafficRow>& rows);
Table to_table(const std::vector<ResponseRow>& rows);
Table to_table(const std::vector<RequestRow>& rows);
Table to_table(const std::vector<DatagramRow>& rows);
Table to_table(const std::vector<ConnectionRow>& rows);

/// A cell for people: "3 h 12 min", "yes".
std::string readable(const Column& column, const Cell& cell);

}  // namespace stox::engine
