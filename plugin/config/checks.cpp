#include "plugin/config/checks.h"

#include <algorithm>

namespace stox::config {

namespace {

constexpr std::uint64_t kLeastMemoryMib = 64;

template <class T>
const T* common(const std::vector<T>& one, const std::vector<T>& other) {
    const auto found = std::ranges::find_if(one, [&](const T& each) { return std::ranges::find(other, each) != other.end(); });
    return found == one.end() ? nullptr : &*found;
}

/// Both without this condition, or with one that the same request meets.
template <class T>
bool overlap(const std::vector<T>& one, const std::vector<T>& other) {
    return one.empty() == other.empty() && (one.empty() || common(one, other));
}

bool is_loopback(const Address& address) {
    return address.is_v4() ? address.octets()[0] == 127 : address.to_string() == "::1";
}

void check_metrics(const MetricsOptions& metrics, std::vector<Problem>& problems) {
    if (metrics.endpoint && !metrics.allow_remote && !is_loopback(metrics.endpoint->address))
        problems.push_back({"metrics.listen", metrics.endpoint->to_string() +
                                                  " is open to other machines, and nobody is asked who they are: use 127.0.0.1, or set "
                                                  "metrics.allow_remote"});
}

void check_files(const CertificateFiles& files, std::vector<Problem>& problems) {
    if (files.certificate.empty() != files.key.empty())
        problems.push_back({files.key.empty() ? "tls.key" : "tls.certificate", "missing: a certificate and its key go together"});
}

/// The condition of `peer` by which it ties with `other`, and its value.
std::pair<std::string, std::string> tie(const Peer& peer, const Peer& other) {
    const auto path = "peers." + peer.name + ".match";
    if (!peer.users.empty()) return {path + ".user", *common(peer.users, other.users)};
    if (!peer.tls_names.empty()) return {path + ".tls_name", *common(peer.tls_names, other.tls_names)};
    return {path + ".source", common(peer.source, other.source)->to_string()};
}

void check_auth(const Peer& peer, std::vector<Problem>& problems) {
    if (!peer.auth) return;
    const auto path = "peers." + peer.name + ".auth";
    if (peer.auth->user.empty()) problems.push_back({path + ".user", "missing: auth needs a user name"});
    if (peer.auth->password_file.empty() == peer.auth->ha1_file.empty())
        problems.push_back({path, "needs password_file or ha1_file, and not both"});
    if (peer.next_hops.empty()) problems.push_back({path, "answers the peer that requests are sent to: needs next_hop"});
}

void check_peer(const Peer& peer, const DomainOptions& options, std::vector<Problem>& problems) {
    const auto path = "peers." + peer.name;
    if (!peer.is_heard() && peer.next_hops.empty())
        problems.push_back({path, "needs match.source, match.tls_name or match.user to be heard, or next_hop to be reached"});
    if (peer.is_default && peer.next_hops.empty()) problems.push_back({path + ".default", "a default peer needs next_hop"});
    if (!peer.tls_names.empty() && options.tls.verify_client == VerifyClient::none)
        problems.push_back(
            {path + ".match.tls_name", "no client is asked for a certificate: set tls.verify_client to optional or required"});
    if (!peer.users.empty() && options.digest.ha1_file.empty())
        problems.push_back({path + ".match.user", "nobody's password is known: set digest.ha1_file"});
    check_auth(peer, problems);
}

void check_two(const Peer& peer, const Peer& other, std::vector<Problem>& problems) {
    if (peer.is_heard() && other.is_heard() && could_tie(peer, other)) {
        const auto [path, value] = tie(peer, other);
        problems.push_back({path, value + " stands in peers." + other.name + " too: a request must belong to one"});
    }
    if (const auto* target = common(peer.targets, other.targets))
        problems.push_back({"peers." + peer.name + ".targets", target->domain + target->number_prefix + " stands in peers." +
                                                                   other.name + " too: there is one way to it"});
}

void check_addresses(const DomainOptions& options, std::vector<Problem>& problems) {
    for (std::size_t i = 0; i < options.nested_xmpp_domains.size(); ++i)
        if (std::ranges::find(options.xmpp_domains, options.nested_xmpp_domains[i]) == options.xmpp_domains.end())
            problems.push_back({"nested_xmpp_domains[" + std::to_string(i) + ']', "is none of xmpp_domains"});
    if (options.emergency_line.empty()) return;
    const auto line = std::ranges::find(options.peers, options.emergency_line, &Peer::name);
    if (line == options.peers.end() || line->next_hops.empty())
        problems.push_back({"emergency_line", "needs the name of a peer with next_hop"});
    if (options.scheme != AddressScheme::phone)
        problems.push_back(
            {"emergency_line", "counts with scheme phone alone; other schemes leave emergency numbers to the peer"});
}

bool share_a_user_domain(const DomainOptions& one, const DomainOptions& other) {
    return common(one.xmpp_domains, other.xmpp_domains) != nullptr;
}

bool challenges(const DomainOptions& options) {
    return std::ranges::any_of(options.peers, [](const Peer& peer) { return !peer.users.empty(); });
}

void check_claims(const DomainOptions& one, const DomainOptions& other, std::vector<Problem>& problems) {
    const auto claims = [](const DomainOptions& domain, const std::string& host) {
        return !host.empty() && (host == domain.domain || host == domain.sip_domain);
    };
    if (claims(one, other.domain) || claims(one, other.sip_domain))
        problems.push_back({"sip_domain", one.domain + " and " + other.domain + " claim the same SIP domain"});
    for (const auto* pair : {&one, &other}) {
        const auto& gateway = pair == &one ? other.domain : one.domain;
        if (std::ranges::find(pair->xmpp_domains, gateway) != pair->xmpp_domains.end())
            problems.push_back({"xmpp_domains", gateway + " is a gateway itself and no XMPP domain of " + pair->domain});
    }
}

/// Two domains of which a SIP request could belong to either.
void check_pair(const DomainOptions& one, const DomainOptions& other, std::vector<Problem>& problems) {
    check_claims(one, other, problems);
    if (!share_a_user_domain(one, other)) return;
    const std::string rest =
        one.domain + " and of " + other.domain +
        ", which serve the same XMPP domain: set xmpp_domains so that each host has one gateway for that peer";
    for (const auto& peer : one.peers)
        for (const auto& same : other.peers)
            if (peer.users.empty() && same.users.empty() && peer.is_heard() && could_tie(peer, same)) {
                const auto [path, value] = tie(same, peer);
                problems.push_back({path, value + " is a peer of " + rest});
            }
    // Before it has proved who it is, a request to their common XMPP domain could be challenged by either.
    if (challenges(one) && challenges(other)) problems.push_back({"peers", "match.user tells a peer of " + rest});
}

}  // namespace

bool could_tie(const Peer& one, const Peer& other) {
    return overlap(one.users, other.users) && overlap(one.tls_names, other.tls_names) && overlap(one.source, other.source);
}

std::vector<Problem> check(const EngineOptions& options) {
    std::vector<Problem> problems;
    const auto& bind = options.bind;
    if (bind.empty()) problems.push_back({"bind", "names no address: nothing would be listened for"});
    for (auto one = bind.begin(); one != bind.end(); ++one)
        if (std::find(bind.begin(), one, *one) != one)
            problems.push_back({"bind[" + std::to_string(one - bind.begin()) + ']', "stands there twice"});
    check_files(options.tls, problems);
    check_metrics(options.metrics, problems);
    if (options.memory_limit_mib != 0 && options.memory_limit_mib < kLeastMemoryMib)
        problems.push_back({"memory_limit_mib", "the worker would end at once; at least 64, or 0 for no limit"});
    if (options.limits.per_source_rate != 0 && options.limits.per_source_burst == 0)
        problems.push_back(
            {"limits.per_source_burst", "0 with a rate would let nothing pass; set per_source_rate to 0 for no limit"});
    if (options.limits.total_rate != 0 && options.limits.total_burst == 0)
        problems.push_back({"limits.total_burst", "0 with a rate would let nothing pass; set total_rate to 0 for no limit"});
    return problems;
}

std::vector<Problem> check(const DomainOptions& options) {
    std::vector<Problem> problems;
    check_files(options.tls.files, problems);
    check_addresses(options, problems);
    if (options.presence.min_expires > options.presence.max_expires)
        problems.push_back({"presence.min_expires", "is more than presence.max_expires: no subscription would fit between them"});
    const Peer* default_peer = nullptr;
    for (auto peer = options.peers.begin(); peer != options.peers.end(); ++peer) {
        check_peer(*peer, options, problems);
        if (peer->is_default && default_peer)
            problems.push_back({"peers." + peer->name + ".default",
                                "there is one default peer, and peers." + default_peer->name + " is it already"});
        if (peer->is_default) default_peer = &*peer;
        for (auto other = options.peers.begin(); other != peer; ++other) check_two(*peer, *other, problems);
    }
    return problems;
}

std::vector<Problem> conflicts(const std::vector<DomainOptions>& domains) {
    std::vector<Problem> problems;
    for (auto one = domains.begin(); one != domains.end(); ++one)
        for (auto other = std::next(one); other != domains.end(); ++other) check_pair(*one, *other, problems);
    return problems;
}

}  // namespace stox::config
