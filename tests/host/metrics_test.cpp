// Metrics and health as functions of views: whole texts, in both formats.
#include "plugin/host/metrics/exposition.h"
#include "plugin/host/metrics/health.h"
#include "plugin/host/metrics/metrics_server.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace {

using namespace stox;
using namespace stox::host;
using namespace std::chrono_literals;
using engine::Table;

std::vector<Table> all_tables() {
    return {to_table(std::vector<engine::WorkerRow>(1)),   to_table(std::vector<engine::DomainRow>(1)),
            to_table(std::vector<engine::PeerRow>(1)),     to_table(std::vector<engine::LimitRow>(1)),
            to_table(std::vector<engine::TrafficRow>(1)),  to_table(std::vector<engine::ResponseRow>(1)),
            to_table(std::vector<engine::DatagramRow>(1)), to_table(std::vector<engine::ConnectionRow>(1)),
            to_table(std::vector<engine::ErrorRow>(1)),    to_table(std::vector<engine::BanRow>(1)),
            to_table(std::vector<engine::TraceRow>(1)),    to_table(std::vector<engine::RequestRow>(1)),
            to_table(std::vector<engine::SubscriptionRow>(1))};
}

/// Columns that are no metric: what another one says better, and tables whose labels come from strangers or name people.
const std::set<std::string> kNoMetric{"worker pid", "domains to_sip_total", "domains to_xmpp_total", "domains failed_total",
                                      "peers probed"};
const std::set<std::string_view> kNoMetrics{"errors", "bans", "traces"};

TEST(Metrics, EveryNumberOfAViewIsOneOrSaysWhyNot) {
    for (const auto& table : all_tables())
        for (const auto& column : table.columns) {
            if (column.kind == engine::ColumnKind::label || column.kind == engine::ColumnKind::text) continue;
            const auto is_metric = std::ranges::any_of(
                metric_rows(), [&](const auto& row) { return row.table == table.name && row.column == column.name; });
            const auto name = std::string(table.name) + ' ' + std::string(column.name);
            EXPECT_NE(is_metric, kNoMetric.contains(name) || kNoMetrics.contains(table.name)) << name;
        }
}

TEST(Metrics, NamesAreThoseOfOneColumnAndFollowTheRules) {
    std::set<std::string_view> names;
    const auto tables = all_tables();
    for (const auto& row : metric_rows()) {
        SCOPED_TRACE(row.name);
        EXPECT_TRUE(names.insert(row.name).second);
        EXPECT_TRUE(row.name.starts_with("stox_"));
        EXPECT_TRUE(row.help.ends_with('.'));
        EXPECT_EQ(row.name.ends_with("_seconds"), row.unit == "seconds");
        EXPECT_FALSE(row.name.ends_with("_total"));
        const auto table = std::ranges::find(tables, row.table, &Table::name);
        ASSERT_NE(table, tables.end());
        const auto column = std::ranges::find(table->columns, row.column, &engine::Column::name);
        ASSERT_NE(column, table->columns.end());
        EXPECT_EQ(column->kind == engine::ColumnKind::total, row.type == MetricType::counter);
    }
}

std::vector<Table> some_tables() {
    engine::WorkerRow worker{"9.9", 7, 61, "info", "udp:192.0.2.1:5060", 1, 2, 3, 4, 5, true, false};
    engine::DomainRow domain{"sip.example", "draining", 10, 1, 2, 3, 4, 5, 6, 7, true, false};
    return {to_table(std::vector{worker}),
            to_table(std::vector{domain}),
            to_table(std::vector<engine::TrafficRow>{{"sip.example", "to_sip", "delivered", 5},
                                                     {"sip.example", "to_sip", "failed", 0}}),
            to_table(std::vector<engine::ResponseRow>{{"sip.example", "received", "timeout", 2}}),
            to_table(std::vector<engine::PeerRow>{{"sip.example", "car\"ri\\er\n", "up", true, 3, "udp:192.0.2.7:5060 up"},
                                                  {"sip.example", "desk", "down", true, 0, {}},
                                                  {"sip.example", "hall", "unknown", false, 0, {}}}),
            to_table(std::vector<engine::LimitRow>{{"sip.example", "user_rate", {}, 0, 20},
                                                   {"sip.example", "user_rate", "juliet@example.com", 0, 5},
                                                   {"sip.example", "peer_transactions", "desk", 0, 8}}),
            to_table(std::vector<engine::BanRow>{{"192.0.2.9", "nothing", 5}})};
}

