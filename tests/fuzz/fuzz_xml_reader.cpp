// Any octets as a stream: fed at once and octet by octet they give the same events, and each element that was read is
// written and read again as the same element.

#include "mapping/core/assert.h"
#include "mapping/xml/reader.h"
#include "mapping/xml/writer.h"

#include <cstddef>
#include <cstdint>

namespace {

using namespace stox;

void check_round_trip(const xml::Element& element) {
    // Namespaces that are declared anew may take more room than they came in.
    xml::Limits wide;
    wide.stanza_octets = 64u << 20;
    wide.attributes *= 2;
    const auto again = xml::read_document(xml::write(element), wide);
    STOX_ASSERT(again && again.value() == element);
}

const xml::Element* element_of(const xml::StreamEvent& event) {
    if (const auto* opened = std::get_if<xml::StreamOpened>(&event)) return &opened->header;
    if (const auto* read = std::get_if<xml::StanzaRead>(&event)) return &read->stanza;
    return nullptr;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view octets(reinterpret_cast<const char*>(data), size);
    xml::StreamReader whole, pieces;
    const auto at_once = whole.feed(octets);
    std::vector<xml::StreamEvent> events;
    bool failed = false;
    for (std::size_t i = 0; i < size && !failed; ++i) {
        auto read = pieces.feed(octets.substr(i, 1));
        if (!read)
            failed = true;
        else
            for (auto& event : read.value()) events.push_back(std::move(event));
    }
    STOX_ASSERT(failed != at_once.has_value());
    if (!failed) {
        STOX_ASSERT(events.size() == at_once.value().size());
        for (std::size_t i = 0; i < events.size(); ++i) {
            const auto *one = element_of(events[i]), *other = element_of(at_once.value()[i]);
            STOX_ASSERT(events[i].index() == at_once.value()[i].index());
            STOX_ASSERT((one == nullptr) == (other == nullptr) && (!one || *one == *other));
            if (one) check_round_trip(*one);
        }
    }
    if (const auto document = xml::read_document(octets)) check_round_trip(document.value());
    return 0;
}
