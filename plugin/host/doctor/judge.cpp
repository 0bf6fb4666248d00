#include "plugin/host/doctor/judge.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace stox::doctor {

namespace {

using Findings = std::vector<Finding>;

constexpr std::uint64_t kLittleRoom_octets = 64u << 20;  // the store refuses messages long before that is used up
constexpr unsigned kSpareDescriptors = 256;              // store, streams, timers, resolvers, listeners
constexpr const char* kWorker = "stoxd";

std::string in_domain(const std::string& domain) { return domain.empty() ? std::string("whole server") : domain; }

std::string text_of(const config::Listener& listener) {
    return std::string(to_string(listener.transport)) + ':' + listener.endpoint.to_string();
}

// Configuration

void judge_configuration(const Facts& facts, Findings& out) {
    for (const auto& [domain, problem] : facts.problems)
        out.push_back({Level::error, "configuration", in_domain(domain) + ": " + problem.path + ": " + problem.text,
                       "the configuration is refused until this is right"});
    if (facts.problems.empty())
        out.push_back({Level::ok, "configuration", std::to_string(facts.domains.size()) + (facts.domains.size() == 1 ? " domain" : " domains") +
                                                       ", no mistakes found"});
    if (facts.engine && facts.domains.empty() && facts.problems.empty())
        out.push_back({Level::warning, "configuration", "no domain is enabled", "enable the module in one"});
}

bool sends_nothing(const config::DomainOptions& domain) {
    return std::ranges::all_of(domain.peers, [](const config::Peer& peer) { return peer.next_hops.empty(); });
}

bool hears_nothing(const config::DomainOptions& domain) {
    return std::ranges::none_of(domain.peers, &config::Peer::is_heard);
}

void judge_peers(const Facts& facts, Findings& out) {
    for (const auto& domain : facts.domains) {
        if (domain.peers.empty()) {
            out.push_back({Level::error, "peers", domain.domain + ": there are none, so nothing goes either way", "add one to \"peers\""});
            continue;
        }
        if (sends_nothing(domain))
            out.push_back({Level::warning, "peers", domain.domain + ": none has a next_hop, so nothing is sent by SIP", "set next_hop in one of them"});
        if (hears_nothing(domain))
            out.push_back({Level::warning, "peers", domain.domain + ": none has a match, so all of SIP is a stranger to it and refused",
                           "set match.source, match.tls_name or match.user in one of them"});
    }
}

// The machine

/// Anybody can be called stoxd; that somebody is the worker the kernel tells of its socket.
Finding judge_holder(const PortFact& port, const Facts& facts) {
    const auto name = text_of(port.listener);
    const auto holder = port.holder + " (pid " + std::to_string(port.holder_pid) + ')';
    const auto advice = "stop that program, or choose another port in \"" + port.option + '"';
    if (port.holder.empty()) return {Level::error, "listeners", name + " is taken by a program of another user", advice};
    if (port.holder_pid == facts.worker_pid) return {Level::ok, "listeners", name + " is held by the worker that runs, " + holder};
    if (port.holder != kWorker) return {Level::error, "listeners", name + " is taken by " + holder, advice};
    if (facts.worker_pid != 0)
        return {Level::error, "listeners", name + " is taken by " + holder + ", another worker than the one of this configuration", advice};
    return {Level::warning, "listeners", name + " is taken by " + holder + ", perhaps the worker: nobody is seen at " + facts.worker_socket + " who could say so",
            "look whose process it is, and " + advice + " if it is another's"};
}

Finding judge_port(const PortFact& port, const Facts& facts) {
    const auto name = text_of(port.listener);
    const auto option = '"' + port.option + '"';
    if (port.error == 0) return {Level::ok, "listeners", name + " is free"};
    if (port.error == EADDRINUSE) return judge_holder(port, facts);
    if (port.error == EADDRNOTAVAIL)
        return {Level::error, "listeners", name + ": no interface of this machine has that address",
                port.option == "bind" ? "correct \"bind\", or bind 0.0.0.0; a NAT's outer address belongs into \"public_address\"" : "correct " + option};
    if (port.error == EACCES)
        return {Level::error, "listeners", name + ": ports below 1024 need a privilege", "choose one from 1024 in " + option + ", or give the service CAP_NET_BIND_SERVICE"};
    return {Level::error, "listeners", name + ": " + std::strerror(port.error), "correct " + option};
}

bool is_reserved(const Facts& facts, std::uint16_t port) {
    return std::ranges::any_of(facts.reserved, [port](const auto& range) { return port >= range.first && port <= range.second; });
}

void judge_ports(const Facts& facts, Findings& out) {
    for (const auto& port : facts.ports) {
        out.push_back(judge_port(port, facts));
        const auto number = port.listener.endpoint.port;
        if (number < facts.ephemeral_first || number > facts.ephemeral_last || is_reserved(facts, number)) continue;
        out.push_back({Level::warning, "listeners",
                       text_of(port.listener) + " lies in the range that the kernel hands out to others (" + std::to_string(facts.ephemeral_first) + '-' +
                           std::to_string(facts.ephemeral_last) + "), and may be gone at a restart",
                       "add it to net.ipv4.ip_local_reserved_ports, or choose another"});
    }
}

void judge_state(const Facts& facts, Findings& out) {
    const auto& state = facts.state;
    const bool there = state.path == state.wanted;
    if (!state.is_directory)
        out.push_back({Level::error, "state", state.path + " is no directory", "remove it, or set \"state_dir\" to another"});
    else if (!state.usable)
        out.push_back({Level::error, "state", state.path + " belongs to " + state.owner + ", and " + facts.user + " may not write there",
                       there ? "chown -R " + facts.user + ' ' + state.path : "make " + state.wanted + " for " + facts.user + ", or set \"state_dir\""});
    else if (there && (state.mode & 077))
        out.push_back({Level::warning, "state", state.path + " holds messages and is open to others than " + state.owner, "chmod 700 " + state.path});
    else
        out.push_back({Level::ok, "state", there ? state.path + " is ours" : state.wanted + " can be made"});
    if (state.is_directory && state.usable && state.free_octets < kLittleRoom_octets)
        out.push_back({Level::error, "state", state.path + " has " + std::to_string(state.free_octets >> 20) + " MiB of room: messages will be refused",
                       "make room, or set \"state_dir\" to another disk"});
}

void judge_descriptors(const Facts& facts, Findings& out) {
    if (!facts.engine) return;
    const auto wanted = facts.engine->limits.connections + kSpareDescriptors;
    const auto have = std::to_string(facts.descriptors);
    if (facts.engine->limits.connections == 0 || facts.descriptors >= wanted)
        out.push_back({Level::ok, "descriptors", "the worker may have " + have});
    else
        out.push_back({Level::warning, "descriptors",
                       "the worker may have " + have + ", and limits.connections asks for " + std::to_string(wanted) + ": connections beyond will be shed",
                       "raise the hard limit (LimitNOFILE of the service), or lower limits.connections"});
}

void judge_clock(const Facts& facts, Findings& out) {
    if (facts.clock_synchronised)
        out.push_back({Level::ok, "clock", "synchronised"});
    else
        out.push_back({Level::warning, "clock", "nothing synchronises it: certificates and the times of messages depend on it",
                       "run chrony or systemd-timesyncd"});
}

// Files

void judge_files(const char* check, const std::vector<FileFact>& files, Findings& out) {
    for (const auto& file : files) {
        for (const auto& problem : file.problems)
            out.push_back({Level::error, check, in_domain(file.domain) + ": " + problem.path + ": " + problem.text, "the domain is refused until this is right"});
        for (const auto& warning : file.warnings) out.push_back({Level::warning, check, in_domain(file.domain) + ": " + warning});
    }
    if (!files.empty() && std::ranges::all_of(files, [](const FileFact& file) { return file.problems.empty() && file.warnings.empty(); }))
        out.push_back({Level::ok, check, "all can be used"});
}

// Peers

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
}

