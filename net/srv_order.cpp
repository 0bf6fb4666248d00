#include "net/srv_order.h"

#include <algorithm>
#include <iterator>
#include <numeric>

namespace stox::net {

std::vector<SrvRecord> in_srv_order(std::vector<SrvRecord> records, const Random& random) {
    // Those of weight 0 stand first in their priority: chosen only when chance gives 0.
    std::ranges::stable_sort(records, [](const SrvRecord& a, const SrvRecord& b) {
        return a.priority != b.priority ? a.priority < b.priority : a.weight == 0 && b.weight != 0;
    });
    for (auto next = records.begin(); next != records.end(); ++next) {
        const auto end = std::find_if(next, records.end(), [&](const SrvRecord& r) { return r.priority != next->priority; });
        const auto sum =
            std::accumulate(next, end, std::uint32_t{0}, [](std::uint32_t all, const SrvRecord& r) { return all + r.weight; });
        const std::uint32_t chosen = random(sum);
        std::uint32_t running = 0;
        const auto taken = std::find_if(next, end, [&](const SrvRecord& r) { return (running += r.weight) >= chosen; });
        if (taken != end) std::rotate(next, taken, std::next(taken));  // the others keep their order
    }
    return records;
}

}  // namespace stox::net
