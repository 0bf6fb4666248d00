// Any octets as a stream, under the limits we have and under narrow ones that small inputs can exceed:
// - fed at once, octet by octet and cut anywhere they give the same events, a fault with all that came before it;
// - behind a stanza, read or refused, and behind any header that was read, the next stanza is read: only a fault ends the
//   stream, and it is the last event;
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

const Error* error_of(const xml::StreamEvent& event) {
    if (const auto* refused = std::get_if<xml::StanzaRefused>(&event)) return &refused->why;
    if (const auto* fault = std::get_if<xml::StreamFault>(&event)) return &fault->why;
    return nullptr;
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
    for (const char octet : octets) {
        auto made = reader.feed({&octet, 1});
        if (!made.empty() && !is_end(made.back())) check_the_next_is_read(reader);
        const auto without = allocated();
        for (auto& event : made) events.push_back(std::move(event));
        of_events += allocated() - without;
    }
    // A parser with the header around it, a stanza, a head.
    STOX_ASSERT(allocated() < before + (1u << 20) + 64 * limits.stanza_octets + 64 * octets.size() + of_events);
    return events;
}

/// Pieces whose sizes the octets themselves give.
std::vector<xml::StreamEvent> cut_anywhere(std::string_view octets, xml::Limits limits) {
    xml::StreamReader reader(limits);
    std::vector<xml::StreamEvent> events;
    for (std::size_t sum = octets.size(); !octets.empty();) {
        sum = sum * 31 + static_cast<unsigned char>(octets.front());
        const auto piece = octets.substr(0, 1 + sum % 61);
        octets.remove_prefix(piece.size());
        for (auto& event : reader.feed(piece)) events.push_back(std::move(event));
    }
    return events;
}

void check_same(const std::vector<xml::StreamEvent>& some, const std::vector<xml::StreamEvent>& others) {
    STOX_ASSERT(some.size() == others.size());
    for (std::size_t i = 0; i < some.size(); ++i) {
        STOX_ASSERT(some[i].index() == others[i].index());
        const auto *one = element_of(some[i]), *other = element_of(others[i]);
        STOX_ASSERT(!one || *one == *other);
        const auto *why = error_of(some[i]), *because = error_of(others[i]);
        STOX_ASSERT(!why || *why == *because);
    }
}

void check(std::string_view octets, xml::Limits limits) {
    const auto at_once = xml::StreamReader(limits).feed(octets);
    check_same(at_once, octet_by_octet(octets, limits));
    check_same(at_once, cut_anywhere(octets, limits));
    for (std::size_t i = 0; i < at_once.size(); ++i) {
        const auto* one = element_of(at_once[i]);
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
