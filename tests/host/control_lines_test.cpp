#include "plugin/host/control_lines.h"
#include "plugin/host/backoff.h"
#include "plugin/host/views_json.h"

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

namespace {

using namespace stox;
using namespace stox::host;
using nlohmann::json;

TEST(ControlLines, EveryCommandIsRead) {
    EXPECT_EQ(std::get<Hello>(parse_command(R"({"stox":1,"version":"9.9","features":[]})").value()).version, 1);
    EXPECT_EQ(json::parse(std::get<EngineSet>(parse_command(R"({"t":"engine-set","config":{"bind":[]}})").value()).config),
              json::parse(R"({"bind":[]})"));
    const auto set = std::get<DomainSet>(parse_command(R"({"t":"domain-set","domain":"sip.example","xmpp_domains":["example"],
        "xmpp":{"unix":"/run/s","secret":"x"},"config":{"name":"n"}})")
                                             .value());
    EXPECT_EQ(set.domain, "sip.example");
    EXPECT_EQ(set.xmpp_domains, std::vector<std::string>{"example"});
    EXPECT_EQ(set.attachment.unix_path, "/run/s");
    EXPECT_EQ(set.attachment.secret, "x");
    EXPECT_EQ(std::get<DomainRemove>(parse_command(R"({"t":"domain-remove","domain":"d"})").value()).domain, "d");
    EXPECT_FALSE(std::get<DomainRemove>(parse_command(R"({"t":"domain-remove","domain":"d"})").value()).for_good);
    EXPECT_TRUE(std::get<DomainRemove>(parse_command(R"({"t":"domain-remove","domain":"d","for_good":true})").value()).for_good);
    EXPECT_EQ(std::get<StatusAsked>(parse_command(R"({"t":"status","id":"7"})").value()).id, "7");
    EXPECT_EQ(std::get<MetricsAsked>(parse_command(R"({"t":"metrics","id":"8"})").value()).id, "8");
    EXPECT_TRUE(std::holds_alternative<Stop>(parse_command(R"({"t":"stop"})").value()));
    EXPECT_EQ(std::get<Unknown>(parse_command(R"({"t":"dance"})").value()).type, "dance");
}

TEST(ControlLines, MetricsAreWritten) {
    const std::vector<MetricFamily> families{{"stox_peer_up",
                                              MetricType::gauge,
                                              {},
                                              "Up.",
                                              {{{{"domain", "d"}, {"peer", "p"}}, 1}, {{{"domain", "d"}, {"peer", "q"}}, 0}}},
                                             {"stox_messages", MetricType::counter, {}, "None yet.", {}}};
    EXPECT_EQ(json::parse(metrics_line("9", families)),
              json::parse(R"({"t":"metrics","id":"9","families":[{"name":"stox_peer_up","type":"gauge","help":"Up.",
        "labels":["domain","peer"],"samples":[{"labels":["d","p"],"value":1},{"labels":["d","q"],"value":0}]},
        {"name":"stox_left_out_samples","type":"gauge","help":"Samples that this answer had no room for.",
        "labels":[],"samples":[{"labels":[],"value":0}]}]})"));
}

constexpr std::size_t kMostOfALine = 1u << 20;

