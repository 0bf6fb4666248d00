// stoxd: the worker as a process of its own, held by a module in a chat server through standard input and output; or as a service,
// to which modules come.

#include "plugin/host/listener.h"
#include "plugin/host/service_options.h"
#include "plugin/host/watchdog.h"
#include "plugin/host/worker_abi.h"

#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>

namespace {

int service_end = -1;  ///< written to when a service is to stop; -1: it is none

/// SIGTERM and SIGINT: end of input is what stops a worker gracefully.
extern "C" void on_terminate(int) {
    if (service_end >= 0) {
        const std::uint64_t one = 1;
        if (::write(service_end, &one, sizeof one) < 0) ::_exit(128 + SIGTERM);
        return;
    }
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

int start_worker() {
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    catch_signals();
    raise_descriptor_limit();
    stox::host::start_watchdog();
    return stox_worker_run(STDIN_FILENO, STDOUT_FILENO);
}

int fail_to_start(const std::string& why) {
    std::fprintf(stderr, "stoxd: %s\n", why.c_str());
    return 2;
}

int start_service(int argc, char** argv) {
    const auto options = stox::host::read_service_options({argv + 1, argv + argc});
    if (!options) return fail_to_start(options.error().detail);
    int listener = stox::host::handed_over();
    const bool own = listener < 0;
    if (own) {
        const auto opened = stox::host::listen_on(options.value().listen, 0660);
        if (!opened) return fail_to_start(opened.error().detail);
        listener = opened.value();
    }
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    service_end = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    catch_signals();
    raise_descriptor_limit();
    stox::host::start_watchdog();
    const auto& access = options.value().access;
    const stox_service service{listener, service_end, access.users.data(), access.users.size(), access.groups.data(), access.groups.size(),
                               options.value().return_s};
    const int status = stox_service_run(&service);
    if (own) ::unlink(options.value().listen.c_str());
    return status;
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
    if (argc > 1 && std::strcmp(argv[1], "--listen") == 0) return start_service(argc, argv);
    if (argc != 1) {
        std::fputs("usage: stoxd [--version | --doctor [--json] | --listen PATH [--allow-user USER] [--allow-group GROUP] [--return-within SECONDS]]\n"
                   "Started by the chat server's module; control lines on standard input and output.\n"
                   "--listen makes it a service: modules come to that socket, if root, its own user or somebody named runs them.\n"
                   "--doctor judges the configuration in the lines on standard input: exit status 0 well, 1 warnings, 2 errors.\n",
                   stderr);
        return 2;
    }
    return start_worker();
}
