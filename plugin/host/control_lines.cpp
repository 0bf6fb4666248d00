#include "plugin/host/control_lines.h"

#include "plugin/host/room.h"

#include <nlohmann/json.hpp>

#include <unistd.h>

#include <optional>

namespace stox::host {

using nlohmann::json;

namespace {

/// Untrusted octets may stand in a text: what is not UTF-8 becomes U+FFFD instead of an exception.
std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

std::string text(const json& object, const char* member) {
    const auto found = object.find(member);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::vector<std::string> texts(const json& object, const char* member) {
    std::vector<std::string> all;
    if (const auto list = object.find(member); list != object.end() && list->is_array())
        for (const auto& one : *list)
            if (one.is_string()) all.push_back(one.get<std::string>());
    return all;
}

bool flag(const json& object, const char* member) {
    const auto found = object.find(member);
    return found != object.end() && found->is_boolean() && found->get<bool>();
}

std::string config_of(const json& object) {
    const auto found = object.find("config");
    return found == object.end() || found->is_null() ? "{}" : dump(*found);
}

Result<config::Attachment> parse_attachment(const json& object) {
    const auto xmpp = object.find("xmpp");
    if (xmpp == object.end() || !xmpp->is_object()) return fail(Code::malformed, "domain-set without xmpp");
    config::Attachment attachment;
    attachment.unix_path = text(*xmpp, "unix");
    attachment.secret = text(*xmpp, "secret");
    if (attachment.unix_path.empty()) {
        const auto endpoint = Endpoint::parse(text(*xmpp, "tcp"));
        if (!endpoint) return fail(Code::malformed, "domain-set: xmpp needs unix, or tcp as address:port");
        attachment.tcp = endpoint.value();
    }
    if (attachment.secret.empty()) return fail(Code::malformed, "domain-set: xmpp needs a secret");
    return attachment;
}

Result<Command> parse_domain_set(const json& object) {
    DomainSet command;
    command.domain = text(object, "domain");
    if (command.domain.empty()) return fail(Code::malformed, "domain-set without domain");
    command.xmpp_domains = texts(object, "xmpp_domains");
    auto attachment = parse_attachment(object);
    if (!attachment) return attachment.error();
    command.attachment = std::move(attachment).value();
    command.config = config_of(object);
    return Command(std::move(command));
}

AdminAsked parse_admin(const json& object) {
    AdminAsked asked{text(object, "id"),  text(object, "command"), texts(object, "arguments"), text(object, "domain"),
                     text(object, "who"), text(object, "via"),     flag(object, "json")};
    if (asked.who.empty()) asked.who = "server";
    if (asked.via.empty()) asked.via = "control";
    return asked;
}

const char* text_of(engine::Engine::Reach reach) {
    switch (reach) {
        case engine::Engine::Reach::up:
            return "up";
        case engine::Engine::Reach::down:
            return "down";
        case engine::Engine::Reach::unknown:
            break;
    }
    return "unknown";
}

json peers_of(const DomainStatus& domain) {
    auto peers = json::array();
    for (const auto& peer : domain.peers) {
        auto targets = json::array();
        for (const auto& [target, reach] : peer.targets) targets.push_back({{"target", target}, {"state", text_of(reach)}});
        peers.push_back(
            {{"peer", peer.name}, {"state", text_of(peer.reach)}, {"transactions", peer.transactions}, {"targets", targets}});
    }
    return peers;
}

json counters_of(const sip::Counters& sip) {
    return {{"datagrams",
             {{"received", sip.received},
              {"passed", sip.datagrams},
              {"dropped",
               {{"source_rate", sip.dropped_source_rate},
                {"total_rate", sip.dropped_total_rate},
                {"banned", sip.dropped_banned},
                {"noise", sip.dropped_noise},
                {"malformed", sip.dropped_malformed},
                {"limits", sip.dropped_limits},
                {"queue", sip.dropped_queue}}},
              {"dropped_by_kernel", sip.dropped_by_kernel},
              {"errors_unproven", sip.dropped_unproven_errors},
              {"sends_refused", sip.sends_refused},
              {"sends_without_room", sip.dropped_unsent}}},
            {"connections",
             {{"open", sip.open_connections},
              {"accepted", sip.connections},
              {"messages", sip.messages},
              {"refused",
               {{"source", sip.refused_source_connections},
                {"total", sip.refused_total_connections},
                {"rate", sip.refused_connection_rate},
                {"handshakes", sip.refused_handshakes},
                {"banned", sip.refused_banned}}},
              {"shed", sip.refused_descriptors},
              {"closed",
               {{"violation", sip.closed_violation},
                {"deadline", sip.closed_deadline},
                {"idle", sip.closed_idle},
                {"slow_reader", sip.closed_slow_reader},
                {"evicted", sip.closed_evicted},
                {"banned", sip.closed_banned}}},
              {"handshakes_failed", sip.failed_handshakes},
              {"dialled", sip.dialled},
              {"dials_refused", sip.dials_refused}}},
            {"requests",
             {{"passed", sip.requests},
              {"over_requests", sip.refused_requests},
              {"over_request_memory", sip.refused_memory},
              {"over_open_acks", sip.refused_open_acks}}},
            {"bans", {{"now", sip.banned_sources}, {"total", sip.bans}}}};
}

json event(const char* type) { return {{"t", type}}; }

constexpr std::size_t kMostOctets = 900'000;  ///< of a list in a line: one of more than 1 MiB is read by nobody

std::size_t size_of(const json& one) { return dump(one).size() + 1; }

/// Far from what options need. Some of what handles a value later does so by recursion.
constexpr int kDeepest = 32;

/// Discarded when it is no JSON; none when it is nested too deep.
std::optional<json> parse_line(std::string_view line) {
    bool too_deep = false;
    auto value = json::parse(
        line,
        [&too_deep](int around, json::parse_event_t event, json&) {
            const bool opens = event == json::parse_event_t::object_start || event == json::parse_event_t::array_start;
            too_deep = too_deep || (opens && around >= kDeepest);
            return !too_deep;
        },
        false);
    if (too_deep) return std::nullopt;
    return value;
}

}  // namespace

Result<Command> parse_command(std::string_view line) {
    const auto parsed = parse_line(line);
    if (!parsed) return fail(Code::too_large, "a control line is nested too deep");
    const auto& object = *parsed;
    if (!object.is_object()) return fail(Code::malformed, "a control line is no JSON object");
    if (const auto version = object.find("stox"); version != object.end()) {
        if (!version->is_number_integer()) return fail(Code::malformed, "hello without a version number");
        return Command(Hello{version->get<int>(), text(object, "version"), text(object, "server")});
    }
    const auto type = text(object, "t");
    if (type == "engine-set") return Command(EngineSet{config_of(object)});
    if (type == "domain-set") return parse_domain_set(object);
    if (type == "domain-remove") return Command(DomainRemove{text(object, "domain"), flag(object, "for_good")});
    if (type == "status") return Command(StatusAsked{text(object, "id")});
    if (type == "authz") return Command(AuthorizationAnswered{text(object, "id"), flag(object, "allowed")});
    if (type == "admin") return Command(parse_admin(object));
    if (type == "metrics") return Command(MetricsAsked{text(object, "id")});
    if (type == "stop") return Command(Stop{});
    return Command(Unknown{type});
}

std::string hello_line() { return dump({{"stox", kControlVersion}, {"version", STOX_VERSION}, {"features", json::array()}}); }

std::string log_line(std::string_view level, std::string_view text_, std::string_view domain) {
    auto line = event("log");
    line["level"] = level;
    line["text"] = text_;
    if (!domain.empty()) line["domain"] = domain;
    return dump(line);
}

std::string listening_line(const std::vector<config::Listener>& listeners) {
    auto line = event("listening");
    line["sip"] = json::array();
    for (const auto& listener : listeners)
        line["sip"].push_back(std::string(to_string(listener.transport)) + ':' + listener.endpoint.to_string());
    return dump(line);
}

std::string up_line(std::string_view domain) {
    auto line = event("up");
    line["domain"] = domain;
    return dump(line);
}

std::string down_line(std::string_view domain, std::string_view reason) {
    auto line = event("down");
    line["domain"] = domain;
    line["reason"] = reason;
    return dump(line);
}

std::string taken_line(std::string_view domain, std::string_view stream, std::uint64_t count) {
    auto line = event("taken");
    line["domain"] = domain;
    line["stream"] = stream;
    line["count"] = count;
    return dump(line);
}

std::string removed_line(std::string_view domain) {
    auto line = event("removed");
    line["domain"] = domain;
    return dump(line);
}

std::string config_error_line(std::string_view domain, const std::vector<config::Problem>& problems, bool kept) {
    auto line = event("config-error");
    line["kept"] = kept;
    if (!domain.empty()) line["domain"] = domain;
    line["problems"] = json::array();
    Room room(kMostOctets);
    for (const auto& problem : problems) {
        json one{{"path", problem.path}, {"text", problem.text}};
        if (room.takes(size_of(one))) line["problems"].push_back(std::move(one));
    }
    if (room.left_out() > 0)
        line["problems"].push_back({{"path", "..."}, {"text", "and " + std::to_string(room.left_out()) + " more problems"}});
    return dump(line);
}

std::string status_line(std::string_view id, std::int64_t uptime_s, std::uint64_t refused,
                        const std::optional<sip::Counters>& sip, const std::vector<DomainStatus>& domains) {
    auto line = event("status");
    line["id"] = id;
    line["version"] = STOX_VERSION;
    line["pid"] = ::getpid();
    line["uptime_s"] = uptime_s;
    line["refused"] = refused;
    if (sip) line["sip"] = counters_of(*sip);
    line["domains"] = json::array();
    Room room(kMostOctets);
    for (const auto& domain : domains) {
        json one{{"domain", domain.domain}, {"up", domain.up},          {"since_s", domain.since_s},
                 {"held", domain.held},     {"queued", domain.queued},  {"transactions", domain.transactions},
                 {"stored", domain.stored}, {"peers", peers_of(domain)}};
        if (room.takes(size_of(one))) line["domains"].push_back(std::move(one));
    }
    if (room.left_out() > 0) line["left_out"] = room.left_out();
    return dump(line);
}

std::string unsupported_line(std::string_view of) {
    auto line = event("unsupported");
    line["of"] = of;
    return dump(line);
}

std::string authorization_line(std::string_view id, std::string_view domain, const engine::Authorize& asked) {
    auto line = event("authz");
    line["id"] = id;
    line["domain"] = domain;
    line["jid"] = asked.who.to_string();
    line["node"] = asked.node;
    line["scope"] = asked.scope == engine::AdminScope::worker ? "worker" : "domain";
    return dump(line);
}

std::string admin_answer_line(std::string_view id, const AdminAnswer& answer) {
    auto line = event("admin");
    line["id"] = id;
    line["code"] = answer.code;
    line["output"] = answer.output;
    return dump(line);
}

namespace {

void add_family(json& to, const MetricFamily& family, json names, json values) {
    const char* type = family.type == MetricType::counter ? "counter" : family.type == MetricType::info ? "info" : "gauge";
    to.push_back({{"name", family.name},
                  {"type", type},
                  {"help", family.help},
                  {"labels", std::move(names)},
                  {"samples", std::move(values)}});
}

}  // namespace

std::string metrics_line(std::string_view id, const std::vector<MetricFamily>& families) {
    static constexpr std::size_t kMostSamples = 4'000;  // the chat server reads them between two stanzas
    auto line = event("metrics");
    line["id"] = id;
    auto& all = line["families"] = json::array();
    std::size_t samples = 0;
    Room room(kMostOctets);
    for (const auto& family : families) {
        auto values = json::array();
        auto names = json::array();
        for (const auto& sample : family.samples) {
            if (++samples > kMostSamples) {
                room.leave_out();
                continue;
            }
            auto labels = json::array();
            names = json::array();
            for (const auto& label : sample.labels) {
                names.push_back(label.name);
                labels.push_back(label.value);
            }
            json one{{"labels", std::move(labels)}, {"value", sample.value}};
            if (room.takes(size_of(one))) values.push_back(std::move(one));
        }
        if (!values.empty()) add_family(all, family, std::move(names), std::move(values));
    }
    add_family(all, left_out_samples(room.left_out()), json::array(),
               json::array({{{"labels", json::array()}, {"value", room.left_out()}}}));
    return dump(line);
}

std::string reload_wanted_line() { return dump(event("reload-wanted")); }

std::string stop_wanted_line() { return dump(event("stop-wanted")); }

}  // namespace stox::host
