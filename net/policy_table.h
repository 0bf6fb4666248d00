#pragma once
// The policy table of address selection, one per provisioning domain.   (RFC 6724 §2.1, RFC 7078 §3.3)

#include "mapping/core/endpoint.h"

#include <cstdint>
#include <vector>

namespace stox::net {

struct PolicyRow {
    Prefix prefix;  ///< an IPv4 prefix stands for the IPv4-mapped one: 0.0.0.0/0 is ::ffff:0:0/96
    std::uint8_t precedence = 0;
    std::uint8_t label = 0;
    friend bool operator==(const PolicyRow&, const PolicyRow&) = default;
};

class PolicyTable {
public:
    PolicyTable() = default;
    explicit PolicyTable(std::vector<PolicyRow> rows) : rows_(std::move(rows)) {}
    /// The table of RFC 6724 §2.1.
    static const PolicyTable& standard();

    /// The row of the longest prefix that holds the address; without one precedence 0 and label 255, which no row has by itself.
    PolicyRow find(const Address& address) const;
    const std::vector<PolicyRow>& rows() const { return rows_; }
    friend bool operator==(const PolicyTable&, const PolicyTable&) = default;

private:
    std::vector<PolicyRow> rows_;
};

}  // namespace stox::net
