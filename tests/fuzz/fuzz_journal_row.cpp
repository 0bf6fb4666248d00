// A hostile row of the journal: read or refused, never more. What is read is written and read as the same row, and the BYE that a
// restart makes of it stays one message.
//
// An input is the text of a row; or, when its first octet is less than the number of members, what stands after it is the value
// of that member in a row that is good otherwise: as JSON, or as a string where it is none.

#include "mapping/core/assert.h"
#include "plugin/host/store/journal_codec.h"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <iterator>

namespace {

using namespace stox;
using nlohmann::json;

const json& good_row() {
    static const auto row = json::parse(R"({"v":1,"call_id":"f81d4fae@[2001:db8::9]","local_tag":"a6c85cf","remote_tag":"19283",
        "local_uri":"sip:juliet%40xmpp.example@gateway.example;gr=balcony","remote_uri":"tel:+15551234567",
        "route_set":["sip:p1.example;lr","sips:[2001:db8::1]:5071;lr;transport=tcp"],
        "remote_target":"sip:romeo@192.0.2.4:5062;transport=tls","transport":"tls","peer":"[2001:db8::1]:5061","local_cseq":7,
        "remote_cseq":4294967295,"peer_jid":"juliet@xmpp.example/balcony","sid":"a73sjjvk","trace":"0123456789abcdef"})");
    return row;
}

std::string row_text(std::string_view input) {
    if (input.empty() || static_cast<unsigned char>(input[0]) >= good_row().size()) return std::string(input);
    auto row = good_row();
    auto& member = *std::next(row.begin(), input[0]);
    const std::string text(input.substr(1));
    member = json::parse(text, nullptr, false);
    if (member.is_discarded()) member = text;
    return row.dump(-1, ' ', false, json::error_handler_t::replace);
}

bool is_one_line(std::string_view text) { return text.find_first_of(std::string_view("\r\n\0", 3)) == text.npos; }

void goes_by(const sip::Uri& uri) {
    STOX_ASSERT((uri.scheme == sip::Scheme::sip || uri.scheme == sip::Scheme::sips) && !uri.has_headers);
    STOX_ASSERT(is_one_line(uri.to_string()));
}

void check_adoption(const engine::JournalRow& row) {
    const auto adoption = engine::adopt(row);
    const auto& bye = adoption.bye;
    STOX_ASSERT(bye.cseq > row.local_cseq || row.local_cseq == engine::kMaxCseq);
    STOX_ASSERT(bye.cseq <= engine::kMaxCseq && !bye.from.tag.empty() && !bye.call_id.empty());
    goes_by(bye.uri);
    STOX_ASSERT(!bye.uri.parameter("method"));
    for (const auto& route : bye.routes) goes_by(route.uri);
    for (const auto& text : {bye.call_id, bye.from.tag, bye.to.tag, bye.from.uri.to_string(), bye.to.uri.to_string()})
        STOX_ASSERT(is_one_line(text));
    STOX_ASSERT(!adoption.session.peer.is_bare() && is_one_line(adoption.session.sid));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto row = store::from_json(row_text({reinterpret_cast<const char*>(data), size}));
    if (!row) return 0;
    const auto text = store::to_json(row.value());
    STOX_ASSERT(text);
    const auto again = store::from_json(text.value());
    STOX_ASSERT(again && again.value() == row.value());
    check_adoption(row.value());
    return 0;
}
