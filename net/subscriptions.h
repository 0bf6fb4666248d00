#pragma once
// Who wants to hear what, and what each has heard already.

#include "net/announcement.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>

namespace stox::net {

/// Each subscriber has its own past: it is told the difference between the last snapshot it was told of and the present one. So
/// what exists comes first, each change once, and nothing is lost however late it is told.
class Subscriptions {
public:
    using OnAnnouncement = std::function<void(const Announcement&)>;
    using Id = std::uint64_t;

    /// Nothing is called before deliver().
    Id add(Scope scope, OnAnnouncement on_announcement);
    /// Nothing is told after it, also when it is called by the subscriber while it is told. Again: nothing happens.
    void stop(Id id);
    /// A callback may add and stop any of them. It does not deliver.
    void deliver(const SnapshotPtr& snapshot);
    /// Whether deliver() would look at anything.
    bool due(const SnapshotPtr& snapshot) const;

    std::size_t size() const { return subscribers_.size(); }

private:
    struct Subscriber {
        Scope scope;
        std::shared_ptr<OnAnnouncement> on_announcement;  ///< shared: it lives while it is called
        SnapshotPtr seen = std::make_shared<const Snapshot>();
    };

    std::map<Id, Subscriber> subscribers_;
    Id last_id_ = 0;
};

/// Ends with its owner; stop() ends it before.
class Subscription {
public:
    Subscription() = default;
    Subscription(std::weak_ptr<Subscriptions> subscriptions, Subscriptions::Id id)
        : subscriptions_(std::move(subscriptions)), id_(id) {}
    Subscription(Subscription&& other) noexcept : subscriptions_(std::exchange(other.subscriptions_, {})), id_(other.id_) {}
    Subscription& operator=(Subscription&& other) noexcept {
        if (this == &other) return *this;
        stop();
        subscriptions_ = std::exchange(other.subscriptions_, {});
        id_ = other.id_;
        return *this;
    }
    ~Subscription() { stop(); }

    void stop() {
        if (const auto subscriptions = std::exchange(subscriptions_, {}).lock()) subscriptions->stop(id_);
    }

private:
    std::weak_ptr<Subscriptions> subscriptions_;
    Subscriptions::Id id_ = 0;
};

}  // namespace stox::net
