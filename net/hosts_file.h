#pragma once
// The host's own table of names (/etc/hosts) as a value. What stands there is not asked for in the DNS.

#include "net/dns.h"

#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace stox::net {

class HostsFile {
public:
    static constexpr std::size_t kMaxOctets = 1 << 20, kMaxNames = 10'000;

    HostsFile() = default;
    /// Reads what it can: a line without address, or a name that SIP does not use, is passed over, as is an address with a zone.
    /// text  at most kMaxOctets are read
    static HostsFile parse(std::string_view text);

    /// For A and AAAA of a name in the table, and for localhost in any case (RFC 6761 §6.3); `no_data` when the name stands there
    /// with the other family only. nullopt: ask the DNS.
    std::optional<Answer> answer(const Question& question) const;

private:
    std::unordered_map<std::string, std::vector<Address>> addresses_;  ///< by the text of the name
};

}  // namespace stox::net
