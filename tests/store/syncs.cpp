#include "tests/store/syncs.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <mutex>
#include <vector>

namespace {

std::mutex mutex;  // a store's thread syncs too
std::vector<std::string> seen;
std::string failing;

std::string path_of(int descriptor) {
    char path[PATH_MAX];
    const auto size = ::readlink(("/proc/self/fd/" + std::to_string(descriptor)).c_str(), path, sizeof path);
    return size < 0 ? std::string() : std::string(path, static_cast<std::size_t>(size));
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int fsync(int descriptor) {
    const auto path = path_of(descriptor);
    {
        const std::lock_guard lock(mutex);
        if (!failing.empty() && path == failing) return errno = EIO, -1;
        seen.push_back(path);
    }
    return static_cast<int>(::syscall(SYS_fsync, descriptor));
}

namespace stox::store::test {

SyncsSeen::SyncsSeen() {
    const std::lock_guard lock(mutex);
    seen.clear();
}

unsigned SyncsSeen::of(const std::string& path) const {
    const std::lock_guard lock(mutex);
    return static_cast<unsigned>(std::ranges::count(seen, path));
}

FailingSyncs::FailingSyncs(std::string path) {
    const std::lock_guard lock(mutex);
    failing = std::move(path);
}

FailingSyncs::~FailingSyncs() {
    const std::lock_guard lock(mutex);
    failing.clear();
}

}  // namespace stox::store::test
