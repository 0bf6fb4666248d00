#include "plugin/host/watchdog.h"

#include "plugin/host/worker_abi.h"

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace stox::host {

namespace {

constexpr std::chrono::milliseconds kPeriod{500};

std::atomic<unsigned> ticks{0};

void watch() {
    LoopJudge judge(std::chrono::steady_clock::now());
    for (;;) {
        std::this_thread::sleep_for(kPeriod);
        if (!judge.hangs(ticks.load(), std::chrono::steady_clock::now())) continue;
        std::fputs("the worker's loop did not run for 5 s: aborting, please report it\n", stderr);
        std::abort();
    }
}

}  // namespace

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
