#include "plugin/host/store/journal_codec.h"

#include "plugin/host/store/row_fields.h"

#include <nlohmann/json.hpp>

namespace stox::store {

using engine::JournalRow;
using nlohmann::json;

namespace {

Result<std::uint32_t> number_from(const json& value, const char* name, std::uint32_t most) {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > most) return wrong_member(name);
    return value.get<std::uint32_t>();
}

Result<std::uint32_t> local_cseq_of(const json& object, const char* name) {
    const auto* value = member_of(object, name);
    if (!value) return wrong_member(name);
    return number_from(*value, name, engine::kMaxCseq);
}

/// null: the peer has not sent a request yet.
Result<std::optional<std::uint32_t>> remote_cseq_of(const json& object, const char* name) {
    const auto* value = member_of(object, name);
    if (!value) return wrong_member(name);
    if (value->is_null()) return std::optional<std::uint32_t>();
    BOOST_OUTCOME_TRY(number, number_from(*value, name, UINT32_MAX));
    return std::optional(number);
}

Result<xmpp::Jid> full_jid_of(const json& object, const char* name) {
    BOOST_OUTCOME_TRY(jid, jid_of(object, name));
    if (jid.is_bare()) return wrong_member(name);
    return std::move(jid);
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
    if (!parsed_transport) return wrong_member("transport");
    if (!parsed_peer) return wrong_member("peer");
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
    if (again != row) return wrong_member("a field that does not survive being written");
    return text;
}

Result<JournalRow> from_json(std::string_view text) {
    BOOST_OUTCOME_TRY(object, parse_row(text, kMaxJournalOctets));
    const auto* version = member_of(object, "v");
    if (!version || !version->is_number_unsigned()) return wrong_member("v");
    if (version->get<std::uint64_t>() != kJournalVersion) return fail(Code::unsupported, "journal row of another version");
    JournalRow row;
    BOOST_OUTCOME_TRYV(read_dialog(object, row));
    BOOST_OUTCOME_TRYV(read_flow(object, row));
    BOOST_OUTCOME_TRYV(read_session(object, row));
    return row;
}

}  // namespace stox::store
