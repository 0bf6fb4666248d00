#pragma once
// The operator's words (JSON, as the modules hand them over) to option structs, judged by schema.json.

#include "plugin/config/options.h"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace stox::config {

/// One thing wrong with a configuration. path "peers.carrier.kind", text "unknown value \"trunc\", did you mean trunk?"
struct Problem {
    std::string path;
    std::string text;

    friend bool operator==(const Problem&, const Problem&) = default;
};

/// Either what was asked for, whole, or everything that is wrong with it; never a part.
template <class Options>
using Loaded = std::variant<Options, std::vector<Problem>>;

/// json  an object of engine options: {"bind":["udp:0.0.0.0:5060"], ...}
Loaded<EngineOptions> load_engine(std::string_view json);

/// domain        the component's domain
/// xmpp_domains  the server's user domains, as the module lists them; used where the options name none
/// json          an object of domain options: {"peers":{"carrier":{...}}, "scheme":"native", ...}
Loaded<DomainOptions> load_domain(std::string_view domain, const std::vector<std::string>& xmpp_domains, std::string_view json);

/// Whether a SIP request could belong to two of these domains, which is refused at load: one SIP domain claimed twice, a
/// gateway that is another's XMPP domain, or one XMPP domain reached through both by the same source.   (contract:
/// docs/architecture.md, Configuration)
std::vector<Problem> conflicts(const std::vector<DomainOptions>& domains);

/// schema.json as it was built in.
std::string_view schema();

}  // namespace stox::config
