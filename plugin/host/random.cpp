#include "plugin/host/random.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <memory>

namespace stox::host {

namespace {

/// A block of kernel randomness; every octet is handed out once.
struct Pool {
    std::array<std::uint8_t, 4096> octets;
    std::size_t used = sizeof octets;

    void refill() {
        std::size_t filled = 0;
        while (filled < octets.size()) {
            const auto got = ::getrandom(octets.data() + filled, octets.size() - filled, 0);
            if (got > 0)
                filled += static_cast<std::size_t>(got);
            else if (errno != EINTR)
                std::abort();
        }
        used = 0;
    }
};

}  // namespace

IdGenerator kernel_ids() {
    return IdGenerator([pool = std::make_shared<Pool>()](std::span<std::uint8_t> wanted) {
        while (!wanted.empty()) {
            if (pool->used == pool->octets.size()) pool->refill();
            const auto take = std::min(wanted.size(), pool->octets.size() - pool->used);
            std::copy_n(pool->octets.data() + pool->used, take, wanted.data());
            pool->used += take;
            wanted = wanted.subspan(take);
        }
    });
}

}  // namespace stox::host
