#include "plugin/host/doctor/gather.h"

#include "plugin/host/control_lines.h"
#include "plugin/host/doctor/hops.h"
#include "plugin/host/doctor/machine.h"
#include "plugin/host/doctor/ports.h"
#include "plugin/host/listener.h"
#include "plugin/host/secrets.h"
#include "plugin/host/state_dir.h"
#include "plugin/host/tls_files.h"
#include "sip/edge/tls_contexts.h"

#include <variant>

namespace stox::doctor {

namespace {

template <class Options>
std::optional<Options> keep(config::Loaded<Options> loaded, const std::string& domain, Facts& facts) {
    if (auto* options = std::get_if<Options>(&loaded)) return std::move(*options);
    for (auto& problem : std::get<std::vector<config::Problem>>(loaded)) facts.problems.emplace_back(domain, std::move(problem));
    return std::nullopt;
}

void take(const host::EngineSet& set, Facts& facts) { facts.engine = keep(config::load_engine(set.config), {}, facts); }

void take(const host::DomainSet& set, Facts& facts) {
    auto options = keep(config::load_domain(set.domain, set.xmpp_domains, set.config), set.domain, facts);
    if (options) facts.domains.push_back(*std::move(options));
}

void read_lines(std::string_view lines, Facts& facts) {
    while (!lines.empty()) {
        const auto end = lines.find('\n');
        const auto line = lines.substr(0, end);
        lines.remove_prefix(end == lines.npos ? lines.size() : end + 1);
        if (line.empty()) continue;
        auto command = host::parse_command(line);
        if (!command) {
            facts.problems.emplace_back("", config::Problem{"", command.error().detail});
            continue;
        }
        if (const auto* engine = std::get_if<host::EngineSet>(&command.value())) take(*engine, facts);
        if (const auto* domain = std::get_if<host::DomainSet>(&command.value())) take(*domain, facts);
    }
    for (auto& problem : config::conflicts(facts.domains)) facts.problems.emplace_back("", std::move(problem));
}

FileFact judge(const std::string& domain, const host::ReadTls& read) {
    FileFact fact{domain, read.problems};
    if (!read.credentials || read.credentials->expiring().empty()) return fact;
    if (read.credentials->has_expired())
        fact.problems.push_back({"tls.certificate", read.credentials->expiring()});
    else
        fact.warnings.push_back(read.credentials->expiring());
    return fact;
}

void read_files(Facts& facts) {
    if (!facts.engine) return;
    const auto& of_server = facts.engine->tls;
    if (!of_server.certificate.empty()) facts.certificates.push_back(judge({}, host::read_tls(*facts.engine)));
    for (const auto& domain : facts.domains) {
        if (!of_server.certificate.empty() || !domain.tls.files.certificate.empty() || domain.tls.trust != "system")
            facts.certificates.push_back(judge(domain.domain, host::read_tls(domain, of_server)));
        auto secrets = host::read_secrets(domain);
        if (!secrets.problems.empty() || !secrets.warnings.empty())
            facts.secrets.push_back({domain.domain, std::move(secrets.problems), std::move(secrets.warnings)});
    }
}

}  // namespace

Facts gather(std::string_view lines) {
    Facts facts;
    look_at_machine(facts);
    read_lines(lines, facts);
    if (!facts.engine) return facts;
    for (const auto& listener : facts.engine->bind) facts.ports.push_back(try_port(listener));
    if (const auto& endpoint = facts.engine->metrics.endpoint) {
        facts.ports.push_back(try_port({Transport::tcp, *endpoint}));
        facts.ports.back().option = "metrics.listen";
    }
    facts.state = look_at_state(host::state_dir(*facts.engine));
    facts.worker_socket = host::admin_socket_path(*facts.engine);
    facts.worker_pid = host::who_listens(facts.worker_socket);
    read_files(facts);
    ask_hops(facts);
    return facts;
}

}  // namespace stox::doctor
