// A hostile row of accepted messages: read or refused, never more. What is read is written and read as the same row, and nothing
// in it can break a header line.
//
// The first octet of an input names the collection; the rest is the text of a row, or, when the second octet is less than the
// number of members, the value of that member in a row that is good otherwise: as JSON, or as a string where it is none.

#include "mapping/core/assert.h"
#include "plugin/host/store/message_codec.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace {

using namespace stox;
using nlohmann::json;

const json& good_row(engine::Collection collection) {
    static const auto inbox = json::parse(R"({"v":1,"stanza":"<message xmlns='jabber:component:accept' from='juliet@capulet.test/b' to='romeo@montague.test' id='a'><body>soft</body></message>",
        "accepted":1800000000123,"trace":"0123456789abcdef",
        "peer":"phones","request_key":"a\n\u00e9\n1MESSAGE","report":{"message_id":"m","date_time":"2006-04-04T12:16:49-05:00",
        "author":"sip:juliet@capulet.test","recipient":"tel:+1555","positive":true,"negative":false,"display":true,"routes":["<sip:a@b>"],"original_recipient":""}})");
    static const auto outbox = json::parse(R"({"v":1,"stanza":"<message xmlns='jabber:component:accept' from='a@b/c' to='d@e'/>",
        "accepted":0,"trace":"0000000000000001","call_id":"f81d@[2001:db8::9]","from_tag":"a6","cseq":7,"imdn_id":"x",
        "owed":"<message xmlns='jabber:component:accept' from='d@e' to='a@b/c' type='error'><error type='wait'/></message>"})");
    static const auto receipt = json::parse(R"({"v":1,"stanza_id":"a","user":"a@b/c","contact":"d@e","imdn_id":"x","since":1,
        "from_sip":true,"type":"chat"})");
    return collection == engine::Collection::inbox ? inbox : collection == engine::Collection::outbox ? outbox : receipt;
}

std::string row_text(engine::Collection collection, std::string_view input) {
    if (input.empty() || static_cast<unsigned char>(input[0]) >= good_row(collection).size()) return std::string(input);
    auto row = good_row(collection);
    auto& member = *std::next(row.begin(), input[0]);
    const std::string text(input.substr(1));
    member = json::parse(text, nullptr, false);
    if (member.is_discarded()) member = text;
    return row.dump(-1, ' ', false, json::error_handler_t::replace);
}

void is_one_line(std::string_view text) { STOX_ASSERT(text.find_first_of(std::string_view("\r\n\0", 3)) == text.npos); }

void check_report(const std::optional<engine::ReportAsked>& asked) {
    if (!asked) return;
    is_one_line(asked->message_id);
    is_one_line(asked->date_time);
    is_one_line(asked->author.to_string());
    is_one_line(asked->recipient.to_string());
    for (const auto& route : asked->routes) is_one_line(route);
    is_one_line(asked->original_recipient);
}

void check(const engine::InboxRow& row) {
    is_one_line(row.peer);
    check_report(row.report);
}
void check(const engine::OutboxRow& row) {
    is_one_line(row.call_id);
    is_one_line(row.from_tag);
    is_one_line(row.imdn_id);
    STOX_ASSERT(row.cseq < 0x8000'0000);
}
void check(const engine::ReceiptRow& row) {
    is_one_line(row.imdn_id);
    check_report(row.report);
}
void check(const engine::WatcherRow& row) {
    STOX_ASSERT(row.user.is_bare() && row.contact.is_bare());
    is_one_line(row.peer);
}

void check(const engine::ContactRow& row) {
    STOX_ASSERT(row.user.is_bare() && row.contact.is_bare() && row.shown.size() <= engine::ContactRow::kMaxShown);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto collection = static_cast<engine::Collection>(data[0] % 5);
    const auto row = store::from_json(collection, row_text(collection, {reinterpret_cast<const char*>(data) + 1, size - 1}));
    if (!row) return 0;
    std::visit([](const auto& one) { check(one); }, row.value());
    const auto text = store::to_json(row.value());
    if (!text) {  // only what grew by being spelled out
        STOX_ASSERT(text.error().code == Code::too_large);
        return 0;
    }
    const auto again = store::from_json(collection, text.value());
    // Namespaces spelled out count as attributes. A stream gives at most half of what a row may have of them.
    if (!again && std::ranges::count(text.value(), '=') > 128) return 0;
    STOX_ASSERT(again && again.value() == row.value());
    return 0;
}
