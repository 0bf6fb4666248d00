#pragma once
// Localparts that could be taken for others: told to the operator, each once in a while.   (CORE-73)

#include "mapping/scripts.h"
#include "plugin/engine/log.h"
#include "plugin/engine/turn.h"

#include <deque>
#include <set>
#include <string>

namespace stox::engine {

class OddNames {
public:
    static constexpr std::size_t kCapacity = 1'000;  ///< names that were told; after that many others one is told again

    /// One line when `author` of a message has such a name and it was not told already.
    void look_at(const xmpp::Jid& author, Actions& out) {
        if (!is_confusable(author.local)) return;
        const xmpp::Jid bare{author.local, author.domain, {}};
        if (!told_.insert(bare.to_string()).second) return;
        order_.push_back(bare.to_string());
        if (order_.size() > kCapacity) {
            told_.erase(order_.front());
            order_.pop_front();
        }
        out.push_back(line(Level::info, {}, "name that could be taken for another", {{"from", bare.to_string()}}));
    }

private:
    std::set<std::string> told_;
    std::deque<std::string> order_;
};

}  // namespace stox::engine
