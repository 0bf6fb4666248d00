#include "plugin/host/metrics/families.h"

#include <algorithm>
#include <array>
#include <optional>
#include <variant>

namespace stox::host {

using engine::Cell, engine::ColumnKind, engine::Table;

namespace {

using enum MetricType;

// clang-format off
constexpr std::array kMetrics{
    MetricRow{"worker", "version", "stox_build", info, "Version of the worker."},
    MetricRow{"worker", "uptime_seconds", "stox_worker_uptime_seconds", gauge, "Time since the worker started.", "seconds"},
    MetricRow{"worker", "domains", "stox_worker_domains", gauge, "Domains that the worker serves."},
    MetricRow{"worker", "store_open", "stox_worker_store_open", gauge, "Whether the store is open; without it no message is accepted."},
    MetricRow{"worker", "sip_open", "stox_worker_sip_open", gauge, "Whether the SIP listeners are open."},
    MetricRow{"worker", "banned_sources", "stox_worker_banned_sources", gauge, "Sources of SIP that are not heard now."},
    MetricRow{"worker", "bans_total", "stox_worker_bans", counter, "Bans of sources that were imposed."},
    MetricRow{"worker", "refused_requests_total", "stox_worker_refused_requests", counter, "SIP requests of strangers for which there is no domain."},
    MetricRow{"worker", "lost_log_lines_total", "stox_worker_lost_log_lines", counter, "Log lines that were left out because too many came in a second."},

    MetricRow{"domains", "attached", "stox_component_up", gauge, "Whether the component stream of the domain is attached to its chat server."},
    MetricRow{"domains", "since_seconds", "stox_component_state_seconds", gauge, "How long that stream is up or down.", "seconds"},
    MetricRow{"domains", "store_failing", "stox_domain_store_failing", gauge, "Whether what the domain last wanted stored could not be."},
    MetricRow{"domains", "held_messages", "stox_domain_held_messages", gauge, "Messages from SIP whose answer waits for the chat server."},
    MetricRow{"domains", "queued_messages", "stox_domain_queued_messages", gauge, "Messages to SIP behind others of the same conversation."},
    MetricRow{"domains", "transactions", "stox_domain_transactions", gauge, "Messages on their way to SIP."},
    MetricRow{"domains", "stored_messages", "stox_domain_stored_messages", gauge, "Messages in the store, which a restart would deliver."},

    MetricRow{"traffic", "messages_total", "stox_messages", counter, "Messages that came to their end, by direction and result."},
    MetricRow{"sip_responses", "responses_total", "stox_sip_responses", counter, "Final SIP responses by status, sent and received; timeout, unsent and transport: none was received."},
    MetricRow{"sip_requests", "requests_total", "stox_sip_requests", counter, "SIP requests that were passed on, or answered 503 because a limit of the server allowed no more."},
    MetricRow{"sip_datagrams", "datagrams_total", "stox_sip_datagrams", counter, "SIP datagrams by what became of them: passed, or the cause why not."},
    MetricRow{"sip_connections", "connections_total", "stox_sip_connections", counter, "What happened to TCP and TLS connections of SIP."},

    MetricRow{"peers", "state", "stox_peer_up", gauge, "Whether the peer can be reached; absent: unknown, as of one that is not probed."},
    MetricRow{"peers", "transactions", "stox_peer_transactions", gauge, "Messages on their way to the peer or from it."},

    MetricRow{"limits", "used", "stox_limit_used", gauge, "How much of a limit is used."},
    MetricRow{"limits", "most", "stox_limit_most", gauge, "The limit; 0: there is none."}};
// clang-format on

/// None: the row has no such sample.
std::optional<std::uint64_t> value_of(const MetricRow& metric, const Cell& cell) {
    if (metric.type == info) return 1;
    if (const auto* flag = std::get_if<bool>(&cell)) return *flag ? 1 : 0;
    if (const auto* state = std::get_if<std::string>(&cell))
        return *state == "up" ? std::optional<std::uint64_t>(1) : *state == "down" ? std::optional<std::uint64_t>(0) : std::nullopt;
    return std::get<std::uint64_t>(cell);
}

/// JIDs and numbers of people are no labels.
bool is_of_a_user(const std::vector<MetricLabel>& labels) {
    const auto says = [&](std::string_view name, auto holds) {
        return std::ranges::any_of(labels, [&](const auto& label) { return label.name == name && holds(label.value); });
    };
    return says("limit", [](const auto& value) { return value == "user_rate" || value == "user_blocked"; }) &&
           says("of", [](const auto& value) { return !value.empty(); });
}

void add_samples(const MetricRow& metric, const Table& table, std::vector<MetricSample>& samples) {
    const auto column = std::ranges::find(table.columns, metric.column, &engine::Column::name);
    if (column == table.columns.end()) return;
    const auto number = static_cast<std::size_t>(column - table.columns.begin());
    for (const auto& row : table.rows) {
        MetricSample sample;
        const auto value = value_of(metric, row[number]);
        // What is told apart by no label of its own is told apart by the object alone: the version is no label of the uptime.
        for (std::size_t n = 0; n < row.size(); ++n)
            if (table.columns[n].kind == ColumnKind::label && (!table.single || n == number))
                sample.labels.push_back({table.columns[n].name, std::get<std::string>(row[n])});
        if (!value || is_of_a_user(sample.labels)) continue;
        sample.value = *value;
        samples.push_back(std::move(sample));
    }
}

}  // namespace

std::span<const MetricRow> metric_rows() { return kMetrics; }

MetricFamily left_out_samples(std::uint64_t count) {
    return {"stox_left_out_samples", gauge, {}, "Samples that this answer had no room for.", {{{}, count}}};
}

std::vector<MetricFamily> to_families(const std::vector<Table>& tables) {
    std::vector<MetricFamily> families;
    for (const auto& metric : kMetrics) {
        auto& family = families.emplace_back(MetricFamily{metric.name, metric.type, metric.unit, metric.help, {}});
        for (const auto& table : tables)
            if (table.name == metric.table) add_samples(metric, table, family.samples);
    }
    return families;
}

}  // namespace stox::host