void judge_target(const std::string& who, const TargetFact& target, Findings& out) {
    if (target.silent)
        out.push_back({Level::warning, "next hops", who + ": " + target.target + " did not answer an OPTIONS from a port that it does not know",
                       "look for a firewall if its state in \"peers\" is down too"});
    else if (!target.error.empty())
        out.push_back({Level::error, "next hops", who + ": " + target.target + ": " + target.error, "start it, correct next_hop, or open the firewall"});
    else
        out.push_back({Level::ok, "next hops", who + ": " + target.target + " answers"});
}

void judge_hops(const Facts& facts, Findings& out) {
    const bool named = std::ranges::any_of(facts.hops, &HopFact::is_name);
    if (named && facts.name_servers.empty())
        out.push_back({Level::error, "dns", "next hops have names, and /etc/resolv.conf names no name server", "set \"dns_servers\", or name one there"});
    const bool none_found = named && std::ranges::all_of(facts.hops, [](const HopFact& hop) { return !hop.is_name || !hop.error.empty(); });
    if (named && !facts.name_servers.empty()) {
        if (none_found)
            out.push_back({Level::error, "dns", "no next hop could be located through " + joined(facts.name_servers), "check that these name servers answer"});
        else
            out.push_back({Level::ok, "dns", "asked " + joined(facts.name_servers)});
    }
    for (const auto& hop : facts.hops) {
        const auto who = hop.domain + " peer " + hop.peer;
        if (!hop.error.empty())
            out.push_back({Level::error, "next hops", who + ": " + hop.uri + " cannot be located: " + hop.error, "correct next_hop, or its DNS records"});
        for (const auto& target : hop.targets) judge_target(who, target, out);
    }
}

}  // namespace

Findings judge(const Facts& facts) {
    Findings out;
    judge_configuration(facts, out);
    judge_peers(facts, out);
    judge_ports(facts, out);
    if (facts.engine) judge_state(facts, out);
    judge_descriptors(facts, out);
    judge_clock(facts, out);
    judge_files("certificates", facts.certificates, out);
    judge_files("secrets", facts.secrets, out);
    judge_hops(facts, out);
    return out;
}

}  // namespace stox::doctor