TEST(Metrics, OpenMetricsText) {
    EXPECT_EQ(to_exposition(to_families(some_tables()), Exposition::openmetrics), R"(# TYPE stox_build info
# HELP stox_build Version of the worker.
stox_build_info{version="9.9"} 1
# TYPE stox_worker_uptime_seconds gauge
# UNIT stox_worker_uptime_seconds seconds
# HELP stox_worker_uptime_seconds Time since the worker started.
stox_worker_uptime_seconds 61
# TYPE stox_worker_domains gauge
# HELP stox_worker_domains Domains that the worker serves.
stox_worker_domains 1
# TYPE stox_worker_store_open gauge
# HELP stox_worker_store_open Whether the store is open; without it no message is accepted.
stox_worker_store_open 1
# TYPE stox_worker_sip_open gauge
# HELP stox_worker_sip_open Whether the SIP listeners are open.
stox_worker_sip_open 0
# TYPE stox_worker_banned_sources gauge
# HELP stox_worker_banned_sources Sources of SIP that are not heard now.
stox_worker_banned_sources 2
# TYPE stox_worker_bans counter
# HELP stox_worker_bans Bans of sources that were imposed.
stox_worker_bans_total 4
# TYPE stox_worker_refused_requests counter
# HELP stox_worker_refused_requests SIP requests of strangers for which there is no domain.
stox_worker_refused_requests_total 3
# TYPE stox_worker_lost_log_lines counter
# HELP stox_worker_lost_log_lines Log lines that were left out because too many came in a second.
stox_worker_lost_log_lines_total 5
# TYPE stox_component_up gauge
# HELP stox_component_up Whether the component stream of the domain is attached to its chat server.
stox_component_up{domain="sip.example"} 1
# TYPE stox_component_state_seconds gauge
# UNIT stox_component_state_seconds seconds
# HELP stox_component_state_seconds How long that stream is up or down.
stox_component_state_seconds{domain="sip.example"} 10
# TYPE stox_domain_store_failing gauge
# HELP stox_domain_store_failing Whether what the domain last wanted stored could not be.
stox_domain_store_failing{domain="sip.example"} 0
# TYPE stox_domain_held_messages gauge
# HELP stox_domain_held_messages Messages from SIP whose answer waits for the chat server.
stox_domain_held_messages{domain="sip.example"} 1
# TYPE stox_domain_queued_messages gauge
# HELP stox_domain_queued_messages Messages to SIP behind others of the same conversation.
stox_domain_queued_messages{domain="sip.example"} 2
# TYPE stox_domain_transactions gauge
# HELP stox_domain_transactions Messages on their way to SIP.
stox_domain_transactions{domain="sip.example"} 3
# TYPE stox_domain_stored_messages gauge
# HELP stox_domain_stored_messages Messages in the store, which a restart would deliver.
stox_domain_stored_messages{domain="sip.example"} 4
# TYPE stox_messages counter
# HELP stox_messages Messages that came to their end, by direction and result.
stox_messages_total{domain="sip.example",direction="to_sip",result="delivered"} 5
stox_messages_total{domain="sip.example",direction="to_sip",result="failed"} 0
# TYPE stox_sip_responses counter
# HELP stox_sip_responses Final SIP responses by status, sent and received; timeout, unsent and transport: none was received.
stox_sip_responses_total{domain="sip.example",direction="received",status="timeout"} 2
# TYPE stox_peer_up gauge
# HELP stox_peer_up Whether the peer can be reached; absent: unknown, as of one that is not probed.
stox_peer_up{domain="sip.example",peer="car\"ri\\er\n"} 1
stox_peer_up{domain="sip.example",peer="desk"} 0
# TYPE stox_peer_transactions gauge
# HELP stox_peer_transactions Messages on their way to the peer or from it.
stox_peer_transactions{domain="sip.example",peer="car\"ri\\er\n"} 3
stox_peer_transactions{domain="sip.example",peer="desk"} 0
stox_peer_transactions{domain="sip.example",peer="hall"} 0
# TYPE stox_limit_used gauge
# HELP stox_limit_used How much of a limit is used.
stox_limit_used{domain="sip.example",limit="user_rate",of=""} 0
stox_limit_used{domain="sip.example",limit="peer_transactions",of="desk"} 0
# TYPE stox_limit_most gauge
# HELP stox_limit_most The limit; 0: there is none.
stox_limit_most{domain="sip.example",limit="user_rate",of=""} 20
stox_limit_most{domain="sip.example",limit="peer_transactions",of="desk"} 8
# TYPE stox_left_out_samples gauge
# HELP stox_left_out_samples Samples that this answer had no room for.
stox_left_out_samples 0
# EOF
)");
}

