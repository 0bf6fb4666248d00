#include "plugin/host/worker_abi.h"

#include "plugin/host/worker.h"

#include <cstdio>
#include <exception>

extern "C" int stox_worker_run(int in, int out) {
    try {
        boost::asio::io_context loop(1);
        stox::host::Worker worker(loop, in, out);
        loop.run();
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "stoxd: %s\n", error.what());
    } catch (...) {
        std::fprintf(stderr, "stoxd: cannot start\n");
    }
    return 1;
}
