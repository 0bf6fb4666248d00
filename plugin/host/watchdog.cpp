#include "plugin/host/watchdog.h"

#include "plugin/host/worker_abi.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace stox::host {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kLimit{5};
constexpr std::chrono::milliseconds kPeriod{500};
constexpr std::chrono::seconds kOverslept{2};

std::atomic<unsigned> ticks{0};

void watch() {
    auto seen = ticks.load();
    auto since = Clock::now();  // when the count began
    for (auto before = since;; before = Clock::now()) {
        std::this_thread::sleep_for(kPeriod);
        const auto now = Clock::now();
        const auto count = ticks.load();
        if (count != seen || now - before > kOverslept) {
            seen = count;
            since = now;
        } else if (now - since > kLimit) {
            std::fputs("the worker's loop did not run for 5 s: aborting, please report it\n", stderr);
            std::abort();
        }
    }
}

}  // namespace

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