TEST(Metrics, TheOlderTextNamesCountersAsTheirSamples) {
    const auto text = to_exposition(
        to_families({to_table(std::vector{engine::WorkerRow{"9.9", 7, 61, "info", {}, 1, 2, 3, 4, 5, true, true}})}),
        Exposition::prometheus);
    EXPECT_EQ(text, R"(# TYPE stox_build_info gauge
# HELP stox_build_info Version of the worker.
stox_build_info{version="9.9"} 1
# TYPE stox_worker_uptime_seconds gauge
# HELP stox_worker_uptime_seconds Time since the worker started.
stox_worker_uptime_seconds 61
# TYPE stox_worker_domains gauge
# HELP stox_worker_domains Domains that the worker serves.
stox_worker_domains 1
# TYPE stox_worker_store_open gauge
# HELP stox_worker_store_open Whether the store is open; without it no message is accepted.
stox_worker_store_open 1
# TYPE stox_worker_sip_open gauge
# HELP stox_worker_sip_open Whether the SIP listeners are open.
stox_worker_sip_open 1
# TYPE stox_worker_banned_sources gauge
# HELP stox_worker_banned_sources Sources of SIP that are not heard now.
stox_worker_banned_sources 2
# TYPE stox_worker_bans_total counter
# HELP stox_worker_bans_total Bans of sources that were imposed.
stox_worker_bans_total 4
# TYPE stox_worker_refused_requests_total counter
# HELP stox_worker_refused_requests_total SIP requests of strangers for which there is no domain.
stox_worker_refused_requests_total 3
# TYPE stox_worker_lost_log_lines_total counter
# HELP stox_worker_lost_log_lines_total Log lines that were left out because too many came in a second.
stox_worker_lost_log_lines_total 5
# TYPE stox_left_out_samples gauge
# HELP stox_left_out_samples Samples that this answer had no room for.
stox_left_out_samples 0
)");
}

TEST(Metrics, TheCollectorSaysWhichItReads) {
    EXPECT_EQ(exposition_for("application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"),
              Exposition::openmetrics);
    EXPECT_EQ(exposition_for("text/plain;version=0.0.4"), Exposition::prometheus);
    EXPECT_EQ(exposition_for(""), Exposition::prometheus);
}

TEST(Metrics, WhatHasNoRoomIsCounted) {
    std::vector<engine::PeerRow> peers(1'000, {"sip.example", "desk", "up", true, 3, {}});
    const auto text = to_exposition(to_families({to_table(peers)}), Exposition::openmetrics, 10'000);
    EXPECT_LT(text.size(), 11'000u);
    EXPECT_EQ(text.find("stox_left_out_samples 0\n"), text.npos);
    EXPECT_TRUE(text.ends_with("# EOF\n"));
}

TEST(Health, EachThingThatIsNotWellIsALine) {
    HealthFacts facts{true, true, 1s, {{"sip.example", 0s, false}, {"sip.other", 60s, false}}};
    EXPECT_EQ(unhealthy(facts, 60s), std::vector<std::string>());
    facts = {false, false, 3s, {{"sip.example", 61s, false}, {"sip.other", 1s, true}}};
    EXPECT_EQ(unhealthy(facts, 60s),
              (std::vector<std::string>{"the store is not open", "SIP is not open", "the loop was late by 3 s",
                                        "sip.example: not attached for 61 s", "sip.other: messages cannot be stored"}));
}

TEST(Health, ALateLoopIsRememberedForAMinute) {
    const LoopDelay::TimePoint start{1'000s};
    LoopDelay delay;
    EXPECT_EQ(delay.worst(start), 0s);
    delay.ran(start, start + 3s);
    delay.ran(start + 4s, start + 4s);
    EXPECT_EQ(delay.worst(start + 62s), 3s) << "the moment before does not hide it";
    EXPECT_EQ(delay.worst(start + 63s), 0s);
    delay.ran(start + 70s, start + 71s);
    EXPECT_EQ(delay.worst(start + 71s), 1s);
}

}  // namespace
