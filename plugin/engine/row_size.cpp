#include "plugin/engine/row_size.h"

#include "mapping/xml/writer.h"

#include <array>
#include <cstdint>

namespace stox::engine {

namespace {

/// Names of members, numbers, trace and punctuation of any row.
constexpr std::size_t kFrame = 320, kReport = 200;

constexpr auto kOctetsOfAscii = [] {
    std::array<std::uint8_t, 0x80> octets{};
    for (std::size_t c = 0; c < octets.size(); ++c) octets[c] = c < 0x20 ? 6 : 1;
    for (const char c : std::string_view("\"\\\b\t\n\f\r")) octets[static_cast<std::size_t>(c)] = 2;
    return octets;
}();

/// A character as a JSON string holds it. What is no ASCII may stand there as the character of that number, or, if it is no UTF-8
/// in an address, as U+FFFD.
std::size_t json_octets(std::string_view text, std::size_t of_others) {
    std::size_t octets = 0;
    for (const char c : text) {
        const auto octet = static_cast<unsigned char>(c);
        octets += octet < 0x80 ? kOctetsOfAscii[octet] : of_others;
    }
    return octets;
}

std::size_t octets(std::string_view any) { return json_octets(any, 2); }
std::size_t address(const std::string& text) { return json_octets(text, 3); }

void add(RowSize& size, const xmpp::Message& stanza) {
    const auto text = xml::write_within(xmpp::encode(stanza), kMaxRowOctets);
    size.stanza += text ? text->size() : kMaxRowOctets + 1;
    size.row += text ? json_octets(*text, 1) : kMaxRowOctets + 1;  // the writer gives UTF-8
}

std::size_t report_octets(const std::optional<ReportAsked>& report) {
    if (!report) return 0;
    std::size_t size = kReport + octets(report->message_id) + octets(report->date_time) + address(report->author.to_string()) +
                       address(report->recipient.to_string()) + octets(report->original_recipient);
    for (const auto& route : report->routes) size += octets(route) + 3;
    return size;
}

}  // namespace

RowSize size_of(const InboxRow& row) {
    RowSize size{0, kFrame + octets(row.peer) + octets(row.request_key) + report_octets(row.report)};
    add(size, row.stanza);
    return size;
}

RowSize size_of(const OutboxRow& row) {
    RowSize size{0, kFrame + octets(row.call_id) + octets(row.from_tag) + octets(row.imdn_id)};
    add(size, row.stanza);
    if (row.owed) {
        xmpp::Message error;
        error.from = row.stanza.to, error.to = row.stanza.from, error.id = row.stanza.id;
        error.type = xmpp::MessageType::error;
        error.error = row.owed;
        add(size, error);
    }
    return size;
}

RowSize size_of(const ReceiptRow& row) {
    return {0, kFrame + octets(row.stanza_id) + address(row.user.to_string()) + address(row.contact.to_string()) +
                   octets(row.imdn_id) + report_octets(row.report)};
}

RowSize size_of(const ContactRow& row) {
    RowSize size{0, kFrame + address(row.user.to_string()) + address(row.contact.to_string())};
    for (const auto& resource : row.shown) size.row += octets(resource) + 3;
    return size;
}

RowSize size_of(const WatcherRow& row) {
    return RowSize{0, kFrame + address(row.user.to_string()) + address(row.contact.to_string()) + octets(row.peer)};
}

RowSize size_of(const RecordValue& value) {
    return std::visit([](const auto& row) { return size_of(row); }, value);
}

}  // namespace stox::engine
