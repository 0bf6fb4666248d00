// What an operator sees: one row type, the same names in every rendering.

#include "plugin/engine/views.h"
#include "plugin/engine/views_form.h"
#include "plugin/engine/views_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>

namespace {

using namespace stox::engine;

PeerRow phones() { return {"capulet.test", "phones", "up", true, 3, "udp:10.0.0.1:5060 up"}; }

std::vector<Table> all_tables() {
    return {to_table(std::vector<WorkerRow>(1)),   to_table(std::vector<DomainRow>(1)),     to_table(std::vector<PeerRow>(1)),
            to_table(std::vector<ErrorRow>(1)),    to_table(std::vector<LimitRow>(1)),      to_table(std::vector<BanRow>(1)),
            to_table(std::vector<TraceRow>(1)),    to_table(std::vector<TrafficRow>(1)),    to_table(std::vector<ResponseRow>(1)),
            to_table(std::vector<DatagramRow>(1)), to_table(std::vector<ConnectionRow>(1)), to_table(std::vector<RequestRow>(1)),
            to_table(std::vector<SubscriptionRow>(1))};
}

TEST(Views, NamesAreFitForMetricsAndSayTheirUnit) {
    for (const auto& table : all_tables()) {
        std::set<std::string_view> names;
        for (std::size_t n = 0; n < table.columns.size(); ++n) {
            const auto& [name, kind, title] = table.columns[n];
            EXPECT_TRUE(names.insert(name).second) << table.name << ' ' << name;
            EXPECT_TRUE(std::ranges::all_of(name, [](char c) { return c == '_' || (c >= 'a' && c <= 'z'); })) << name;
            EXPECT_EQ(name.ends_with("_seconds"), kind == ColumnKind::seconds) << name;
            EXPECT_EQ(name.ends_with("_total"), kind == ColumnKind::total) << name;
            EXPECT_FALSE(title.empty()) << name;
            const bool number = kind == ColumnKind::gauge || kind == ColumnKind::total || kind == ColumnKind::seconds;
            EXPECT_EQ(std::holds_alternative<std::uint64_t>(table.rows.at(0).at(n)), number) << name;
            EXPECT_EQ(std::holds_alternative<bool>(table.rows.at(0).at(n)), kind == ColumnKind::flag) << name;
        }
    }
}

/// "name kind Title=cell" of each column of the first row.
std::vector<std::string> columns_of(const Table& table) {
    static constexpr std::array kKinds{"label", "text", "gauge", "total", "seconds", "flag"};
    std::vector<std::string> columns;
    for (std::size_t n = 0; n < table.columns.size(); ++n)
        columns.push_back(std::string(table.columns[n].name) + ' ' + kKinds[static_cast<std::size_t>(table.columns[n].kind)] +
                          ' ' + std::string(table.columns[n].title) + '=' + readable(table.columns[n], table.rows.at(0).at(n)));
    return columns;
}

using Columns = std::vector<std::string>;

TEST(Views, EveryColumnSaysWhatStandsInItsRow) {
    EXPECT_EQ(columns_of(to_table(std::vector{WorkerRow{"9.9", 1, 2, "info", "udp:x", 3, 4, 5, 6, 7, true, false}})),
              (Columns{"version label Version=9.9", "pid gauge Process=1", "uptime_seconds seconds Up for=2 s",
                       "log_level text Log level=info", "listeners text Listens on=udp:x", "domains gauge Domains=3",
                       "banned_sources gauge Banned sources=4", "refused_requests_total total Refused requests=5",
                       "bans_total total Bans so far=6", "lost_log_lines_total total Log lines lost=7",
                       "store_open flag Store is open=yes", "sip_open flag SIP is open=no"}));
    EXPECT_EQ(columns_of(to_table(std::vector{DomainRow{"d", "up", 1, 2, 3, 4, 5, 6, 7, 8, true, false}})),
              (Columns{"domain label Domain=d", "state text State=up", "since_seconds seconds For=1 s",
                       "held_messages gauge Held=2", "queued_messages gauge Queued=3", "transactions gauge On their way=4",
                       "stored_messages gauge Stored=5", "to_sip_total total To SIP=6", "to_xmpp_total total To XMPP=7",
                       "failed_total total Failed=8", "attached flag Attached=yes", "store_failing flag Store fails=no"}));
    EXPECT_EQ(
        columns_of(to_table(std::vector{phones()})),
        (Columns{"domain label Domain=capulet.test", "peer label Peer=phones", "state text State=up", "probed flag Probed=yes",
                 "transactions gauge On their way=3", "targets text Targets=udp:10.0.0.1:5060 up"}));
    EXPECT_EQ(columns_of(to_table(std::vector{ErrorRow{"d", 1, "t"}})),
              (Columns{"domain label Domain=d", "age_seconds seconds Age=1 s", "text text Error=t"}));
    EXPECT_EQ(
        columns_of(to_table(std::vector{LimitRow{"d", "l", "o", 1, 2}})),
        (Columns{"domain label Domain=d", "limit label Limit=l", "of label Of=o", "used gauge Used=1", "most gauge Most=2"}));
    EXPECT_EQ(columns_of(to_table(std::vector{SubscriptionRow{"d", "u", "c", "to_sip", "granted"}})),
              (Columns{"domain label Domain=d", "user label User=u", "contact label Contact=c", "direction label Direction=to_sip",
                       "state text State=granted"}));
    EXPECT_EQ(columns_of(to_table(std::vector{BanRow{"s", "nothing", 1}})),
              (Columns{"source label Source=s", "hears text Still heard=nothing", "left_seconds seconds For=1 s"}));
    EXPECT_EQ(columns_of(to_table(std::vector{TraceRow{"d", "m", 1, 2}})),
              (Columns{"domain label Domain=d", "match label Looked for=m", "left_seconds seconds For=1 s",
                       "lines_total total Lines=2"}));
    EXPECT_EQ(columns_of(to_table(std::vector{TrafficRow{"d", "to_sip", "failed", 1}})),
              (Columns{"domain label Domain=d", "direction label Direction=to_sip", "result label Result=failed",
                       "messages_total total Messages=1"}));
    EXPECT_EQ(columns_of(to_table(std::vector{ResponseRow{"d", "sent", "202", 1}})),
              (Columns{"domain label Domain=d", "direction label Direction=sent", "status label Status=202",
                       "responses_total total Responses=1"}));
    EXPECT_EQ(
        columns_of(to_table(std::vector{DatagramRow{"received", "noise", 1}})),
        (Columns{"direction label Direction=received", "outcome label Outcome=noise", "datagrams_total total Datagrams=1"}));
    EXPECT_EQ(columns_of(to_table(std::vector{RequestRow{"passed", 1}})),
              (Columns{"outcome label Outcome=passed", "requests_total total Requests=1"}));
    EXPECT_EQ(columns_of(to_table(std::vector{ConnectionRow{"accepted", 1}})),
              (Columns{"event label Event=accepted", "connections_total total Connections=1"}));
}

TEST(Views, PeopleReadDurationsInTheirTwoLargestUnits) {
    const Column column{"age_seconds", ColumnKind::seconds, "Age"};
    const std::vector<std::pair<std::uint64_t, const char*>> rows{{0, "0 s"},        {59, "59 s"},       {60, "1 min"},
                                                                  {61, "1 min 1 s"}, {3'600, "1 h"},     {3'660, "1 h 1 min"},
                                                                  {3'659, "1 h"},    {90'061, "1 d 1 h"}};
    for (const auto& [seconds, expected] : rows) EXPECT_EQ(readable(column, Cell(seconds)), expected) << seconds;
}

TEST(Views, TextIsAlignedAndHarmless) {
    auto odd = phones();
    odd.peer = "a\x1b[31m\nb";
    EXPECT_EQ(to_text({to_table(std::vector{phones(), odd})}),
              "Peers\n"
              "  Domain        Peer      State  Probed  On their way  Targets\n"
              "  capulet.test  phones    up     yes     3             udp:10.0.0.1:5060 up\n"
              "  capulet.test  a [31m b  up     yes     3             udp:10.0.0.1:5060 up\n");
    EXPECT_EQ(to_text({to_table(std::vector<BanRow>())}), "Banned sources\n  none\n");
}

TEST(Views, ATextThatIsTooLongSaysSo) {
    const auto text = to_text({to_table(std::vector<PeerRow>(1'000, phones()))}, 2'000);
    EXPECT_LE(text.size(), 2'100u);
    EXPECT_NE(text.find(" more lines were left out\n"), text.npos);
}

TEST(Views, OneTableIsColumnsAndItems) {
    const auto [form, left_out] = to_form({to_table(std::vector{phones(), phones()})});
    EXPECT_EQ(form.type, stox::xmpp::FormType::result);
    EXPECT_EQ(left_out, 0u);
    ASSERT_EQ(form.items.size(), 2u);
    ASSERT_EQ(form.reported.size(), form.items.front().size());
    EXPECT_EQ(form.reported.at(1).var, "peer");
    EXPECT_EQ(form.reported.at(1).label, "Peer");
    EXPECT_EQ(form.items.at(1).at(1).values, std::vector<std::string>{"phones"});
    EXPECT_EQ(form.items.at(1).at(3).values, std::vector<std::string>{"1"}) << "a boolean as XEP-0004 writes it";
}

TEST(Views, SeveralTablesAreFieldsOfOneForm) {
    WorkerRow worker;
    worker.pid = 7;
    const auto form = to_form({to_table(std::vector{worker}), to_table(std::vector{phones()})}).form;
    EXPECT_TRUE(form.reported.empty());
    EXPECT_EQ(*form.value("pid"), "7");
    ASSERT_TRUE(form.value("peers"));
    EXPECT_EQ(form.fields.back().values.size(), 2u) << "a line of titles and one of values";
}

TEST(Views, ATableThatIsTooLongForAStanzaIsCut) {
    auto row = phones();
    row.targets = std::string(1'000, '&');  // the longest when it is escaped
    const auto [form, left_out] = to_form({to_table(std::vector<PeerRow>(100, row))});
    EXPECT_GT(left_out, 0u);
    EXPECT_EQ(form.items.size() + left_out, 100u);
    EXPECT_EQ(form.items.size(), 30u);
}

}  // namespace
