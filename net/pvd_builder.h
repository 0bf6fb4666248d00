#pragma once
// Puts one provisioning domain together from its elements, and from nothing else.

#include "net/assignment.h"

#include <chrono>
#include <cstdint>
#include <map>

namespace stox::net {

class PvdBuilder {
public:
    explicit PvdBuilder(const Membership& member);

    /// An element of this domain that holds.
    void add(const Element& element);
    bool hidden() const { return policy_ && policy_->hidden; }
    /// attachments  the interfaces of the domain
    /// notice       so long before its end an address counts as ending
    Pvd build(PvdRef ref, const std::map<int, std::uint64_t>& attachments, std::chrono::seconds notice, TimePoint now);

private:
    void add_resolvers();
    void drop_claims();
    void add_configured_rules();

    Pvd pvd_;
    const PvdPolicy* policy_;  ///< of the configuration, which outlives this
    std::optional<ReceivedPolicy> received_;
};

}  // namespace stox::net
