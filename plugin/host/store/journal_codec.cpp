#include "plugin/host/store/journal_codec.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <set>

namespace stox::store {

using engine::JournalRow;
using nlohmann::json;

namespace {

constexpr std::string_view kTokenMarks = "-.!%*_+`'~";       // RFC 3261 §25.1 token
constexpr std::string_view kWordMarks = "()<>:\\\"/[]?{}@";  // word has these too, and a Call-ID is word ["@" word]

bool is_alphanum(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_token_octet(char c) { return is_alphanum(c) || kTokenMarks.find(c) != kTokenMarks.npos; }
bool is_call_id_octet(char c) { return is_token_octet(c) || kWordMarks.find(c) != kWordMarks.npos; }
bool is_printable(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; }

auto wrong(const char* member) { return fail(Code::malformed, std::string("journal row: ") + member); }

/// The object, or why the text is none. A member that stands twice has no one meaning.
Result<json> parse_object(std::string_view text) {
    if (text.size() > kMaxJournalOctets) return fail(Code::too_large, "journal row over 128 KiB");
    std::set<std::string> members;
    bool twice = false;
    const auto watch = [&](int depth, json::parse_event_t event, json& parsed) {
        if (event == json::parse_event_t::key && depth == 1) twice |= !members.insert(parsed.get<std::string>()).second;
        return true;
    };
    auto object = json::parse(text, watch, false);
    if (!object.is_object() || twice) return wrong("no JSON object with distinct members");
    return object;
}

const json* member_of(const json& object, const char* name) {
    const auto found = object.find(name);
    return found == object.end() ? nullptr : &*found;
}

Result<std::string> text_of(const json& object, const char* name) {
    const auto* value = member_of(object, name);
    if (!value || !value->is_string()) return wrong(name);
    return value->get<std::string>();
}

Result<std::string> id_of(const json& object, const char* name, bool (*allowed)(char), std::size_t shortest = 1) {
    BOOST_OUTCOME_TRY(text, text_of(object, name));
    if (text.size() > kMaxJournalIdOctets) return fail(Code::too_large, std::string("journal row: ") + name);
    if (text.size() < shortest || !std::ranges::all_of(text, allowed)) return wrong(name);
    return std::move(text);
}

Result<sip::Uri> uri_from(const json& value, const char* name) {
    if (!value.is_string()) return wrong(name);
    auto uri = sip::Uri::parse(value.get_ref<const std::string&>());
    if (!uri || uri.value().has_headers) return wrong(name);
    return uri;
}

Result<sip::Uri> uri_of(const json& object, const char* name) {
    const auto* value = member_of(object, name);
    if (!value) return wrong(name);
    return uri_from(*value, name);
}

bool can_be_dialled(const sip::Uri& uri) { return uri.scheme == sip::Scheme::sip || uri.scheme == sip::Scheme::sips; }

Result<sip::Uri> sip_uri_of(const json& object, const char* name) {
    BOOST_OUTCOME_TRY(uri, uri_of(object, name));
    if (!can_be_dialled(uri)) return wrong(name);
    return std::move(uri);
}

Result<std::vector<sip::Uri>> routes_of(const json& object, const char* name) {
    const auto* list = member_of(object, name);
    if (!list || !list->is_array()) return wrong(name);
    if (list->size() > kMaxJournalRoutes) return fail(Code::too_large, "journal row: over 64 routes");
    std::vector<sip::Uri> routes;
    for (const auto& value : *list) {
        BOOST_OUTCOME_TRY(uri, uri_from(value, name));
        if (!can_be_dialled(uri)) return wrong(name);
        routes.push_back(std::move(uri));
    }
    return routes;
}

Result<std::uint32_t> number_from(const json& value, const char* name, std::uint32_t most) {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > most) return wrong(name);
    return value.get<std::uint32_t>();
}

Result<std::uint32_t> local_cseq_of(const json& object, const char* name) {
    const auto* value = member_of(object, name);
    if (!value) return wrong(name);
    return number_from(*value, name, engine::kMaxCseq);
}

/// null: the peer has not sent a request yet.
Result<std::optional<std::uint32_t>> remote_cseq_of(const json& object, const char* name) {
    const auto* value = member_of(object, name);
    if (!value) return wrong(name);
    if (value->is_null()) return std::optional<std::uint32_t>();
    BOOST_OUTCOME_TRY(number, number_from(*value, name, UINT32_MAX));
    return std::optional(number);
}

Result<xmpp::Jid> full_jid_of(const json& object, const char* name) {
    BOOST_OUTCOME_TRY(text, text_of(object, name));
    auto jid = xmpp::Jid::parse(text);
    if (!jid || jid.value().is_bare()) return wrong(name);
    return jid;
}

Result<Trace> trace_of(const json& object, const char* name) {
    BOOST_OUTCOME_TRY(text, text_of(object, name));
    Trace trace;
    std::from_chars(text.data(), text.data() + text.size(), trace.bits, 16);
    if (trace.to_string() != text) return wrong(name);
    return trace;
}

Result<void> read_dialog(const json& object, JournalRow& row) {
    BOOST_OUTCOME_TRY(call_id, id_of(object, "call_id", is_call_id_octet));
    BOOST_OUTCOME_TRY(local_tag, id_of(object, "local_tag", is_token_octet));
    BOOST_OUTCOME_TRY(remote_tag, id_of(object, "remote_tag", is_token_octet, 0));
    BOOST_OUTCOME_TRY(local_uri, uri_of(object, "local_uri"));
    BOOST_OUTCOME_TRY(remote_uri, uri_of(object, "remote_uri"));
    BOOST_OUTCOME_TRY(route_set, routes_of(object, "route_set"));
    BOOST_OUTCOME_TRY(remote_target, sip_uri_of(object, "remote_target"));
    BOOST_OUTCOME_TRY(local_cseq, local_cseq_of(object, "local_cseq"));
    BOOST_OUTCOME_TRY(remote_cseq, remote_cseq_of(object, "remote_cseq"));
    row.call_id = std::move(call_id), row.local_tag = std::move(local_tag), row.remote_tag = std::move(remote_tag);
    row.local_uri = std::move(local_uri), row.remote_uri = std::move(remote_uri);
    row.route_set = std::move(route_set), row.remote_target = std::move(remote_target);
    row.local_cseq = local_cseq, row.remote_cseq = remote_cseq;
    return ok();
}

Result<void> read_flow(const json& object, JournalRow& row) {
    BOOST_OUTCOME_TRY(transport, text_of(object, "transport"));
    BOOST_OUTCOME_TRY(peer, text_of(object, "peer"));
    const auto parsed_transport = parse_transport(transport);
    const auto parsed_peer = Endpoint::parse(peer);
    if (!parsed_transport) return wrong("transport");
    if (!parsed_peer) return wrong("peer");
    row.transport = parsed_transport.value(), row.peer = parsed_peer.value();
    return ok();
}

Result<void> read_session(const json& object, JournalRow& row) {
    BOOST_OUTCOME_TRY(peer_jid, full_jid_of(object, "peer_jid"));
    BOOST_OUTCOME_TRY(sid, id_of(object, "sid", is_printable));
    BOOST_OUTCOME_TRY(trace, trace_of(object, "trace"));
    row.peer_jid = std::move(peer_jid), row.sid = std::move(sid), row.trace = trace;
    return ok();
}

}  // namespace

Result<std::string> to_json(const JournalRow& row) {
    auto route_set = json::array();
    for (const auto& route : row.route_set) route_set.push_back(route.to_string());
    const json object{
        {"v", kJournalVersion},
        {"call_id", row.call_id},
        {"local_tag", row.local_tag},
        {"remote_tag", row.remote_tag},
        {"local_uri", row.local_uri.to_string()},
        {"remote_uri", row.remote_uri.to_string()},
        {"route_set", std::move(route_set)},
        {"remote_target", row.remote_target.to_string()},
        {"transport", to_string(row.transport)},
        {"peer", row.peer.to_string()},
        {"local_cseq", row.local_cseq},
        {"remote_cseq", row.remote_cseq ? json(*row.remote_cseq) : json()},
        {"peer_jid", row.peer_jid.to_string()},
        {"sid", row.sid},
        {"trace", row.trace.to_string()},
    };
    // Replaced octets make another row, which is seen next.
    auto text = object.dump(-1, ' ', false, json::error_handler_t::replace);
    BOOST_OUTCOME_TRY(again, from_json(text));
    if (again != row) return wrong("a field that does not survive being written");
    return text;
}

Result<JournalRow> from_json(std::string_view text) {
    BOOST_OUTCOME_TRY(object, parse_object(text));
    const auto* version = member_of(object, "v");
    if (!version || !version->is_number_unsigned()) return wrong("v");
    if (version->get<std::uint64_t>() != kJournalVersion) return fail(Code::unsupported, "journal row of another version");
    JournalRow row;
    BOOST_OUTCOME_TRYV(read_dialog(object, row));
    BOOST_OUTCOME_TRYV(read_flow(object, row));
    BOOST_OUTCOME_TRYV(read_session(object, row));
    return row;
}

}  // namespace stox::store
