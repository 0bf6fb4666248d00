#pragma once
// How much one user asks for, so that nobody uses up what is there for all of a domain.   (CORE-71)

#include "plugin/engine/token_bucket.h"

#include <deque>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace stox::engine {

class UserRates {
public:
    using TimePoint = TokenBucket::TimePoint;
    static constexpr std::size_t kCapacity = 20'000;  ///< users; whoever came first is forgotten first
    static constexpr std::size_t kExceptions = 1'000;
    static constexpr unsigned kBlocked = std::numeric_limits<unsigned>::max();  ///< as a limit of somebody's own: nothing at all

    /// per_second  0: no limit
    void configure(unsigned per_second) {
        if (per_second != per_second_) forget_all();
        per_second_ = per_second;
    }

    /// That user has a limit of their own; 0: none. By the same word as `take` has, or by the number of a SIP user alone.
    /// False: there are as many as may be.
    bool except(const std::string& user, unsigned per_second) {
        if (!exceptions_.contains(user) && exceptions_.size() >= kExceptions) return false;
        exceptions_[user] = per_second;
        forget_all();
        return true;
    }
    void forget_exception(const std::string& user) {
        if (exceptions_.erase(user) != 0) forget_all();
    }
    /// Whether an administrator wants nothing of that user.
    bool is_blocked(const std::string& user) const { return limit_of(user) == kBlocked; }
    const std::map<std::string, unsigned>& exceptions() const { return exceptions_; }

    /// user  whatever tells them apart; a domain's XMPP and SIP users never have the same
    bool take(const std::string& user, TimePoint now) {
        const auto per_second = limit_of(user);
        if (per_second == 0) return true;
        if (per_second == kBlocked) return false;
        const auto [known, is_new] = users_.try_emplace(user, per_second);
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
    unsigned limit_of(const std::string& user) const {
        if (exceptions_.empty()) return per_second_;
        if (const auto own = exceptions_.find(user); own != exceptions_.end()) return own->second;
        constexpr std::string_view kSip = "sip:";
        if (!user.starts_with(kSip)) return per_second_;
        const auto own = exceptions_.find(user.substr(kSip.size(), user.find('@') - kSip.size()));
        return own == exceptions_.end() ? per_second_ : own->second;
    }
    void forget_all() {
        users_.clear();
        order_.clear();
    }

    std::map<std::string, unsigned> exceptions_;
    unsigned per_second_ = 0;
    std::map<std::string, TokenBucket> users_;
    std::deque<std::string> order_;
};

}  // namespace stox::engine
