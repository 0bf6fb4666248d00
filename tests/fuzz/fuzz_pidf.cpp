// Any octets as a PIDF document. What is read is bounded, becomes stanzas, and is written and read as the same; so is any text as
// a resource and as a status.

#include "mapping/core/assert.h"
#include "mapping/presence/pidf.h"
#include "mapping/presence/tuple_id.h"
#include "mapping/presence/xmpp.h"
#include "mapping/xml/reader.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>

namespace {

using namespace stox;
using namespace stox::presence;

constexpr UtcTime kNow{std::chrono::seconds(1'772'366'400)};
const PidfSubject kSubject{"pres:juliet@example.com", sip::Uri::parse("sip:juliet@example.com").value()};

/// What the writer cannot say, or says as the time of the document.
Presentity as_written(Presentity presentity) {
    auto& all = presentity.resources;
    std::erase_if(all, [](const ResourcePresence& one) { return one.availability == Availability::unknown; });
    if (all.empty()) all.push_back({{}, Availability::unavailable});
    if (!all.front().is_available()) all.resize(1);
    for (auto& one : all) {
        const auto whole = std::chrono::floor<std::chrono::seconds>(one.since.value_or(kNow));
        one.since = std::min(UtcTime(whole), kNow);
    }
    return presentity;
}

void check_bounds(const Presentity& presentity) {
    STOX_ASSERT(presentity.resources.size() <= kMaxResources);
    std::set<std::string> names;
    for (const auto& one : presentity.resources) {
        STOX_ASSERT(names.insert(one.resource).second && one.resource.size() <= 1'023);
        STOX_ASSERT(one.statuses.size() <= kMaxStatuses);
        for (const auto& status : one.statuses) STOX_ASSERT(!status.text.empty() && status.text.size() <= kMaxStatus_octets);
        STOX_ASSERT(one.is_available() || (!one.show && !one.priority));
    }
}

void check_stanzas(const Presentity& presentity) {
    for (const auto& one : presentity.resources) {
        const auto stanza = write_presence(one, {"romeo", "example.net", {}}, {"juliet", "example.com", {}}, kNow);
        STOX_ASSERT(stanza.has_value() == (one.availability != Availability::unknown));
        if (!stanza) continue;
        auto again = read_presence(*stanza);
        STOX_ASSERT(again && again->statuses == one.statuses && again->show == one.show && again->priority == one.priority);
    }
}

void check_round_trip(const Presentity& presentity) {
    const auto expected = as_written(presentity);
    const auto written = write_pidf(presentity, kSubject, kNow);
    const auto again = read_pidf(written.document, expected.resources[0].lang, kNow);
    STOX_ASSERT(again && !again.value().left_out && again.value().entity == kSubject.entity);
    STOX_ASSERT(written.left_out || again.value().presentity == expected);
    const auto next = write_pidf(presentity, kSubject, kNow, written.stamp);
    STOX_ASSERT(next.stamp > written.stamp && read_pidf(next.document, "", kNow));
}

/// A text of anybody changes nothing around it.
void check_injection(std::string_view text) {
    STOX_ASSERT(tuple_resource(tuple_id(text)) == text);
    Presentity presentity{{{std::string(text)}, {"other", Availability::available, Show::xa}}};
    add_status(presentity.resources[0].statuses, text, "", "");
    add_status(presentity.resources[1].statuses, text, "en", "");
    const auto written = write_pidf(presentity, {std::string(text), kSubject.contact}, kNow);
    if (written.left_out) return;
    const auto document = xml::read_document(written.document);
    STOX_ASSERT(document && document.value().children.size() == (text == "other" ? 1u : 2u));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view octets(reinterpret_cast<const char*>(data), size);
    for (const auto* language : {"", "en"})
        if (const auto pidf = read_pidf(octets, language, kNow)) {
            check_bounds(pidf.value().presentity);
            check_stanzas(pidf.value().presentity);
            check_round_trip(pidf.value().presentity);
        }
    check_injection(octets);
    return 0;
}
