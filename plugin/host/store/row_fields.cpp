#include "plugin/host/store/row_fields.h"

#include <algorithm>
#include <charconv>
#include <set>

namespace stox::store {

using nlohmann::json;

namespace {

constexpr std::string_view kTokenMarks = "-.!%*_+`'~";
constexpr std::string_view kWordMarks = "()<>:\\\"/[]?{}@";

bool is_alphanum(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

Result<sip::Uri> uri_from(const json& value, const char* name) {
    if (!value.is_string()) return wrong_member(name);
    auto uri = sip::Uri::parse(value.get_ref<const std::string&>());
    if (!uri || uri.value().has_headers) return wrong_member(name);
    return uri;
}

bool can_be_dialled(const sip::Uri& uri) { return uri.scheme == sip::Scheme::sip || uri.scheme == sip::Scheme::sips; }

}  // namespace

bool is_token_octet(char c) { return is_alphanum(c) || kTokenMarks.find(c) != kTokenMarks.npos; }
bool is_call_id_octet(char c) { return is_token_octet(c) || kWordMarks.find(c) != kWordMarks.npos; }
bool is_printable(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; }

Error wrong_member(const char* name) { return {Code::malformed, std::string("stored row: ") + name}; }

Result<json> parse_row(std::string_view text, std::size_t most_octets) {
    if (text.size() > most_octets)
        return fail(Code::too_large, "stored row of " + std::to_string(text.size()) + " octets");
    std::set<std::string> members;
    bool twice = false;
    const auto watch = [&](int depth, json::parse_event_t event, json& parsed) {
        if (event == json::parse_event_t::key && depth == 1) twice |= !members.insert(parsed.get<std::string>()).second;
        return true;
    };
    auto object = json::parse(text, watch, false);
    if (!object.is_object() || twice) return wrong_member("no JSON object with distinct members");
    return object;
}

const json* member_of(const json& object, const char* name) {
    const auto found = object.find(name);
    return found == object.end() ? nullptr : &*found;
}

Result<std::string> text_of(const json& object, const char* name) {
    const auto* value = member_of(object, name);
    if (!value || !value->is_string()) return wrong_member(name);
    return value->get<std::string>();
}

Result<std::string> id_of(const json& object, const char* name, bool (*allowed)(char), std::size_t shortest) {
    BOOST_OUTCOME_TRY(text, text_of(object, name));
    if (text.size() > kMaxRowIdOctets) return fail(Code::too_large, std::string("stored row: ") + name);
    if (text.size() < shortest || !std::ranges::all_of(text, allowed)) return wrong_member(name);
    return std::move(text);
}

Result<std::uint64_t> number_of(const json& object, const char* name, std::uint64_t most) {
    const auto* value = member_of(object, name);
    if (!value || !value->is_number_unsigned() || value->get<std::uint64_t>() > most) return wrong_member(name);
    return value->get<std::uint64_t>();
}

Result<bool> flag_of(const json& object, const char* name) {
    const auto* value = member_of(object, name);
    if (!value) return false;
    if (!value->is_boolean()) return wrong_member(name);
    return value->get<bool>();
}

Result<sip::Uri> uri_of(const json& object, const char* name) {
    const auto* value = member_of(object, name);
    if (!value) return wrong_member(name);
    return uri_from(*value, name);
}

Result<sip::Uri> sip_uri_of(const json& object, const char* name) {
    BOOST_OUTCOME_TRY(uri, uri_of(object, name));
    if (!can_be_dialled(uri)) return wrong_member(name);
    return std::move(uri);
}

Result<std::vector<sip::Uri>> routes_of(const json& object, const char* name) {
    const auto* list = member_of(object, name);
    if (!list || !list->is_array()) return wrong_member(name);
    if (list->size() > kMaxRowRoutes) return fail(Code::too_large, "stored row: over 64 routes");
    std::vector<sip::Uri> routes;
    for (const auto& value : *list) {
        BOOST_OUTCOME_TRY(uri, uri_from(value, name));
        if (!can_be_dialled(uri)) return wrong_member(name);
        routes.push_back(std::move(uri));
    }
    return routes;
}

Result<xmpp::Jid> jid_of(const json& object, const char* name) {
    BOOST_OUTCOME_TRY(text, text_of(object, name));
    auto jid = xmpp::Jid::parse(text);
    if (!jid) return wrong_member(name);
    return jid;
}

Result<Trace> trace_of(const json& object, const char* name) {
    BOOST_OUTCOME_TRY(text, text_of(object, name));
    Trace trace;
    std::from_chars(text.data(), text.data() + text.size(), trace.bits, 16);
    if (trace.to_string() != text) return wrong_member(name);
    return trace;
}

}  // namespace stox::store
