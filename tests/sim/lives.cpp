// How an engine begins and ends: with what is on the disk, killed, or stopped.

#include "plugin/engine/drain.h"
#include "tests/sim/broken.h"
#include "tests/sim/world.h"

namespace stox::sim {

namespace {

IdGenerator seeded_ids(std::uint64_t seed) {
    return IdGenerator([random = std::mt19937_64(seed)](std::span<std::uint8_t> wanted) mutable {
        for (auto& octet : wanted) octet = static_cast<std::uint8_t>(random());
    });
}

}  // namespace

void World::start() {
    ++life_;
    note("start, " + std::to_string(disk_.size()) + " kept");
    if (probing_over_) options_.peers.front().probe = false;
    engine_.emplace(options_, seeded_ids(seed_ * 1'000 + life_));
    imdn_contacts_.clear();
    disk_.begin_life();
    feed(engine::Restored{disk_.records()});
    // Store equals memory: every record is counted on, or its erasure is under way already.
    std::size_t counted = 0;
    engine_->for_each_record([&](engine::Collection collection, const std::string& key) {
        if (collection == engine::Collection::inbox || collection == engine::Collection::outbox) ++counted;
        require(disk_.holds({collection, key}), "restored and not on the disk", key);
    });
    const auto kept = to_xmpp_disk().size() + to_sip_disk().size();  // one of each, should a failed commit have left another
    require(counted == kept, "not restored", std::to_string(kept));
    after(delay(200), [this] { stream_up(); });
}

void World::end_life() {
    engine_.reset();
    ++life_;
    stopping_since_.reset();
    in_progress_ = locating_ = 0;
    asked_.clear();
    strays_.clear();
    for (auto& [call_id, phone] : phones_) phone.asks = false;
    for (auto& [call_id, notifier] : notifiers_) notifier.notifies = false;
    written_to_disk_until_ = now_;
    up_ = false;
    ++stream_;
    to_xmpp_.crashed(to_xmpp_disk());
    to_sip_.crashed(to_sip_disk());
    after(Milliseconds(20) + delay(3'000), [this] { start(); });
}

void World::crash() {
    if (!engine_) return;
    note("crash");
    ++counts_.crashes;
    disk_.crash(random_);
    end_life();
}

void World::stop() {
    if (!engine_ || stopping_since_) return;
    note("stop");
    ++counts_.stops;
    stopping_since_ = now_;
    feed(engine::Shutdown{chance(30) ? engine::Shutdown::Why::removed : engine::Shutdown::Why::stop});
}

void World::go_if_drained() {
    if (!stopping_since_ || !engine_->drained()) return;
    note("drained");
    if (up_ && now_ < *stopping_since_ + engine::kDrain) {
        to_xmpp_.stopped(to_xmpp_disk());
        to_sip_.stopped(to_sip_disk());
    }
    end_life();
}

void World::disk_fills() {
    note("disk full");
    disk_.set_full(true);
    after(delay(2'000), [this] {
        note("disk has room");
        disk_.set_full(false);
    });
}

}  // namespace stox::sim
