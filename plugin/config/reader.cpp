#include "plugin/config/reader.h"

#include "plugin/config/formats.h"

#include <nlohmann/json.hpp>

#include <map>

namespace stox::config {

using nlohmann::json;

namespace {

/// What stands under a word; null when nothing does. A section that a language wrote as an empty list has no words.
const json& at(const json& section, const char* word) {
    static const json nothing;
    const auto found = section.is_object() ? section.find(word) : section.end();
    return section.is_object() && found != section.end() ? *found : nothing;
}

template <class T>
T value(const json& section, const char* word, T otherwise) {
    const auto& found = at(section, word);
    return found.is_null() ? std::move(otherwise) : found.get<T>();
}

std::string text(const json& section, const char* word, std::string otherwise = {}) {
    return value(section, word, std::move(otherwise));
}

template <class T>
T one_of(const json& section, const char* word, const std::map<std::string, T>& words, T otherwise) {
    const auto& found = at(section, word);
    return found.is_null() ? otherwise : words.at(found.get<std::string>());
}

/// Each text of a list, or the one that stands without brackets, through the function that reads its form.
template <class Parse>
auto list(const json& section, const char* word, Parse parse) {
    std::vector<std::decay_t<decltype(parse(std::string_view()).value())>> all;
    const auto& found = at(section, word);
    if (found.is_string()) all.push_back(parse(found.get<std::string>()).value());
    if (found.is_array())
        for (const auto& one : found) all.push_back(parse(one.get<std::string>()).value());
    return all;
}

CertificateFiles read_files(const json& section) { return {text(section, "certificate"), text(section, "key")}; }

SourceLimits read_source_limits(const json& section) {
    SourceLimits limits;
    for (auto [word, field] : {std::pair("per_source_rate", &limits.per_source_rate),
                               {"per_source_burst", &limits.per_source_burst},
                               {"connections_per_source", &limits.connections_per_source},
                               {"connections", &limits.connections},
                               {"total_rate", &limits.total_rate},
                               {"total_burst", &limits.total_burst},
                               {"handshakes", &limits.handshakes},
                               {"handshakes_per_source", &limits.handshakes_per_source},
                               {"sources", &limits.sources},
                               {"write_queue_kib", &limits.write_queue_kib},
                               {"stranger_write_queue_kib", &limits.stranger_write_queue_kib},
                               {"write_queues_mib", &limits.write_queues_mib},
                               {"headers", &limits.headers},
                               {"header_kib", &limits.header_kib},
                               {"body_kib", &limits.body_kib},
                               {"vias", &limits.vias},
                               {"routes", &limits.routes},
                               {"requests", &limits.requests},
                               {"request_memory_mib", &limits.request_memory_mib},
                               {"ban_refusals", &limits.ban_refusals},
                               {"ban_window_s", &limits.ban_window_s},
                               {"ban_s", &limits.ban_s},
                               {"connect_s", &limits.connect_s},
                               {"handshake_s", &limits.handshake_s},
                               {"message_s", &limits.message_s},
                               {"idle_s", &limits.idle_s}})
        *field = value(section, word, *field);
    return limits;
}

NextHop read_hop(const json& given, unsigned place) {
    auto hop = parse_next_hop(given.is_string() ? given.get<std::string>() : text(given, "uri")).value();
    hop.priority = value(given, "priority", place);
    hop.weight = value(given, "weight", hop.weight);
    return hop;
}

std::vector<NextHop> read_hops(const json& given) {
    if (given.is_null()) return {};
    if (!given.is_array()) return {read_hop(given, 0)};
    std::vector<NextHop> hops;
    for (unsigned place = 0; const auto& one : given) hops.push_back(read_hop(one, place++));
    return hops;
}

std::optional<PeerAuth> read_auth(const json& section) {
    if (section.empty()) return std::nullopt;
    return PeerAuth{text(section, "user"), text(section, "password_file"), text(section, "ha1_file"),
                    list(section, "realms", parse_realm)};
}

Peer read_peer(const std::string& name, const json& section) {
    static const std::map<std::string, PeerKind> kinds{
        {"proxy", PeerKind::proxy}, {"trunk", PeerKind::trunk}, {"phone", PeerKind::phone}};
    static const std::map<std::string, CpimUse> cpim_uses{
        {"auto", CpimUse::automatic}, {"always", CpimUse::always}, {"never", CpimUse::never}};
    Peer peer;
    peer.name = name;
    peer.kind = one_of(section, "kind", kinds, peer.kind);
    const auto& match = at(section, "match");
    peer.source = list(match, "source", Prefix::parse);
    peer.tls_names = list(match, "tls_name", parse_domain);
    peer.users = list(match, "user", parse_login);
    peer.next_hops = read_hops(at(section, "next_hop"));
    peer.auth = read_auth(at(section, "auth"));
    peer.probe = value(section, "probe", peer.probe);
    peer.probe_interval_s = value(section, "probe_interval_s", peer.probe_interval_s);
    peer.probe_timeout_s = value(section, "probe_timeout_s", peer.probe_timeout_s);
    peer.identities = list(section, "identities", parse_identity);
    peer.pai_trusted = text(section, "pai") == "trusted";
    peer.targets = list(section, "targets", parse_target);
    peer.is_default = value(section, "default", false);
    if (const auto domain = text(section, "trunk_domain"); !domain.empty()) peer.trunk_domain = parse_domain(domain).value();
    peer.cpim = one_of(section, "cpim", cpim_uses, peer.cpim);
    peer.large_message = value(section, "large_message", peer.large_message);
    const auto& limits = at(section, "limits");
    peer.limits = {value(limits, "dialogs", 0u), value(limits, "transactions", 0u), value(limits, "per_second", 0u)};
    return peer;
}

PhoneOptions read_phone(const json& section) {
    PhoneOptions phone;
    phone.dial_plan = list(section, "dial_plan", parse_dial_pattern);
    phone.contexts = list(section, "contexts", parse_phone_context);
    if (!at(section, "emergency_numbers").is_null())
        phone.emergency_numbers = list(section, "emergency_numbers", parse_emergency_number);
    return phone;
}

DomainTls read_tls(const json& section) {
    static const std::map<std::string, VerifyClient> words{
        {"none", VerifyClient::none}, {"optional", VerifyClient::optional}, {"required", VerifyClient::required}};
    DomainTls tls;
    tls.files = read_files(section);
    tls.trust = text(section, "trust", tls.trust);
    tls.verify_client = one_of(section, "verify_client", words, tls.verify_client);
    return tls;
}

DigestOptions read_digest(const json& section) {
    DigestOptions digest;
    digest.realm = text(section, "realm");
    digest.ha1_file = text(section, "ha1_file");
    const auto as_it_stands = [](std::string_view name) -> Result<std::string> { return std::string(name); };
    if (const auto names = list(section, "algorithms", as_it_stands); !names.empty()) digest.algorithms = names;
    return digest;
}

MetricsOptions read_metrics(const json& section) {
    MetricsOptions metrics;
    if (const auto listen = text(section, "listen"); !listen.empty()) metrics = parse_metrics_listener(listen).value();
    metrics.allow_remote = value(section, "allow_remote", metrics.allow_remote);
    metrics.link_down_s = value(section, "link_down_s", metrics.link_down_s);
    return metrics;
}

PresenceOptions read_presence(const json& section) {
    PresenceOptions presence;
    static const std::map<std::string, PresenceMode> modes{
        {"subscribe", PresenceMode::subscribe}, {"static", PresenceMode::pretended}, {"off", PresenceMode::off}};
    presence.mode = one_of(section, "mode", modes, presence.mode);
    for (auto [word, field] : {std::pair("expires", &presence.expires),
                               {"min_expires", &presence.min_expires},
                               {"max_expires", &presence.max_expires},
                               {"subscribe_rate", &presence.subscribe_rate},
                               {"contacts_per_user", &presence.contacts_per_user},
                               {"watchers_per_user", &presence.watchers_per_user},
                               {"watchers_per_peer", &presence.watchers_per_peer},
                               {"relations", &presence.relations}})
        *field = value(section, word, *field);
    presence.on_the_phone = value(section, "on_the_phone", presence.on_the_phone);
    return presence;
}

}  // namespace

EngineOptions read_engine(const json& given) {
    EngineOptions options;
    if (!at(given, "bind").is_null()) options.bind = list(given, "bind", parse_listener);
    if (const auto address = text(given, "public_address"); !address.empty())
        options.public_address = Address::parse(address).value();
    options.tls = read_files(at(given, "tls"));
    options.limits = read_source_limits(at(given, "limits"));
    options.dns_servers = list(given, "dns_servers", parse_dns_server);
    if (const auto directory = text(given, "state_dir"); !directory.empty())
        options.state_dir = parse_directory(directory).value();
    options.store_survives_power_cut = text(given, "store_durability", "full") == "full";
    options.memory_limit_mib = value(given, "memory_limit_mib", options.memory_limit_mib);
    options.log_level = text(given, "log_level", options.log_level);
    options.metrics = read_metrics(at(given, "metrics"));
    return options;
}

DomainOptions read_domain(const json& given) {
    DomainOptions options;
    options.name = text(given, "name");
    static const std::map<std::string, AddressScheme> schemes{
        {"native", AddressScheme::native}, {"nested", AddressScheme::nested}, {"phone", AddressScheme::phone}};
    options.scheme = one_of(given, "scheme", schemes, options.scheme);
    if (const auto domain = text(given, "sip_domain"); !domain.empty()) options.sip_domain = parse_domain(domain).value();
    options.xmpp_domains = list(given, "xmpp_domains", parse_domain);
    options.nested_xmpp_domains = list(given, "nested_xmpp_domains", parse_domain);
    options.phone = read_phone(at(given, "phone"));
    options.emergency_line = text(given, "emergency_line");
    options.tls = read_tls(at(given, "tls"));
    options.digest = read_digest(at(given, "digest"));
    options.pager_as_chat = value(given, "pager_as_chat", options.pager_as_chat);
    options.from_gr = value(given, "from_gr", options.from_gr);
    options.unique_call_id = value(given, "unique_call_id", options.unique_call_id);
    options.correction_mark = text(given, "correction_mark", options.correction_mark);
    options.e2e_fallback = value(given, "e2e_fallback", options.e2e_fallback);
    options.xhtml_im = value(given, "xhtml_im", options.xhtml_im);
    options.chat_states = value(given, "chat_states", options.chat_states);
    options.presence = read_presence(at(given, "presence"));
    options.message_accept_code = value(given, "message_accept_code", options.message_accept_code);
    options.allow_6xx = value(given, "allow_6xx", options.allow_6xx);
    options.service_unavailable_code = value(given, "service_unavailable_code", options.service_unavailable_code);
    options.language = text(given, "language", options.language);
    options.user_rate = value(given, "user_rate", options.user_rate);
    options.message_hold_ms = value(given, "message_hold_ms", options.message_hold_ms);
    if (const auto& peers = at(given, "peers"); peers.is_object())
        for (const auto& [name, section] : peers.items()) options.peers.push_back(read_peer(name, section));
    return options;
}

}  // namespace stox::config
