// Any body, type, subject and language as a page message. Input: lines "type", "subject", "language", then the body.
// To XMPP: what is accepted is a stanza that is read back as it was. To SIP: no line of the input becomes a header of ours.

#include "mapping/core/assert.h"
#include "mapping/page_message.h"
#include "mapping/xml/reader.h"
#include "mapping/xml/writer.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace {

using namespace stox;

std::string_view take_line(std::string_view& rest) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const auto line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return line;
}

void check_to_xmpp(const sip::Request& request) {
    const auto message =
        to_xmpp_message(request, {"c", "sip.example", {}}, {"u", "example.com", {}}, {"id", "call", "tag", true});
    if (!message) return;
    STOX_ASSERT(!message.value().bodies.at(0).text.empty());
    const auto element = xml::read_document(xml::write(xmpp::encode(xmpp::Stanza(message.value())), {}));
    STOX_ASSERT(element);
    const auto again = xmpp::decode(element.value());
    STOX_ASSERT(again && again.value() == xmpp::Stanza(message.value()));
}

void check_to_sip(const xmpp::Message& message) {
    const auto request = to_sip_message(message, {}, {}, {"id", "call", "tag", true});
    if (!request) return;
    for (const auto& header : request.value().headers)
        for (const char c : header.value) STOX_ASSERT(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
    STOX_ASSERT(request.value().headers.size() <= 2 && request.value().call_id == "call");
    const auto& body = request.value().body;
    for (std::size_t i = 0; i < body.size(); ++i) {
        if (body[i] == '\n') STOX_ASSERT(i > 0 && body[i - 1] == '\r');
        if (body[i] == '\r') STOX_ASSERT(i + 1 < body.size() && body[i + 1] == '\n');
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    const auto type = take_line(rest), subject = take_line(rest), language = take_line(rest);
    sip::Request request;
    request.method = "MESSAGE";
    request.content_type = type;
    request.headers = {{"Subject", std::string(subject)}, {"Content-Language", std::string(language)}};
    request.call_id = subject;
    request.body = rest;
    check_to_xmpp(request);

    xmpp::Message message;
    message.lang = language;
    message.subjects = {{std::string(rest), {}}, {std::string(subject), std::string(language)}};
    message.bodies = {{std::string(rest), std::string(type)}, {std::string(subject), {}}};
    message.thread = subject;
    check_to_sip(message);
    return 0;
}
