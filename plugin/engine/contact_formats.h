#pragma once
// What the clients of contacts on the SIP side take and refuse, as far as they have shown it.   (IM-15, IM-45)

#include "mapping/xmpp/jid.h"
#include "plugin/engine/engine.h"

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <utility>

namespace stox::engine {

enum class Habit {
    refuses_wrapping,   ///< message/cpim, with which receipts are asked for and sent
    refuses_composing,  ///< application/im-iscomposing+xml
    sends_composing,
};

class ContactFormats {
public:
    static constexpr std::chrono::hours kRemembered{24};  ///< since it was last seen
    static constexpr std::size_t kHabits = 10'000;        ///< the one longest not seen is forgotten first

    void learn(const xmpp::Jid& contact, Habit habit, TimePoint now) {
        const Name name{contact.bare(), habit};
        auto& seen = known_[name];
        seen = {now, ++last_number_};
        order_.push_back({seen.number, name});
        while (known_.size() > kHabits || order_.size() > 4 * kHabits) forget_oldest();
    }
    bool has(const xmpp::Jid& contact, Habit habit, TimePoint now) const {
        const auto known = known_.find({contact.bare(), habit});
        return known != known_.end() && now < known->second.at + kRemembered;
    }

private:
    using Name = std::pair<xmpp::Jid, Habit>;
    struct Seen {
        TimePoint at;
        std::uint64_t number;  ///< of its newest place in order_
    };

    void forget_oldest() {
        const auto [number, name] = std::move(order_.front());
        order_.pop_front();
        const auto known = known_.find(name);
        if (known != known_.end() && known->second.number == number) known_.erase(known);
    }

    std::map<Name, Seen> known_;
    std::deque<std::pair<std::uint64_t, Name>> order_;
    std::uint64_t last_number_ = 0;
};

}  // namespace stox::engine
