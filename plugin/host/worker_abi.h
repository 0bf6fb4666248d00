#pragma once
// What libstox_engine.so exports: one worker, driven by lines. stoxd calls it with its standard input and output; stox.so
// looks it up with dlsym for isolation `none`.

#include <sys/types.h>

#include <cstddef>

extern "C" {

/// Runs the worker on the calling thread until it is stopped. Reads control lines from `in`, writes events to `out`; both
/// are set non-blocking. Never throws. Returns the exit status: 0 after a stop, 1 when it could not start.
__attribute__((visibility("default"))) int stox_worker_run(int in, int out);

/// Who may hold a worker that is a service of its own, besides root and its own user.
struct stox_service {
    int listener;  ///< a unix socket that listens for modules
    int end;       ///< readable when the worker is to stop
    const uid_t* users;
    std::size_t user_count;
    const gid_t* groups;
    std::size_t group_count;
    unsigned return_s;  ///< domains that a module which is back has not handed over again by then are removed
};

/// The worker as a service: modules come to its control socket and go. Never throws. Returns as stox_worker_run does.
__attribute__((visibility("default"))) int stox_service_run(const stox_service* service);

/// The doctor: reads control lines (engine-set, domain-set) from `in` until its end and writes what it thinks of this configuration
/// on this machine to `out`, as text or as one JSON object. Never throws. Returns 0: all is well, 1: warnings, 2: errors.
__attribute__((visibility("default"))) int stox_doctor_run(int in, int out, int json);

/// Defined by stoxd alone (watchdog.cpp): the worker calls it once a second from its loop, where it is defined.
__attribute__((visibility("default"), weak)) void stox_loop_ticked();

/// Likewise: with more resident octets the process is to end. 0: no limit.
__attribute__((visibility("default"), weak)) void stox_memory_limit(std::size_t octets);
}
