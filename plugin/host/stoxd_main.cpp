// stoxd: the worker as a process of its own, held by a module in a chat server through standard input and output.

#include "plugin/host/watchdog.h"
#include "plugin/host/worker_abi.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>

namespace {

/// SIGTERM and SIGINT: end of input is what stops a worker gracefully.
extern "C" void on_terminate(int) {
    if (::shutdown(STDIN_FILENO, SHUT_RD) != 0) ::_exit(128 + SIGTERM);
}

void catch_signals() {
    struct sigaction action = {};
    action.sa_handler = on_terminate;
    ::sigaction(SIGTERM, &action, nullptr);
    ::sigaction(SIGINT, &action, nullptr);
    action.sa_handler = SIG_IGN;
    ::sigaction(SIGPIPE, &action, nullptr);
}

/// As many descriptors as we may have: connections are limited by our own options.
void raise_descriptor_limit() {
    rlimit limit = {};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

bool is_doctor(int argc, char** argv) {
    if (argc < 2 || argc > 3 || std::strcmp(argv[1], "--doctor") != 0) return false;
    return argc == 2 || std::strcmp(argv[2], "--json") == 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::strcmp(argv[1], "--version") == 0) {
        std::puts("stoxd " STOX_VERSION);
        return 0;
    }
    if (is_doctor(argc, argv)) {
        raise_descriptor_limit();
        return stox_doctor_run(STDIN_FILENO, STDOUT_FILENO, argc == 3);
    }
    if (argc != 1) {
        std::fputs("usage: stoxd [--version | --doctor [--json]]\n"
                   "Started by the chat server's module; control lines on standard input and output.\n"
                   "--doctor judges the configuration in the lines on standard input: exit status 0 well, 1 warnings, 2 errors.\n",
                   stderr);
        return 2;
    }
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    catch_signals();
    raise_descriptor_limit();
    stox::host::start_watchdog();
    return stox_worker_run(STDIN_FILENO, STDOUT_FILENO);
}
