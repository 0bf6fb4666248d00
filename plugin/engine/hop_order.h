#pragma once
// In which order the next hops of a peer are tried for one request.   (RFC 2782, "Usage rules")

#include "plugin/config/options.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

namespace stox::engine {

/// Indices of `hops`: lowest priority first; within one priority drawn by weight, those of weight 0 rarely first.
/// random   64 random bits at each call
template <class Random>
std::vector<std::size_t> hop_order(const std::vector<config::NextHop>& hops, Random random) {
    std::vector<std::size_t> order(hops.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    // Within a priority weight 0 stands first, so that it is drawn only by a zero.
    std::ranges::stable_sort(order, {}, [&](std::size_t i) { return std::pair(hops[i].priority, hops[i].weight != 0); });
    for (std::size_t first = 0; first < order.size(); ++first) {
        const auto same = [&](std::size_t i) {
            return i < order.size() && hops[order[i]].priority == hops[order[first]].priority;
        };
        if (!same(first + 1)) continue;
        std::uint64_t sum = 0;
        for (auto i = first; same(i); ++i) sum += hops[order[i]].weight;
        const auto drawn = random() % (sum + 1);
        std::uint64_t running = 0;
        for (auto i = first; same(i); ++i)
            if ((running += hops[order[i]].weight) >= drawn) {
                std::rotate(order.begin() + static_cast<std::ptrdiff_t>(first), order.begin() + static_cast<std::ptrdiff_t>(i),
                            order.begin() + static_cast<std::ptrdiff_t>(i) + 1);
                break;
            }
    }
    return order;
}

}  // namespace stox::engine
