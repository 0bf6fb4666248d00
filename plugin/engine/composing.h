#pragma once
// Contacts on the SIP side who are writing: each until its time is over without a word, a message, or an end.   (RFC 3994 §3.3)

#include "mapping/xmpp/jid.h"
#include "plugin/engine/engine.h"

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace stox::engine {

class Composing {
public:
    static constexpr std::size_t kAtOnce = 10'000;  ///< beyond that nobody else is seen writing

    struct Pair {
        xmpp::Jid contact, user;
        friend auto operator<=>(const Pair&, const Pair&) = default;
    };

    /// False: too many are.
    bool begin(const Pair& pair, TimePoint until) {
        if (!until_.contains(pair) && until_.size() >= kAtOnce) return false;
        end(pair);
        until_.emplace(pair, until);
        by_time_.emplace(until, pair);
        return true;
    }
    bool holds(const Pair& pair) const { return until_.contains(pair); }
    /// Whether they were.
    bool end(const Pair& pair) {
        const auto found = until_.find(pair);
        if (found == until_.end()) return false;
        by_time_.erase({found->second, pair});
        until_.erase(found);
        return true;
    }
    /// Those whose time is over; they are no longer.
    std::vector<Pair> take_lapsed(TimePoint now) {
        std::vector<Pair> lapsed;
        while (!by_time_.empty() && by_time_.begin()->first <= now) {
            lapsed.push_back(by_time_.begin()->second);
            end(Pair(lapsed.back()));
        }
        return lapsed;
    }
    std::optional<TimePoint> next_timeout() const {
        return by_time_.empty() ? std::nullopt : std::optional(by_time_.begin()->first);
    }

private:
    std::map<Pair, TimePoint> until_;
    std::set<std::pair<TimePoint, Pair>> by_time_;
};

}  // namespace stox::engine
