// Any octets as a stream, under the limits we have and under narrow ones that small inputs can exceed:
// - fed at once and octet by octet they give the same events, a fault with all that came before it;
// - behind a stanza, read or refused, the next one is read: only a fault ends the stream, and it is the last event;
// - what is held does not grow with what comes;
// - each element that was read is written and read again as the same element.

#include "mapping/core/assert.h"
#include "mapping/xml/reader.h"
#include "mapping/xml/writer.h"

#include <cstddef>
#include <cstdint>

#if defined(__SANITIZE_ADDRESS__)
#define STOX_COUNTS_MEMORY
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define STOX_COUNTS_MEMORY
#endif
#endif

// GCC has no header for it.
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();

namespace {

using namespace stox;

std::size_t allocated() {
#ifdef STOX_COUNTS_MEMORY
    return __sanitizer_get_current_allocated_bytes();
#else
    return 0;
#endif
}

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
    if (const auto* refused = std::get_if<xml::StanzaRefused>(&event)) return &refused->head;
    return nullptr;
}

bool is_stanza(const xml::StreamEvent& event) {
    return std::holds_alternative<xml::StanzaRead>(event) || std::holds_alternative<xml::StanzaRefused>(event);
}

bool is_end(const xml::StreamEvent& event) {
    return std::holds_alternative<xml::StreamClosed>(event) || std::holds_alternative<xml::StreamFault>(event);
}

void check_the_next_is_read(xml::StreamReader& reader) {
    const auto events = reader.feed(" <next/>");
    STOX_ASSERT(events.size() == 1 && std::get<xml::StanzaRead>(events.front()).stanza.name == "next");
}

std::vector<xml::StreamEvent> octet_by_octet(std::string_view octets, xml::Limits limits) {
    const auto before = allocated();
    xml::StreamReader reader(limits);
    std::vector<xml::StreamEvent> events;
    std::size_t of_events = 0;
    for (const char octet : octets)
        for (auto& event : reader.feed({&octet, 1})) {
            if (is_stanza(event)) check_the_next_is_read(reader);
            const auto without = allocated();
            events.push_back(std::move(event));
            of_events += allocated() - without;
        }
    // A parser with the header around it, a stanza, a head.
    STOX_ASSERT(allocated() < before + (1u << 20) + 64 * limits.stanza_octets + 64 * octets.size() + of_events);
    return events;
}

void check(std::string_view octets, xml::Limits limits) {
    const auto at_once = xml::StreamReader(limits).feed(octets);
    const auto pieces = octet_by_octet(octets, limits);
    STOX_ASSERT(at_once.size() == pieces.size());
    for (std::size_t i = 0; i < at_once.size(); ++i) {
        const auto *one = element_of(at_once[i]), *other = element_of(pieces[i]);
        STOX_ASSERT(at_once[i].index() == pieces[i].index());
        STOX_ASSERT((one == nullptr) == (other == nullptr) && (!one || *one == *other));
        STOX_ASSERT(!is_end(at_once[i]) || i + 1 == at_once.size());
        if (one && !one->name.empty()) check_round_trip(*one);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view octets(reinterpret_cast<const char*>(data), size);
    xml::Limits narrow;
    narrow.stanza_octets = 200;
    narrow.depth = narrow.attributes = narrow.children = 4;
    check(octets, {});
    check(octets, narrow);
    if (const auto document = xml::read_document(octets)) check_round_trip(document.value());
    return 0;
}
