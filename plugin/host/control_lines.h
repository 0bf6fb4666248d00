#pragma once
// The control protocol (docs/control-protocol.md) as values: a line in, a command; an event, a line out. The only file of the
// worker besides plugin/config that knows JSON.

#include "mapping/core/result.h"
#include "plugin/config/loader.h"
#include "plugin/config/options.h"
#include "plugin/engine/engine.h"
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
struct Stop {};
struct Unknown {
    std::string type;
};

using Command = std::variant<Hello, EngineSet, DomainSet, DomainRemove, StatusAsked, Stop, Unknown>;

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

// Each returns one line without its newline.
std::string hello_line();
std::string log_line(std::string_view level, std::string_view text, std::string_view domain = {});
std::string listening_line(const std::vector<config::Listener>& listeners);
std::string up_line(std::string_view domain);
std::string down_line(std::string_view domain, std::string_view reason);
std::string removed_line(std::string_view domain);
std::string config_error_line(std::string_view domain, const std::vector<config::Problem>& problems);
/// sip  none: it is not open
std::string status_line(std::string_view id, std::int64_t uptime_s, std::uint64_t refused,
                        const std::optional<sip::Counters>& sip, const std::vector<DomainStatus>& domains);
std::string unsupported_line(std::string_view of);

}  // namespace stox::host
