#include "plugin/host/administration.h"

#include "plugin/engine/views_text.h"
#include "plugin/host/levels.h"
#include "plugin/host/sip_rows.h"
#include "plugin/host/views_json.h"

#include <algorithm>
#include <chrono>

namespace stox::host {

using engine::AdminCommand, engine::AdminOrder, engine::AdminOutcome, engine::AdminVerb;
using std::chrono::steady_clock;

namespace {

std::uint64_t seconds(steady_clock::duration duration) {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(duration).count());
}

/// Rows of the same kind of object from several domains stand in one table.
void append(std::vector<engine::Table>& tables, std::vector<engine::Table> more) {
    for (auto& table : more) {
        const auto known = std::ranges::find(tables, table.name, &engine::Table::name);
        if (known == tables.end())
            tables.push_back(std::move(table));
        else
            std::ranges::move(table.rows, std::back_inserter(known->rows));
    }
}

std::string usage() {
    std::string text = "usage: COMMAND [ARGUMENT ...] [--domain DOMAIN] [--json]\n";
    for (const auto& command : engine::admin_commands()) {
        std::string line = "  " + std::string(command.word);
        for (const auto& argument : command.arguments)
            line += argument.preset.empty() ? ' ' + std::string(argument.name) : " [" + std::string(argument.name) + ']';
        line.resize(std::max<std::size_t>(line.size() + 2, 32), ' ');
        text += line + std::string(command.title) + '\n';
    }
    return text;
}

/// Of many domains a note can be long; whole lines of it are kept.
std::string shortened(std::string note) {
    if (note.size() <= AdminAnswer::kMostNote) return note;
    note.resize(note.rfind('\n', AdminAnswer::kMostNote) + 1);
    return note + "More lines were left out.";
}

std::string shown(AdminOutcome outcome, bool as_json) {
    constexpr auto kTables = AdminAnswer::kMost - 2 * AdminAnswer::kMostNote;
    outcome.note = shortened(std::move(outcome.note));
    if (as_json) return to_json(outcome, kTables) + '\n';
    auto text = engine::to_text(outcome.tables, kTables);
    if (!outcome.note.empty()) text += outcome.note + '\n';
    return text;
}

AdminAnswer misused(const std::string& why) { return {AdminAnswer::kMisused, why + '\n' + usage()}; }

}  // namespace

AdminAnswer Administration::answer(const AdminAsked& asked) {
    if (asked.command.empty() || asked.command == "help")
        return {asked.command.empty() ? AdminAnswer::kMisused : AdminAnswer::kDone, usage()};
    const auto* command = engine::find_admin_command(asked.command);
    if (!command) return misused("There is no command " + engine::logfmt(asked.command) + '.');
    const auto order = engine::read_order(*command, asked.arguments);
    if (!order) return misused(order.error().detail);
    auto outcome = carry_out(order.value(), asked.domain, asked.who, asked.via, asked.user);
    const int code = outcome.done ? AdminAnswer::kDone : AdminAnswer::kFailed;
    return {code, shown(std::move(outcome), asked.json)};
}

AdminOutcome Administration::carry_out(const AdminOrder& order, const std::string& domain, std::string_view who,
                                       std::string_view via, std::string_view user) {
    const auto domains = worker_.domains();
    const bool known =
        domain.empty() || std::ranges::any_of(domains, [&](const auto* one) { return one->options().domain == domain; });
    auto outcome = known ? perform(order, domain) : AdminOutcome{false, "There is no domain " + engine::logfmt(domain) + '.', {}};
    auto line = engine::audit_line(engine::admin_command(order.verb), order.arguments, who, via, outcome.done ? "done" : "failed");
    if (!user.empty()) line += " user=" + engine::logfmt(user);
    worker_.log(engine::Level::info, line, known ? domain : std::string());
    return outcome;
}

AdminOutcome Administration::perform(const AdminOrder& order, const std::string& domain) {
    if (engine::admin_command(order.verb).of_engine) return ask_engines(order, domain);
    switch (order.verb) {
        case AdminVerb::overview:
            return overview(domain);
        case AdminVerb::domains:
            return {true, {}, {to_table(domain_rows(domain))}};
        case AdminVerb::counters:
            return {true, {}, counters()};
        case AdminVerb::errors:
            return {true, {}, {to_table(errors_.rows(domain, steady_clock::now()))}};
        case AdminVerb::trace:
            return trace(order, domain);
        case AdminVerb::traces:
            return {true, {}, {to_table(traces_.rows(domain, steady_clock::now()))}};
        case AdminVerb::bans:
            return bans();
        case AdminVerb::ban:
            return ban(order);
        case AdminVerb::unban:
            return unban(order);
        case AdminVerb::log_level:
            worker_.set_log_level(parse_level(order.text("level")));
            return {true, "The log level is " + order.text("level") + " until the next reload.", {}};
        case AdminVerb::reload:
            worker_.reload();
            return {true, "The chat server was asked to read its configuration again; its log says what came of it.", {}};
        case AdminVerb::stop:
            if (!worker_.stop) return {false, "The worker is a service of its own: systemctl stop stoxd ends it.", {}};
            worker_.stop();
            return {true, "The worker stops; the next reload of the configuration starts it again.", {}};
        default:
            break;
    }
    return {false, "This cannot be done here.", {}};
}

