#pragma once
// Where we have sent to and await something from, so that who answers from there is no stranger.

#include "mapping/core/endpoint.h"

#include <cstddef>
#include <list>
#include <map>

namespace stox::sip {

class ExpectedEnds {
public:
    /// capacity  beyond it the one that was used longest ago is forgotten
    explicit ExpectedEnds(std::size_t capacity) : capacity_(capacity) {}

    void use(const stox::Endpoint& end) {
        const auto [found, is_new] = places_.try_emplace(end);
        if (is_new)
            found->second = order_.insert(order_.end(), end);
        else
            order_.splice(order_.end(), order_, found->second);
        if (order_.size() <= capacity_) return;
        places_.erase(order_.front());
        order_.pop_front();
    }
    bool contains(const stox::Endpoint& end) const { return places_.contains(end); }
    bool contains(const Address& address) const {
        const auto first = places_.lower_bound({address, 0});
        return first != places_.end() && first->first.address == address;
    }

private:
    std::size_t capacity_;
    std::list<stox::Endpoint> order_;  ///< what was used last is last
    std::map<stox::Endpoint, std::list<stox::Endpoint>::iterator> places_;
};

}  // namespace stox::sip
