#pragma once
// The store of the simulated world: commits reach it one after the other, and a crash leaves what had reached it.

#include "plugin/engine/engine.h"

#include <deque>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace stox::sim {

class Disk {
public:
    using Place = std::pair<engine::Collection, std::string>;

    /// What becomes of the oldest commit that has not reached the disk, which is this one.
    engine::Committed commit(const engine::Commit& commit);
    /// Of commits that failed, a crash decides.
    void crash(std::mt19937_64& random);
    /// Another engine reads it.
    void begin_life() {
        for (auto& record : records_) ++record.lives;
    }
    void set_full(bool full) { full_ = full; }
    bool is_full() const { return full_; }

    const std::vector<engine::Record>& records() const { return records_; }
    bool holds(const Place& place) const { return places_.contains(place); }
    /// The names of the messages in it that the server does not have.
    std::set<std::string> names(engine::Collection collection) const;
    std::size_t size() const { return records_.size(); }

private:
    void apply(const engine::Commit& commit);

    bool full_ = false;
    std::vector<engine::Record> records_;
    std::set<Place> places_;
    std::vector<engine::Commit> undecided_;  ///< failed after the last success
};

/// There for copies of its request alone.
bool is_delivered(const engine::Record& record);
/// What the world calls what is in that row: a message from SIP by its text, from XMPP by its id; of presence who watches whom.
std::string name_of(const engine::Record& record);

}  // namespace stox::sim
