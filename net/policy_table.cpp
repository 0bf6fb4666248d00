#include "net/policy_table.h"

#include "mapping/core/assert.h"
#include "net/address_scope.h"

#include <array>
#include <optional>
#include <string_view>

namespace stox::net {

namespace {

struct StandardRow {
    std::string_view prefix;
    std::uint8_t precedence, label;
};

constexpr std::array kStandard{
    StandardRow{"::1/128", 50, 0},       StandardRow{"::/0", 40, 1},     StandardRow{"::ffff:0:0/96", 35, 4},
    StandardRow{"2002::/16", 30, 2},     StandardRow{"2001::/32", 5, 5}, StandardRow{"fc00::/7", 3, 13},
    StandardRow{"::/96", 1, 3},          StandardRow{"fec0::/10", 1, 11}, StandardRow{"3ffe::/16", 1, 12},
};

/// Of the mapped form.
unsigned length_of(const Prefix& prefix) { return prefix.length + (prefix.address.is_v4() ? 96U : 0U); }

}  // namespace

const PolicyTable& PolicyTable::standard() {
    static const PolicyTable table = [] {
        std::vector<PolicyRow> rows;
        for (const auto& row : kStandard) {
            auto prefix = Prefix::parse(row.prefix);
            STOX_ASSERT(prefix);
            rows.push_back({prefix.value(), row.precedence, row.label});
        }
        return PolicyTable(std::move(rows));
    }();
    return table;
}

PolicyRow PolicyTable::find(const Address& address) const {
    constexpr std::uint8_t kNoLabel = 255;
    const PolicyRow* best = nullptr;
    for (const auto& row : rows_) {
        if (common_bits(row.prefix.address, address) < length_of(row.prefix)) continue;
        if (!best || length_of(row.prefix) > length_of(best->prefix)) best = &row;
    }
    return best ? *best : PolicyRow{{}, 0, kNoLabel};
}

}  // namespace stox::net
