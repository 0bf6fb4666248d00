#include "plugin/host/worker_abi.h"

#include "plugin/host/worker.h"

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdio>
#include <exception>

namespace {

/// Shows the watchdog that the loop runs.
void tick(boost::asio::steady_timer& timer) {
    if (!stox_loop_ticked) return;
    stox_loop_ticked();
    timer.expires_after(std::chrono::seconds(1));
    timer.async_wait([&timer](boost::system::error_code error) {
        if (!error) tick(timer);
    });
}

template <class... Arguments>
int run(Arguments... arguments) {
    try {
        boost::asio::io_context loop(1);
        stox::host::Worker worker(loop, arguments...);
        boost::asio::steady_timer ticks(loop);
        tick(ticks);
        loop.run();
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "stoxd: %s\n", error.what());
    } catch (...) {
        std::fprintf(stderr, "stoxd: cannot start\n");
    }
    return 1;
}

}  // namespace

extern "C" int stox_worker_run(int in, int out) { return run(in, out); }

extern "C" int stox_service_run(const stox_service* service) {
    stox::host::Worker::Service as_values{service->listener, service->end, {}, std::chrono::seconds(service->return_s)};
    as_values.access.users.assign(service->users, service->users + service->user_count);
    as_values.access.groups.assign(service->groups, service->groups + service->group_count);
    return run(std::move(as_values));
}
