#include "net/subscriptions.h"

#include <utility>
#include <vector>

namespace stox::net {

Subscriptions::Id Subscriptions::add(Scope scope, OnAnnouncement on_announcement) {
    const auto id = ++last_id_;
    subscribers_.emplace(id, Subscriber{scope, std::make_shared<OnAnnouncement>(std::move(on_announcement))});
    return id;
}

void Subscriptions::stop(Id id) { subscribers_.erase(id); }

void Subscriptions::deliver(const SnapshotPtr& snapshot) {
    std::vector<Id> ids;
    for (const auto& [id, subscriber] : subscribers_) ids.push_back(id);
    for (const auto id : ids) {
        auto subscriber = subscribers_.find(id);
        if (subscriber == subscribers_.end() || subscriber->second.seen == snapshot) continue;
        const auto before = std::exchange(subscriber->second.seen, snapshot);
        for (const auto& announcement : diff(*before, *snapshot)) {
            if (!in_scope(announcement, subscriber->second.scope)) continue;
            const auto call = subscriber->second.on_announcement;
            (*call)(announcement);
            subscriber = subscribers_.find(id);
            if (subscriber == subscribers_.end()) break;
        }
    }
}

bool Subscriptions::due(const SnapshotPtr& snapshot) const {
    for (const auto& [id, subscriber] : subscribers_)
        if (subscriber.seen != snapshot) return true;
    return false;
}

}  // namespace stox::net
