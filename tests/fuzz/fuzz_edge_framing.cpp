// Framing of streams and datagrams: where the octets are cut does not matter, and what comes out is bounded and frames as itself.

#include "mapping/core/assert.h"
#include "sip/edge/framer.h"

#include <cstdint>
#include <vector>

namespace {

using namespace stox::sip;

Limits small() {
    Limits limits;
    limits.header_octets = 512;
    limits.body_octets = 256;
    limits.headers = 16;
    limits.via_values = limits.route_values = 4;
    return limits;
}

std::vector<Framed> framed(std::string_view stream, std::size_t piece) {
    StreamFramer framer(small());
    std::vector<Framed> all;
    while (!stream.empty()) {
        framer.append(stream.substr(0, piece));
        stream.remove_prefix(std::min(piece, stream.size()));
        while (auto next = framer.next()) all.push_back(std::move(*next));
    }
    return all;
}

bool same(const Framed& a, const Framed& b) {
    if (a.index() != b.index()) return false;
    const auto* text = std::get_if<std::string>(&a);
    return !text || *text == std::get<std::string>(b);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::size_t piece = data[0] % 32 + 1u;
    const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto whole = framed(stream, stream.size() + 1), cut = framed(stream, piece);
    STOX_ASSERT(whole.size() == cut.size());
    for (std::size_t i = 0; i < whole.size(); ++i) {
        STOX_ASSERT(same(whole[i], cut[i]));
        STOX_ASSERT(!std::holds_alternative<Violation>(whole[i]) || i + 1 == whole.size());
        const auto* text = std::get_if<std::string>(&whole[i]);
        if (!text) continue;
        STOX_ASSERT(text->size() <= small().header_octets + small().body_octets + 2);
        const auto again = framed(*text, 7);
        STOX_ASSERT(again.size() == 1 && same(again.front(), whole[i]));
    }
    std::string_view octets = stream;
    if (judge_datagram(octets, small()) == Datagram::message) {
        std::string_view once_more = octets;
        STOX_ASSERT(judge_datagram(once_more, small()) == Datagram::message && once_more == octets);
    }
    return 0;
}
