#include "plugin/host/watchdog.h"

#include "plugin/host/worker_abi.h"

#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

namespace stox::host {

namespace {

constexpr std::chrono::milliseconds kPeriod{500};

constexpr int kOverLimit = 3;  ///< exit status

std::atomic<unsigned> ticks{0};
std::atomic<std::size_t> memory_limit{0};

/// The last words. A log that nobody reads must not keep alive what has to end.
void say(const std::string& line) {
    pollfd descriptor{STDERR_FILENO, POLLOUT, 0};
    if (::poll(&descriptor, 1, 0) == 1 && (descriptor.revents & POLLOUT) != 0) std::fputs(line.c_str(), stderr);
}

/// At once, as a kill would: what was accepted is in the store, and a core file of all that memory helps nobody.
void check_memory() {
    const auto limit = memory_limit.load();
    if (limit == 0) return;
    const auto resident = resident_octets();
    if (resident <= limit) return;
    say("the worker has " + std::to_string(resident >> 20U) + " MiB of memory, over memory_limit_mib = " + std::to_string(limit >> 20U) +
        ": it ends and is started again\n");
    ::_exit(kOverLimit);
}

void watch() {
    LoopJudge judge(std::chrono::steady_clock::now());
    for (;;) {
        std::this_thread::sleep_for(kPeriod);
        check_memory();
        if (!judge.hangs(ticks.load(), std::chrono::steady_clock::now())) continue;
        say("the worker's loop did not run for 5 s: aborting, please report it\n");
        std::abort();
    }
}

}  // namespace

std::size_t resident_octets() {
    std::FILE* file = std::fopen("/proc/self/statm", "re");
    if (!file) return 0;
    unsigned long size = 0, resident = 0;
    const bool read = std::fscanf(file, "%lu %lu", &size, &resident) == 2;
    std::fclose(file);
    return read ? resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

bool LoopJudge::hangs(unsigned count, TimePoint now) {
    const bool overslept = now - last_look_ > kOverslept;
    last_look_ = now;
    if (count != seen_ || overslept) {
        seen_ = count;
        since_ = now;
    }
    return now - since_ > kLimit;
}

void start_watchdog() {
    // Signals are the main thread's.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    std::thread(watch).detach();
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace stox::host

extern "C" void stox_loop_ticked() { stox::host::ticks.fetch_add(1, std::memory_order_relaxed); }

extern "C" void stox_memory_limit(std::size_t octets) { stox::host::memory_limit.store(octets); }
