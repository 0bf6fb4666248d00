#pragma once
// Where the node learns of its networks: netlink, a file, the configuration, a recording in a test.

#include "net/change.h"

#include <optional>
#include <string_view>
#include <vector>

namespace stox::net {

/// Nothing in it blocks, and it calls nobody back.
class Source {
public:
    virtual ~Source() = default;
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;

    /// Whose elements these are; two sources of a node have different names.
    virtual std::string_view name() const = 0;
    /// Readable when read() has something; the same one while the source lives. -1: read() is due by deadline() alone.
    virtual int descriptor() const { return -1; }
    virtual std::optional<TimePoint> deadline() const { return std::nullopt; }
    /// What changed since the last call, in order; one batch, which becomes one snapshot. Empty: nothing for now.
    virtual std::vector<Change> read(TimePoint now) = 0;

protected:
    Source() = default;
};

}  // namespace stox::net
