#pragma once
// The control protocol (docs/control-protocol.md) as values: a line in, a command; an event, a line out. The only file of the
// worker besides plugin/config that knows JSON.

#include "mapping/core/result.h"
#include "plugin/config/loader.h"
#include "plugin/config/options.h"
#include "plugin/engine/engine.h"
#include "plugin/host/metrics/families.h"
#include "sip/edge/settings.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace stox::host {

inline constexpr int kControlVersion = 1;

struct Hello {
    int version = 0;
    std::string release;
    std::string server;  ///< which chat server of its user the module is in
};
struct EngineSet {
    std::string config;  ///< JSON for config::load_engine
};
struct DomainSet {
    std::string domain;
    std::vector<std::string> xmpp_domains;
    config::Attachment attachment;
    std::string config;  ///< JSON for config::load_domain
};
struct DomainRemove {
    std::string domain;
    bool for_good = false;  ///< the operator took it out of the configuration
};
struct StatusAsked {
    std::string id;
};
/// Whether that person is an administrator.
struct AuthorizationAnswered {
    std::string id;
    bool allowed = false;
};
/// Words of a command line of the server's, or of stoxctl.
struct AdminAsked {
    std::string id, command;
    std::vector<std::string> arguments;
    std::string domain;  ///< empty: all
    std::string who, via;
    bool json = false;
    std::string user{};  ///< that the kernel names beside a `who` that is a module's word; never of the line
};
/// By a module that has a collector of metrics.
struct MetricsAsked {
    std::string id;
};
struct Stop {};
struct Unknown {
    std::string type;
};

using Command =
    std::variant<Hello, EngineSet, DomainSet, DomainRemove, StatusAsked, AuthorizationAnswered, AdminAsked, MetricsAsked, Stop, Unknown>;

/// errors  malformed: no JSON object, or a member of the wrong type; too_large: more than 32 levels; never quotes a secret
Result<Command> parse_command(std::string_view line);

struct DomainStatus {
    std::string domain;
    bool up = false;
    std::int64_t since_s = 0;  ///< in that state
    std::size_t held = 0, queued = 0, transactions = 0;
    std::size_t stored = 0;  ///< messages that a restart would deliver
    std::vector<engine::Engine::PeerState> peers;
};

/// What is to be shown to whoever gave a command, and the exit status.
struct AdminAnswer {
    static constexpr int kDone = 0, kFailed = 1, kMisused = 2;
    static constexpr std::size_t kMost = 500'000;  ///< octets of a text: what escapes make of it is one line yet. Rows beyond are left out
    static constexpr std::size_t kMostNote = 16'384;  ///< of those, without tables
    int code = kDone;
    std::string output;
};

// Each returns one line without its newline.
std::string hello_line();
std::string log_line(std::string_view level, std::string_view text, std::string_view domain = {});
std::string listening_line(const std::vector<config::Listener>& listeners);
std::string up_line(std::string_view domain);
std::string down_line(std::string_view domain, std::string_view reason);
/// The first `count` stanzas of that stream need no copy any more.
std::string taken_line(std::string_view domain, std::string_view stream, std::uint64_t count);
std::string removed_line(std::string_view domain);
/// kept: what was configured before goes on to count; else there is nothing
std::string config_error_line(std::string_view domain, const std::vector<config::Problem>& problems, bool kept);
/// sip  none: it is not open
std::string status_line(std::string_view id, std::int64_t uptime_s, std::uint64_t refused,
                        const std::optional<sip::Counters>& sip, const std::vector<DomainStatus>& domains);
std::string unsupported_line(std::string_view of);
std::string authorization_line(std::string_view id, std::string_view domain, const engine::Authorize& asked);
std::string admin_answer_line(std::string_view id, const AdminAnswer& answer);
std::string metrics_line(std::string_view id, const std::vector<MetricFamily>& families);
/// The configuration is to be read again; the worker is to be stopped, until the next time it is read.
std::string reload_wanted_line();
std::string stop_wanted_line();

}  // namespace stox::host
