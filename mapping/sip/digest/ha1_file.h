#pragma once
// Files that hold H(A1) instead of passwords: lines user:realm:ALGORITHM:hex.

#include "mapping/sip/digest/client.h"

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace stox::sip::digest {

class Ha1Table {
public:
    /// Lines that are blank or begin with # are passed over. A user has no colon, a realm may; ALGORITHM is MD5, SHA-256 or
    /// SHA-512-256.
    /// errors  malformed, unsupported: the detail names the number of the line and quotes nothing of it; too_large: over 16 MiB
    ///         or 100,000 entries
    static Result<Ha1Table> parse(std::string_view text);

    /// Lower-case hex.
    std::optional<std::string> find(std::string_view user, std::string_view realm, Algorithm algorithm) const;
    /// All of one user, for a Login; in no order.
    std::vector<Ha1> of(std::string_view user) const;
    std::size_t size() const { return entries_.size(); }

private:
    struct Entry {
        std::string user;
        Ha1 ha1;
    };
    std::unordered_map<std::string, Entry> entries_;
};

}  // namespace stox::sip::digest
