// Any XML as a stanza: what decodes is encoded, written, read and decoded to the same value.

#include "mapping/core/assert.h"
#include "mapping/xml/reader.h"
#include "mapping/xml/writer.h"
#include "mapping/xmpp/stanza.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stox;
    // Inside a stream, so that inputs need no namespace of their own.
    std::string octets = "<stream xmlns='jabber:component:accept'>";
    octets.append(reinterpret_cast<const char*>(data), size);
    xml::StreamReader reader;
    for (const auto& event : reader.feed(octets)) {
        const auto* read = std::get_if<xml::StanzaRead>(&event);
        if (!read) continue;
        const auto stanza = xmpp::decode(read->stanza);
        if (!stanza) continue;
        const auto envelope = xmpp::decode_envelope(read->stanza);
        STOX_ASSERT(envelope && envelope.value().index() == stanza.value().index());
        const auto head = [](const auto& one) { return std::tie(one.from, one.to, one.id); };
        STOX_ASSERT(std::visit(head, envelope.value()) == std::visit(head, stanza.value()));
        xml::Limits wide;
        wide.stanza_octets = 64u << 20;
        wide.attributes *= 2;
        const auto again = xml::read_document(xml::write(xmpp::encode(stanza.value())), wide);
        STOX_ASSERT(again);
        const auto decoded = xmpp::decode(again.value());
        STOX_ASSERT(decoded && decoded.value() == stanza.value());
        if (const auto error = xmpp::make_error(stanza.value(), {})) STOX_ASSERT(!xmpp::make_error(*error, {}));
    }
    return 0;
}
