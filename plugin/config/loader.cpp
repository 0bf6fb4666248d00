#include "plugin/config/loader.h"

#include "plugin/config/formats.h"
#include "plugin/config/schema.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace stox::config {

using nlohmann::json;

namespace {

// What follows reads values that validate() let pass.

std::string text(const json& section, const char* word, std::string otherwise = {}) {
    return section.is_object() ? section.value(word, std::move(otherwise)) : otherwise;
}

bool flag(const json& section, const char* word, bool otherwise) {
    return section.is_object() ? section.value(word, otherwise) : otherwise;
}

std::vector<std::string> texts(const json& section, const char* word) {
    const auto found = section.is_object() ? section.find(word) : section.end();
    if (!section.is_object() || found == section.end()) return {};
    if (found->is_string()) return {found->get<std::string>()};
    return found->get<std::vector<std::string>>();
}

std::vector<std::string> domains(const json& section, const char* word) {
    std::vector<std::string> all;
    for (const auto& one : texts(section, word)) all.push_back(parse_domain(one).value());
    return all;
}

Peer read_peer(const std::string& name, const json& section) {
    static const std::map<std::string, PeerKind> kinds{
        {"proxy", PeerKind::proxy}, {"trunk", PeerKind::trunk}, {"phone", PeerKind::phone}};
    Peer peer;
    peer.name = name;
    peer.kind = kinds.at(text(section, "kind", "proxy"));
    if (section.is_object() && section.contains("match"))
        for (const auto& source : texts(section.at("match"), "source")) peer.source.push_back(Prefix::parse(source).value());
    if (const auto hop = text(section, "next_hop"); !hop.empty()) peer.next_hop = parse_next_hop(hop).value();
    peer.identities = domains(section, "identities");
    peer.targets = domains(section, "targets");
    peer.is_default = flag(section, "default", false);
    return peer;
}

DomainOptions read_domain(const json& given) {
    DomainOptions options;
    options.name = text(given, "name");
    options.scheme = text(given, "scheme", "native") == "nested" ? AddressScheme::nested : AddressScheme::native;
    if (const auto domain = text(given, "sip_domain"); !domain.empty()) options.sip_domain = parse_domain(domain).value();
    options.xmpp_domains = domains(given, "xmpp_domains");
    options.pager_as_chat = flag(given, "pager_as_chat", options.pager_as_chat);
    options.from_gr = flag(given, "from_gr", options.from_gr);
    if (given.is_object()) options.message_accept_code = given.value("message_accept_code", options.message_accept_code);
    if (given.is_object() && given.contains("peers"))
        for (const auto& [name, section] : given.at("peers").items()) options.peers.push_back(read_peer(name, section));
    return options;
}

/// What no option alone shows.   (contract: docs/architecture.md, Peers)
std::vector<Problem> check_peers(const std::vector<Peer>& peers) {
    std::vector<Problem> problems;
    std::map<Prefix, std::string> sources;
    std::string default_peer;
    for (const auto& peer : peers) {
        const auto path = "peers." + peer.name;
        if (peer.source.empty() && !peer.next_hop)
            problems.push_back({path, "needs match.source to be heard, or next_hop to be reached"});
        if (peer.is_default && !peer.next_hop) problems.push_back({path + ".default", "a default peer needs next_hop"});
        if (peer.is_default && !default_peer.empty())
            problems.push_back({path + ".default", "there is one default peer, and peers." + default_peer + " is it already"});
        if (peer.is_default) default_peer = peer.name;
        for (const auto& prefix : peer.source)
            if (const auto [other, fresh] = sources.emplace(prefix, peer.name); !fresh && other->second != peer.name)
                problems.push_back({path + ".match.source", prefix.to_string() + " stands in peers." + other->second +
                                                                " too: a request must belong to one"});
    }
    return problems;
}

std::vector<Problem> check_listeners(const std::vector<Listener>& bind) {
    if (bind.empty()) return {{"bind", "names no address: nothing would be listened for"}};
    for (std::size_t i = 0; i < bind.size(); ++i)
        if (std::find(bind.begin(), bind.begin() + static_cast<std::ptrdiff_t>(i), bind[i]) !=
            bind.begin() + static_cast<std::ptrdiff_t>(i))
            return {{"bind[" + std::to_string(i) + ']', "stands there twice"}};
    return {};
}

bool share_a_user_domain(const DomainOptions& one, const DomainOptions& other) {
    return std::ranges::any_of(one.xmpp_domains, [&](const auto& host) {
        return std::ranges::find(other.xmpp_domains, host) != other.xmpp_domains.end();
    });
}

/// Two domains of which a SIP request could belong to either.
void check_pair(const DomainOptions& one, const DomainOptions& other, std::vector<Problem>& problems) {
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
    if (!share_a_user_domain(one, other)) return;
    for (const auto& peer : one.peers)
        for (const auto& same : other.peers)
            for (const auto& prefix : peer.source)
                if (std::ranges::find(same.source, prefix) != same.source.end())
                    problems.push_back({"peers." + same.name + ".match.source",
                                        prefix.to_string() + " is a peer of " + one.domain + " and of " + other.domain +
                                            ", which serve the same XMPP domain: set xmpp_domains so that each host has one "
                                            "gateway for that peer"});
}

/// The parsed text, or what is wrong with it.
std::variant<json, std::vector<Problem>> parse(std::string_view text_, Scope scope) {
    auto given = json::parse(text_, nullptr, false);
    if (given.is_discarded()) return std::vector<Problem>{{"", "this is no JSON"}};
    if (auto problems = validate(given, scope); !problems.empty()) return problems;
    return given;
}

}  // namespace

Loaded<EngineOptions> load_engine(std::string_view text_) {
    auto parsed = parse(text_, Scope::engine);
    if (auto* problems = std::get_if<std::vector<Problem>>(&parsed)) return std::move(*problems);
    const auto& given = std::get<json>(parsed);
    EngineOptions options;
    if (given.is_object() && given.contains("bind")) {
        options.bind.clear();
        for (const auto& one : texts(given, "bind")) options.bind.push_back(parse_listener(one).value());
    }
    options.log_level = text(given, "log_level", options.log_level);
    if (auto problems = check_listeners(options.bind); !problems.empty()) return problems;
    return options;
}

Loaded<DomainOptions> load_domain(std::string_view domain, const std::vector<std::string>& xmpp_domains, std::string_view text_) {
    auto parsed = parse(text_, Scope::domain);
    if (auto* problems = std::get_if<std::vector<Problem>>(&parsed)) return std::move(*problems);
    const auto name = parse_domain(domain);
    if (!name) return std::vector<Problem>{{"", "the component's domain: " + name.error().detail}};
    auto options = read_domain(std::get<json>(parsed));
    options.domain = name.value();
    if (options.xmpp_domains.empty())
        for (const auto& one : xmpp_domains)
            if (auto known = parse_domain(one)) options.xmpp_domains.push_back(std::move(known).value());
    std::erase(options.xmpp_domains, options.domain);
    if (auto problems = check_peers(options.peers); !problems.empty()) return problems;
    return options;
}

std::vector<Problem> conflicts(const std::vector<DomainOptions>& domains_) {
    std::vector<Problem> problems;
    for (auto one = domains_.begin(); one != domains_.end(); ++one)
        for (auto other = std::next(one); other != domains_.end(); ++other) check_pair(*one, *other, problems);
    return problems;
}

}  // namespace stox::config
