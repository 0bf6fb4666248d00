#include "mapping/presence/accept.h"

#include "mapping/im/lines.h"
#include "mapping/presence/pidf.h"
#include "mapping/sip/header_values.h"

#include <algorithm>
#include <array>
#include <optional>

namespace stox::presence {

namespace {

constexpr std::array<std::string_view, 3> kRanges{kPidfType, "application/*", "*/*"};  // the nearest first

/// Cuts off what stands before the next comma; one in quotes parts nothing, nor does what a backslash stands before there.
std::string_view take_range(std::string_view& rest) {
    bool quoted = false;
    std::size_t end = 0;
    for (; end < rest.size() && (quoted || rest[end] != ','); ++end) {
        if (rest[end] == '"') quoted = !quoted;
        if (quoted && rest[end] == '\\') ++end;
    }
    end = std::min(end, rest.size());
    const auto range = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return range;
}

bool is_refused(const sip::ParameterizedValue& range) {
    const auto* q = range.parameter("q");
    return q && q->value && q->value->starts_with('0') && q->value->find_first_not_of("0.") == std::string::npos;
}

}  // namespace

bool accepts_pidf(const sip::Request& subscribe) {
    bool any = false;
    std::array<std::optional<bool>, kRanges.size()> taken;
    for (const auto& header : subscribe.headers) {
        if (!sip::same_token(header.name, "Accept")) continue;
        any = true;
        for (std::string_view rest = header.value; !rest.empty();) {
            const auto range = sip::read_parameterized(im::trim(take_range(rest)));
            if (!range) continue;
            for (std::size_t i = 0; i < kRanges.size(); ++i)
                if (im::same_word(range.value().value, kRanges[i])) taken[i] = !is_refused(range.value());
        }
    }
    if (!any) return true;
    const auto* nearest = std::ranges::find_if(taken, [](const auto& one) { return one.has_value(); });
    return nearest != taken.end() && **nearest;
}

}  // namespace stox::presence
