#pragma once
// A map that forgets the entry longest not written when it is full.

#include "mapping/core/assert.h"

#include <cstddef>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace stox::engine {

template <class Value>
class LruMap {
public:
    /// most   entries, at least one
    explicit LruMap(std::size_t most) : most_(most) { STOX_ASSERT(most > 0); }

    /// Null: not there.
    const Value* find(std::string_view key) const {
        const auto found = places_.find(key);
        return found == places_.end() ? nullptr : &found->second->second;
    }
    /// The value of that key to be written, a new one where there was none.
    Value& operator[](std::string_view key) {
        if (const auto found = places_.find(key); found != places_.end()) {
            entries_.splice(entries_.begin(), entries_, found->second);
            return found->second->second;
        }
        if (entries_.size() == most_) {
            places_.erase(entries_.back().first);
            entries_.pop_back();
        }
        entries_.emplace_front(std::string(key), Value{});
        places_.emplace(entries_.front().first, entries_.begin());
        return entries_.front().second;
    }
    void erase(std::string_view key) {
        const auto found = places_.find(key);
        if (found == places_.end()) return;
        const auto entry = found->second;
        places_.erase(found);
        entries_.erase(entry);
    }
    void clear() {
        places_.clear();
        entries_.clear();
    }
    std::size_t size() const { return entries_.size(); }

    LruMap(LruMap&&) noexcept = default;
    LruMap& operator=(LruMap&&) noexcept = default;

private:
    using Entries = std::list<std::pair<std::string, Value>>;

    std::size_t most_;
    Entries entries_;                                                          ///< the one written last is the first
    std::map<std::string_view, typename Entries::iterator, std::less<>> places_;  ///< keys are the entries' own
};

}  // namespace stox::engine
