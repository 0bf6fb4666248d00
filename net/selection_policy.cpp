#include "net/selection_policy.h"

#include <algorithm>

namespace stox::net {

namespace {

constexpr unsigned kSiteLength = 48;                           // of ULAs and of 6to4
constexpr std::uint8_t kSitePrecedence = 45, kSiteLabel = 14;  // RFC 6724 §10.6, §10.7

/// The row for the site of an address that has the prefix of one.
std::optional<PolicyRow> site_row(const Address& address) {
    if (address.is_v4()) return std::nullopt;
    auto octets = address.octets();
    const bool unique_local = (octets[0] & 0xfe) == 0xfc;
    const bool six_to_four = octets[0] == 0x20 && octets[1] == 0x02;
    if (!unique_local && !six_to_four) return std::nullopt;
    std::fill(octets.begin() + kSiteLength / 8, octets.end(), std::uint8_t{0});
    return PolicyRow{{Address::v6(octets), kSiteLength}, kSitePrecedence, kSiteLabel};
}

PolicyTable with_site_rows(const PolicyTable& table, std::span<const Address> own) {
    auto rows = table.rows();
    for (const auto& address : own) {
        const auto row = site_row(address);
        if (row && std::ranges::find(rows, row->prefix, &PolicyRow::prefix) == rows.end()) rows.push_back(*row);
    }
    return PolicyTable(std::move(rows));
}

}  // namespace

SelectionPolicy selection_policy(const ConfiguredPolicy& configured, const std::optional<AddressSelectionOption>& received,
                                 std::span<const Address> own) {
    const bool use_received = received && received->table && (!configured.table || configured.received_overrides);
    SelectionPolicy policy{use_received ? *received->table : configured.table.value_or(PolicyTable::standard()),
                           configured.prefer_temporary && (!received || received->prefer_temporary)};
    const bool forbidden = received && (received->table ? use_received : !received->automatic_rows);
    if (configured.automatic_rows && !forbidden) policy.table = with_site_rows(policy.table, own);
    return policy;
}

}  // namespace stox::net
