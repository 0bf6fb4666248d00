#include "mapping/presence/contact_priority.h"

#include "mapping/im/lines.h"

namespace stox::presence {

namespace {

constexpr int kHighest = 127;

}  // namespace

std::optional<std::string> to_contact_priority(std::int8_t priority) {
    if (priority < 0) return std::nullopt;
    if (priority == kHighest) return "1";
    if (priority == 0) return "0";
    const auto thousandths = std::to_string(priority * 1000 / kHighest);
    return "0." + std::string(3 - thousandths.size(), '0') + thousandths;
}

std::optional<std::int8_t> from_contact_priority(std::string_view text) {
    text = im::trim(text);
    const auto dot = std::min(text.find('.'), text.size());
    const auto whole = text.substr(0, dot), decimals = text.substr(std::min(dot + 1, text.size()));
    if ((whole != "0" && whole != "1") || decimals.size() > 3) return std::nullopt;
    int thousandths = whole == "1" ? 1000 : 0;
    for (int weight = 100; const char c : decimals) {
        if (c < '0' || c > '9') return std::nullopt;
        thousandths += (c - '0') * weight;
        weight /= 10;
    }
    if (thousandths > 1000) return std::nullopt;
    return static_cast<std::int8_t>((thousandths * kHighest + 500) / 1000);
}

}  // namespace stox::presence