AdminOutcome Administration::ask_engines(const AdminOrder& order, const std::string& domain) {
    AdminOutcome all;
    for (auto* host : worker_.domains()) {
        if (!domain.empty() && host->options().domain != domain) continue;
        auto outcome = host->administer(order);
        all.done = all.done && outcome.done;
        if (!outcome.note.empty()) all.note += (all.note.empty() ? "" : "\n") + outcome.note;
        append(all.tables, std::move(outcome.tables));
    }
    if (order.verb == AdminVerb::limits && domain.empty()) append(all.tables, {to_table(worker_.limits())});
    if (all.note.empty() && all.tables.empty()) return {false, "There is no domain yet.", {}};
    return all;
}

std::vector<engine::DomainRow> Administration::domain_rows(const std::string& domain) const {
    std::vector<engine::DomainRow> rows;
    for (const auto* host : worker_.domains())
        if (domain.empty() || host->options().domain == domain) rows.push_back(host->row());
    return rows;
}

std::vector<engine::Table> Administration::counters() {
    std::vector<engine::TrafficRow> traffic;
    std::vector<engine::ResponseRow> responses;
    for (const auto* host : worker_.domains()) {
        std::ranges::move(host->traffic(), std::back_inserter(traffic));
        std::ranges::move(host->responses(), std::back_inserter(responses));
    }
    std::vector tables{to_table(traffic), to_table(responses)};
    if (const auto* sip = worker_.sip()) {
        tables.push_back(to_table(request_rows(sip->counters())));
        tables.push_back(to_table(datagram_rows(sip->counters())));
        tables.push_back(to_table(connection_rows(sip->counters())));
    }
    return tables;
}

std::vector<engine::Table> Administration::counted() {
    std::vector tables{to_table(std::vector{worker_.row()}), to_table(domain_rows({}))};
    append(tables, counters());
    for (const auto verb : {AdminVerb::peers, AdminVerb::limits}) append(tables, ask_engines({verb, {}}, {}).tables);
    return tables;
}

AdminOutcome Administration::overview(const std::string& domain) {
    return {true,
            {},
            {to_table(std::vector{worker_.row()}), to_table(domain_rows(domain)),
             to_table(errors_.rows(domain, steady_clock::now()))}};
}

AdminOutcome Administration::trace(const AdminOrder& order, const std::string& domain) {
    const auto& match = order.text("match");
    const auto minutes = order.number("minutes");
    const auto now = steady_clock::now();
    if (!traces_.add(domain, match, now + std::chrono::minutes(minutes), now))
        return {false, "There are as many traces as may be at once; wait for the end of one.", {}};
    return {
        true, "The log has every line about " + match + " for " + std::to_string(minutes) + " minutes, marked as traced.", {}};
}

AdminOutcome Administration::bans() {
    const auto* sip = worker_.sip();
    if (!sip) return {false, "SIP is not open.", {}};
    std::vector<engine::BanRow> rows;
    const auto now = steady_clock::now();
    for (const auto& ban : sip->bans())
        rows.push_back({ban.source.to_string(), ban.whole ? "nothing" : "connections", seconds(ban.until - now)});
    return {true, {}, {to_table(rows)}};
}

AdminOutcome Administration::ban(const AdminOrder& order) {
    auto* sip = worker_.sip();
    const auto source = Address::parse(order.text("source"));
    if (!sip || !source) return {false, "SIP is not open.", {}};
    const auto minutes = order.number("minutes");
    switch (sip->ban(source.value(), std::chrono::minutes(minutes))) {
        case sip::BanOrder::is_peer:
            return {
                false, order.text("source") + " is the address of a configured peer; take it out of the configuration instead.", {}};
        case sip::BanOrder::too_many:
            return {false, "There are too many bans; take one back first, or ban in the firewall.", {}};
        case sip::BanOrder::taken:
            break;
    }
    return {true, order.text("source") + " is not heard for " + std::to_string(minutes) + " minutes.", {}};
}

AdminOutcome Administration::unban(const AdminOrder& order) {
    auto* sip = worker_.sip();
    const auto source = Address::parse(order.text("source"));
    if (!sip || !source) return {false, "SIP is not open.", {}};
    if (!sip->unban(source.value())) return {false, order.text("source") + " is not banned.", {}};
    return {true, order.text("source") + " is heard again.", {}};
}

bool Administration::look_at(engine::Level level, std::string_view text, std::string_view domain, bool is_here) {
    const auto now = steady_clock::now();
    if (level == engine::Level::error && is_here) errors_.add(domain, text, now);
    return traces_.wants(domain, text, now);
}

}  // namespace stox::host
