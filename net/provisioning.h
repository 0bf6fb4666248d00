#pragma once
// From what sources report to what a node knows: changes in, snapshots out. No socket, no clock, no callback.

#include "net/element_store.h"
#include "net/node_policy.h"
#include "net/snapshot.h"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace stox::net {

class Provisioning {
public:
    explicit Provisioning(NodePolicy policy);

    /// One batch of a source. The snapshot is that after all of it.
    void apply(std::string_view source, std::span<const Change> changes, TimePoint now);
    /// When next_timeout() is due: what has ended is gone, what is about to is marked.
    void on_time(TimePoint now);
    std::optional<TimePoint> next_timeout() const { return next_timeout_; }
    /// What the operator says from now on. Handles stay where the domain is the same.
    void set_policy(NodePolicy policy, TimePoint now);

    /// Never null; the same one while nothing changes.
    const SnapshotPtr& snapshot() const { return snapshot_; }
    std::size_t dropped() const { return store_.dropped(); }  ///< elements, for a limit

private:
    struct Attached {
        PvdRef ref;
        std::map<int, std::uint64_t> attachments;  ///< of its interfaces
    };

    void rebuild(TimePoint now);
    PvdRef ref_of(const std::string& key, const std::map<int, std::uint64_t>& attachments, std::map<std::string, Attached>& kept);

    NodePolicy policy_;
    ElementStore store_;
    std::map<std::string, Attached> attached_;  ///< by the key of net/assignment.h
    std::uint32_t last_ref_ = 0;
    SnapshotPtr snapshot_ = std::make_shared<const Snapshot>();
    std::optional<TimePoint> next_timeout_;
};

}  // namespace stox::net