// A longer line is read by nobody.
TEST(ControlLines, WhatALineHasNoRoomForIsLeftOutAndCounted) {
    for (const auto& [length, count] : {std::pair(10u, 5'000u), std::pair(2'000u, 1'000u)}) {
        std::vector<MetricFamily> many{{"stox_peer_up", MetricType::gauge, {}, "Up.", {}}};
        many.front().samples.assign(count, {{{"domain", std::string(length, 'd')}}, 1});
        const auto line = metrics_line("9", many);
        EXPECT_LT(line.size(), kMostOfALine);
        const auto families = json::parse(line)["families"];
        EXPECT_GT(families[0]["samples"].size(), 400u);
        EXPECT_EQ(families[1]["name"], "stox_left_out_samples");
        EXPECT_EQ(families[0]["samples"].size() + families[1]["samples"][0]["value"].get<std::size_t>(), count);
    }
    DomainStatus one;
    one.domain = std::string(200, 'd');
    const std::vector<DomainStatus> domains(4'000, one);
    const auto status = status_line("1", 0, 0, std::nullopt, domains);
    EXPECT_LT(status.size(), kMostOfALine);
    EXPECT_EQ(json::parse(status)["domains"].size() + json::parse(status)["left_out"].get<std::size_t>(), 4'000u);
    EXPECT_FALSE(json::parse(status_line("1", 0, 0, std::nullopt, {})).contains("left_out"));

    const std::vector<stox::config::Problem> problems(6'000, {std::string(100, 'p'), std::string(100, 't')});
    const auto refused = config_error_line("d", problems, true);
    EXPECT_LT(refused.size(), kMostOfALine);
    const auto told = json::parse(refused)["problems"];
    EXPECT_EQ(told.back()["text"], "and " + std::to_string(6'001 - told.size()) + " more problems");
}

// With every character to be escaped, and once more in the line.
TEST(ControlLines, TheLongestAnswerOfACommandIsALine) {
    engine::PeerRow peer;
    peer.peer = std::string(200, '"');
    engine::AdminOutcome outcome;
    outcome.tables = {to_table(std::vector(3'000, peer))};
    const auto text = to_json(outcome, AdminAnswer::kMost);
    EXPECT_LE(text.size(), AdminAnswer::kMost + 100);
    const auto line = admin_answer_line("1", {0, text});
    EXPECT_LT(line.size(), kMostOfALine);
    const auto shown = json::parse(json::parse(line)["output"].get<std::string>());
    EXPECT_GT(shown["peers"].size(), 500u);
    EXPECT_EQ(shown["peers"].size() + shown["left_out"].get<std::size_t>(), 3'000u);
    EXPECT_FALSE(json::parse(to_json({true, "done", {}}, AdminAnswer::kMost)).contains("left_out"));
    EXPECT_LT(admin_answer_line("1", {0, std::string(AdminAnswer::kMost, '"')}).size(), kMostOfALine);
}

TEST(ControlLines, AdministrationIsRead) {
    const auto answered = std::get<AuthorizationAnswered>(parse_command(R"({"t":"authz","id":"3","allowed":true})").value());
    EXPECT_EQ(answered.id, "3");
    EXPECT_TRUE(answered.allowed);
    for (const std::string not_yes : {R"("allowed":"true")", R"("allowed":1)", R"("x":true)"})
        EXPECT_FALSE(std::get<AuthorizationAnswered>(parse_command(R"({"t":"authz","id":"3",)" + not_yes + "}").value()).allowed)
            << not_yes;
    const auto asked =
        std::get<AdminAsked>(parse_command(R"({"t":"admin","id":"4","command":"ban","arguments":["192.0.2.1",7,"5"],
        "domain":"d","who":"w","via":"v","json":true})")
                                 .value());
    EXPECT_EQ(asked.command, "ban");
    EXPECT_EQ(asked.arguments, (std::vector<std::string>{"192.0.2.1", "5"}));
    EXPECT_EQ(asked.domain, "d");
    EXPECT_EQ(asked.who, "w");
    EXPECT_EQ(asked.via, "v");
    EXPECT_TRUE(asked.json);
    EXPECT_EQ(std::get<AdminAsked>(parse_command(R"({"t":"admin"})").value()).via, "control");
}

TEST(ControlLines, AdministrationIsWritten) {
    const engine::Authorize question{engine::AdminId{1}, {"romeo", "montague.test", "home"}, "n", engine::AdminScope::worker};
    EXPECT_EQ(
        json::parse(authorization_line("5", "capulet.test", question)),
        json::parse(
            R"({"t":"authz","id":"5","domain":"capulet.test","jid":"romeo@montague.test/home","node":"n","scope":"worker"})"));
    EXPECT_EQ(json::parse(admin_answer_line("6", {1, "no\n"})),
              json::parse(R"({"t":"admin","id":"6","code":1,"output":"no\n"})"));
    EXPECT_EQ(reload_wanted_line(), R"({"t":"reload-wanted"})");
    EXPECT_EQ(stop_wanted_line(), R"({"t":"stop-wanted"})");
}

TEST(ControlLines, AnAttachmentNeedsAPlaceAndASecretAndNeverShowsIt) {
    const auto set = [](const std::string& xmpp) {
        return parse_command(R"({"t":"domain-set","domain":"d","xmpp":)" + xmpp + "}");
    };
    EXPECT_EQ(std::get<DomainSet>(set(R"({"tcp":"127.0.0.1:5347","secret":"x"})").value()).attachment.tcp->to_string(),
              "127.0.0.1:5347");
    for (const std::string bad :
         {R"({"secret":"s3cr3t"})", R"({"tcp":"localhost:5347","secret":"s3cr3t"})", R"({"unix":"/s"})", "7"}) {
        const auto refused = set(bad);
        ASSERT_FALSE(refused) << bad;
        EXPECT_EQ(refused.error().detail.find("s3cr3t"), std::string::npos);
    }
}

TEST(ControlLines, WhatIsNoObjectIsRefused) {
    for (const std::string bad : {"", "7", "[]", "{", R"({"stox":"one"})"}) EXPECT_FALSE(parse_command(bad)) << bad;
}

TEST(ControlLines, WhatIsNestedTooDeepIsRefusedWithoutRecursion) {
    const auto set = [](std::size_t levels) {
        return R"({"t":"engine-set","config":)" + std::string(levels, '[') + std::string(levels, ']') + '}';
    };
    EXPECT_TRUE(parse_command(set(31)));
    EXPECT_EQ(parse_command(set(32)).error().code, Code::too_large);
    EXPECT_EQ(parse_command(set(500'000)).error().code, Code::too_large);
    EXPECT_EQ(parse_command(R"({"t":"stop","x":)" + std::string(500'000, '[')).error().code, Code::too_large);
}

TEST(ControlLines, OctetsThatAreNoUtf8LeaveAsReplacementCharacters) {
    const auto line = json::parse(log_line("warn", "a\xff\nb", "sip.example"));
    EXPECT_EQ(line.at("text"), "a\xef\xbf\xbd\nb");
    EXPECT_EQ(log_line("warn", "a\nb").find('\n'), std::string::npos);
}

TEST(ControlLines, TheStatusTellsOfEachPeerAndTarget) {
    using Reach = stox::engine::Engine::Reach;
    DomainStatus domain;
    domain.domain = "sip.example";
    domain.peers = {{"carrier", Reach::up, 2, {{"udp:192.0.2.1:5060", Reach::down}, {"tls:192.0.2.2:5061", Reach::up}}},
                    {"phone", Reach::unknown, 0, {}}};
    const auto line = json::parse(status_line("q1", 5, 7, {}, {domain}));
    EXPECT_EQ(line.at("refused"), 7);
    EXPECT_FALSE(line.contains("sip"));
    const auto& peers = line.at("domains").at(0).at("peers");
    EXPECT_EQ(peers.at(0), json::parse(R"({"peer":"carrier","state":"up","transactions":2,"targets":[
        {"target":"udp:192.0.2.1:5060","state":"down"},{"target":"tls:192.0.2.2:5061","state":"up"}]})"));
    EXPECT_EQ(peers.at(1).at("state"), "unknown");
}

// Whoever measures computes from these which share of the datagrams reached the transactions, and where the others went.
TEST(ControlLines, TheStatusTellsWhereDatagramsAndConnectionsWent) {
    stox::sip::Counters sip;
    std::uint64_t next = 0;
    for (auto* number : {&sip.received,
                         &sip.datagrams,
                         &sip.dropped_source_rate,
                         &sip.dropped_total_rate,
                         &sip.dropped_banned,
                         &sip.dropped_noise,
                         &sip.dropped_malformed,
                         &sip.dropped_limits,
                         &sip.dropped_queue,
                         &sip.dropped_by_kernel,
                         &sip.sends_refused,
                         &sip.dropped_unsent,
                         &sip.connections,
                         &sip.messages,
                         &sip.refused_source_connections,
                         &sip.refused_total_connections,
                         &sip.refused_banned,
                         &sip.refused_descriptors,
                         &sip.closed_violation,
                         &sip.closed_deadline,
                         &sip.closed_idle,
                         &sip.closed_slow_reader,
                         &sip.closed_banned,
                         &sip.failed_handshakes,
                         &sip.dialled,
                         &sip.dials_refused,
                         &sip.bans})
        *number = ++next;
    sip.open_connections = 28;
    sip.banned_sources = 29;
    sip.dropped_unproven_errors = 30;
    sip.refused_connection_rate = 31;
    sip.refused_handshakes = 32;
    sip.closed_evicted = 33;
    sip.requests = 34;
    sip.refused_requests = 35;
    sip.refused_memory = 36;
    sip.refused_open_acks = 37;
    EXPECT_EQ(json::parse(status_line("q1", 5, 7, sip, {})).at("sip"), json::parse(R"({
        "datagrams":{"received":1,"passed":2,"dropped":{"source_rate":3,"total_rate":4,"banned":5,"noise":6,"malformed":7,
            "limits":8,"queue":9},"dropped_by_kernel":10,"errors_unproven":30,"sends_refused":11,"sends_without_room":12},
        "connections":{"open":28,"accepted":13,"messages":14,"refused":{"source":15,"total":16,"rate":31,"handshakes":32,"banned":17},"shed":18,
            "closed":{"violation":19,"deadline":20,"idle":21,"slow_reader":22,"evicted":33,"banned":23},"handshakes_failed":24,"dialled":25,
            "dials_refused":26},
        "requests":{"passed":34,"over_requests":35,"over_request_memory":36,"over_open_acks":37},
        "bans":{"now":29,"total":27}})"));
}

TEST(Backoff, DoublesTo30SecondsWithJitterAndStartsAnewAfterSuccess) {
    Backoff backoff;
    std::chrono::milliseconds step{100};
    for (int i = 0; i < 12; ++i) {
        const auto wait = backoff.next(i % 2 ? 0u : 0xffffffffu);
        EXPECT_GE(wait, step / 2);
        EXPECT_LE(wait, step);
        step = std::min(step * 2, std::chrono::milliseconds(30'000));
    }
    backoff.reset();
    EXPECT_LE(backoff.next(7), std::chrono::milliseconds(100));
}

TEST(Backoff, WhatFailsAgainAtOnceHasNotWorked) {
    Backoff backoff;
    for (int i = 0; i < 12; ++i) {
        backoff.worked_for(std::chrono::milliseconds(4'999));
        backoff.next(0);
    }
    EXPECT_EQ(backoff.next(0), std::chrono::milliseconds(15'000));
    backoff.worked_for(std::chrono::seconds(5));
    EXPECT_LE(backoff.next(7), std::chrono::milliseconds(100));
}

}  // namespace
