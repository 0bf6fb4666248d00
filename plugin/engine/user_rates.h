#pragma once
// How much one user asks for, so that nobody uses up what is there for all of a domain.   (CORE-71)

#include "plugin/engine/token_bucket.h"

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace stox::engine {

class UserRates {
public:
    using TimePoint = TokenBucket::TimePoint;
    static constexpr std::size_t kCapacity = 20'000;  ///< users; whoever came first is forgotten first

    /// per_second  0: no limit
    void configure(unsigned per_second) {
        if (per_second != per_second_) *this = {};
        per_second_ = per_second;
    }

    /// user  whatever tells them apart; a domain's XMPP and SIP users never have the same
    bool take(const std::string& user, TimePoint now) {
        if (per_second_ == 0) return true;
        const auto [known, is_new] = users_.try_emplace(user, per_second_);
        if (is_new) order_.push_back(user);
        const bool taken = known->second.take(now);
        if (users_.size() > kCapacity) {
            users_.erase(order_.front());
            order_.pop_front();
        }
        return taken;
    }

    std::size_t size() const { return users_.size(); }

private:
    unsigned per_second_ = 0;
    std::map<std::string, TokenBucket> users_;
    std::deque<std::string> order_;
};

}  // namespace stox::engine
