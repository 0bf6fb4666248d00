// Any XML as an ad-hoc command and as a data form: what decodes is encoded, written, read and decoded to the same value.

#include "mapping/core/assert.h"
#include "mapping/xml/reader.h"
#include "mapping/xml/writer.h"
#include "mapping/xmpp/adhoc.h"

#include <cstddef>
#include <cstdint>

namespace {

using namespace stox;

/// What is escaped is longer than what came.
xml::Element read_again(const xml::Element& element) {
    xml::Limits wide;
    wide.stanza_octets = 64u << 20;
    const auto again = xml::read_document(xml::write(element), wide);
    STOX_ASSERT(again);
    return again.value();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto element = xml::read_document({reinterpret_cast<const char*>(data), size});
    if (!element) return 0;
    if (const auto form = xmpp::decode_data_form(element.value())) {
        const auto again = xmpp::decode_data_form(read_again(xmpp::encode(form.value())));
        STOX_ASSERT(again && again.value() == form.value());
    }
    if (const auto command = xmpp::decode_command(element.value())) {
        STOX_ASSERT(!command.value().node.empty());
        const auto again = xmpp::decode_command(read_again(xmpp::encode(command.value())));
        STOX_ASSERT(again && again.value() == command.value());
    }
    return 0;
}
