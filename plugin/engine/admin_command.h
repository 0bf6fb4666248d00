#pragma once
// What an administrator can ask for: one table for ad-hoc commands, chat and every command line.

#include "mapping/core/result.h"
#include "plugin/engine/views.h"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stox::engine {

/// Whose administrator may run it: the domain's, or that of the whole server; or each user, about what is theirs.
enum class AdminScope { domain, worker, user };

enum class AdminVerb {
    overview,
    domains,
    peers,
    errors,
    limits,
    counters,
    user_limit,
    drain,
    trace,
    traces,
    bans,
    ban,
    unban,
    log_level,
    subscriptions,
    cancel_subscription,
    reload,
    stop,
};

struct AdminArgument {
    std::string_view name;
    std::string_view title;  ///< for people
    enum class Kind {
        source,   ///< an IP address
        user,     ///< the JID of an account, a SIP URI, or a number
        match,    ///< a JID, an address, a Call-ID: what stands in lines of the log
        minutes,  ///< 1 to 1440
        rate,     ///< 0 to 10000, "default" or "blocked"
        choice,
    } kind;
    std::string_view preset{};  ///< empty: it must be given
    std::span<const std::string_view> choices{};
};

struct AdminCommand {
    AdminVerb verb;
    std::string_view word;  ///< on command lines, and behind # in the node
    std::string_view title;
    AdminScope scope;
    bool of_engine;  ///< a domain's engine answers it alone
    std::span<const AdminArgument> arguments{};

    /// "urn:stox:admin#peers", or "urn:stox:own#subscriptions"; the FORM_TYPE of its form as well.
    std::string node() const;
};

inline constexpr std::string_view kAdminNode = "urn:stox:admin#", kOwnNode = "urn:stox:own#";

std::span<const AdminCommand> admin_commands();
/// Those of scope user: no administrator, and no command line, has them. The argument `user` of their order is who asks.
std::span<const AdminCommand> own_commands();
/// Null: there is none of that name. "status" is a name of the overview.
const AdminCommand* find_admin_command(std::string_view word);
/// The same by its node, or one of own_commands.
const AdminCommand* find_admin_node(std::string_view node);
const AdminCommand& admin_command(AdminVerb verb);

using AdminArguments = std::map<std::string, std::string, std::less<>>;

/// What somebody wants done; its arguments are complete and have been checked.
struct AdminOrder {
    AdminVerb verb = AdminVerb::overview;
    AdminArguments arguments{};

    /// Those of kind minutes or rate.
    unsigned number(std::string_view name) const;
    const std::string& text(std::string_view name) const { return arguments.find(name)->second; }
};

/// given   by name; empty values count as absent
/// errors  malformed: an unknown argument, one that is missing, or a value that is none; the detail is for the administrator
Result<AdminOrder> read_order(const AdminCommand& command, const AdminArguments& given);
/// The same from words in the order of the arguments.
Result<AdminOrder> read_order(const AdminCommand& command, const std::vector<std::string>& words);

struct AdminOutcome {
    bool done = true;  ///< false: refused or failed, and the note says why
    std::string note{};
    std::vector<Table> tables{};
};

/// The line that says who did what: `audit command=ban who=... via=... result=done source=...`; no level, no trace.
std::string audit_line(const AdminCommand& command, const AdminArguments& arguments, std::string_view who, std::string_view via,
                       std::string_view result);

}  // namespace stox::engine
