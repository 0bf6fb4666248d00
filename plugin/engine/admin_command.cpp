#include "plugin/engine/admin_command.h"

#include "mapping/core/assert.h"
#include "mapping/core/endpoint.h"
#include "plugin/engine/engine.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace stox::engine {

namespace {

using Kind = AdminArgument::Kind;
using enum AdminScope;

constexpr unsigned kMostMinutes = 1'440, kMostRate = 10'000;
constexpr std::size_t kShortestMatch = 3, kLongestText = 256;

constexpr std::array<std::string_view, 2> kOnOff{"on", "off"};
constexpr std::array<std::string_view, 4> kLevels{"error", "warn", "info", "debug"};
constexpr AdminArgument kSource{"source", "Address of the source", Kind::source};

constexpr std::array kUserLimit{
    AdminArgument{"user", "JID, SIP URI or number", Kind::user},
    AdminArgument{"per_second", "Messages a second; 0: no limit; blocked: nothing at all; default: as configured", Kind::rate}};
constexpr std::array kDrain{AdminArgument{"state", "Take nothing new", Kind::choice, "on", kOnOff}};
constexpr std::array kTrace{AdminArgument{"match", "JID, source or Call-ID", Kind::match},
                            AdminArgument{"minutes", "For so many minutes", Kind::minutes, "10"}};
constexpr std::array kBan{kSource, AdminArgument{"minutes", "For so many minutes", Kind::minutes, "60"}};
constexpr std::array kUnban{kSource};
constexpr std::array kLogLevel{AdminArgument{"level", "Log level", Kind::choice, {}, kLevels}};

constexpr std::array kSubscriptions{AdminArgument{"user", "JID of the user; all: everybody", Kind::user, "all"}};
constexpr std::array kCancel{AdminArgument{"user", "JID of the user", Kind::user},
                             AdminArgument{"contact", "JID of the contact", Kind::user}};

// clang-format off
constexpr std::array kCommands{
    AdminCommand{AdminVerb::overview,   "overview",   "Overview",                      domain, false},
    AdminCommand{AdminVerb::domains,    "domains",    "Domains",                       worker, false},
    AdminCommand{AdminVerb::peers,      "peers",      "Peers",                         domain, true},
    AdminCommand{AdminVerb::errors,     "errors",     "Last errors",                   domain, false},
    AdminCommand{AdminVerb::limits,     "limits",     "Limits",                        domain, true},
    AdminCommand{AdminVerb::counters,   "counters",   "Counters",                      worker, false},
    AdminCommand{AdminVerb::user_limit, "user-limit", "Limit a user",                  domain, true,  kUserLimit},
    AdminCommand{AdminVerb::drain,      "drain",      "Take nothing new",              domain, true,  kDrain},
    AdminCommand{AdminVerb::trace,      "trace",      "Trace a JID, source or call",   domain, false, kTrace},
    AdminCommand{AdminVerb::traces,     "traces",     "Traces",                        domain, false},
    AdminCommand{AdminVerb::bans,       "bans",       "Banned sources",                worker, false},
    AdminCommand{AdminVerb::ban,        "ban",        "Ban a source",                  worker, false, kBan},
    AdminCommand{AdminVerb::unban,      "unban",      "Hear a banned source again",    worker, false, kUnban},
    AdminCommand{AdminVerb::log_level,  "log-level",  "Log level",                     worker, false, kLogLevel},
    AdminCommand{AdminVerb::subscriptions, "subscriptions", "Presence subscriptions",   domain, true,  kSubscriptions},
    AdminCommand{AdminVerb::cancel_subscription, "cancel-subscription", "End a presence subscription", domain, true, kCancel},
    AdminCommand{AdminVerb::reload,     "reload",     "Read the configuration again",  worker, false},
    AdminCommand{AdminVerb::stop,       "stop",       "Stop until the next reload",    worker, false}};
// clang-format on

constexpr std::array kCancelOwn{AdminArgument{"contact", "JID of the contact", Kind::user}};
constexpr std::array kOwnCommands{
    AdminCommand{AdminVerb::subscriptions, "subscriptions", "My presence subscriptions", user, true},
    AdminCommand{AdminVerb::cancel_subscription, "cancel-subscription", "End one of my presence subscriptions", user, true,
                 kCancelOwn}};

std::optional<unsigned> number_of(std::string_view text) {
    unsigned number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

bool is_number(std::string_view text, unsigned least, unsigned most) {
    const auto number = number_of(text);
    return number && *number >= least && *number <= most;
}

/// What may stand in a field of the log without being escaped, so that it is found there.
bool is_word(std::string_view text) {
    return text.size() <= kLongestText && std::ranges::all_of(text, [](unsigned char c) { return c > 0x20 && c != 0x7f; });
}

/// Nothing: the value is one; else what would be.
std::optional<std::string> wrong(const AdminArgument& argument, const std::string& value) {
    switch (argument.kind) {
        case Kind::source:
            if (Address::parse(value)) return std::nullopt;
            return "is no IP address";
        case Kind::user:
            if (!value.empty() && is_word(value)) return std::nullopt;
            return "is no JID, SIP URI or number";
        case Kind::match:
            if (value.size() >= kShortestMatch && is_word(value)) return std::nullopt;
            return "needs 3 to 256 characters without spaces";
        case Kind::minutes:
            if (is_number(value, 1, kMostMinutes)) return std::nullopt;
            return "is a number from 1 to " + std::to_string(kMostMinutes);
        case Kind::rate:
            if (value == "default" || value == "blocked" || is_number(value, 0, kMostRate)) return std::nullopt;
            return "is a number from 0 to " + std::to_string(kMostRate) + ", default or blocked";
        case Kind::choice:
            break;
    }
    if (std::ranges::find(argument.choices, std::string_view(value)) != argument.choices.end()) return std::nullopt;
    std::string text = "is one of";
    for (const auto choice : argument.choices) text += ' ' + std::string(choice);
    return text;
}

}  // namespace

std::string AdminCommand::node() const { return std::string(scope == user ? kOwnNode : kAdminNode) + std::string(word); }

std::span<const AdminCommand> admin_commands() { return kCommands; }
std::span<const AdminCommand> own_commands() { return kOwnCommands; }

const AdminCommand* find_admin_command(std::string_view word) {
    if (word == "status") word = "overview";
    const auto found = std::ranges::find(kCommands, word, &AdminCommand::word);
    return found == kCommands.end() ? nullptr : &*found;
}

const AdminCommand* find_admin_node(std::string_view node) {
    const auto find = [node](std::span<const AdminCommand> commands, std::string_view prefix) -> const AdminCommand* {
        if (!node.starts_with(prefix)) return nullptr;
        const auto found = std::ranges::find(commands, node.substr(prefix.size()), &AdminCommand::word);
        return found == commands.end() ? nullptr : &*found;
    };
    const auto* command = find(kCommands, kAdminNode);
    return command ? command : find(kOwnCommands, kOwnNode);
}

const AdminCommand& admin_command(AdminVerb verb) {
    const auto found = std::ranges::find(kCommands, verb, &AdminCommand::verb);
    STOX_ASSERT(found != kCommands.end());
    return *found;
}

unsigned AdminOrder::number(std::string_view name) const { return number_of(text(name)).value_or(0); }

Result<AdminOrder> read_order(const AdminCommand& command, const AdminArguments& given) {
    AdminOrder order{command.verb};
    for (const auto& argument : command.arguments) {
        const auto found = given.find(argument.name);
        auto value = found == given.end() || found->second.empty() ? std::string(argument.preset) : found->second;
        if (value.empty()) return fail(Code::malformed, std::string(argument.name) + " is missing");
        if (const auto why = wrong(argument, value)) return fail(Code::malformed, std::string(argument.name) + ' ' + *why);
        order.arguments.emplace(argument.name, std::move(value));
    }
    for (const auto& [name, value] : given)
        if (!order.arguments.contains(name)) return fail(Code::malformed, logfmt(name) + " is no argument of this command");
    return order;
}

Result<AdminOrder> read_order(const AdminCommand& command, const std::vector<std::string>& words) {
    if (words.size() > command.arguments.size()) return fail(Code::malformed, "too many arguments");
    AdminArguments given;
    for (std::size_t n = 0; n < words.size(); ++n) given.emplace(command.arguments[n].name, words[n]);
    return read_order(command, given);
}

std::string audit_line(const AdminCommand& command, const AdminArguments& arguments, std::string_view who, std::string_view via,
                       std::string_view result) {
    std::string text = "audit command=" + std::string(command.word) + " who=" + logfmt(who) + " via=" + logfmt(via) +
                       " result=" + std::string(result);
    for (const auto& [name, value] : arguments) text += ' ' + name + '=' + logfmt(value);
    return text;
}

}  // namespace stox::engine
