#pragma once
// What libstox_engine.so exports: one worker, driven by lines. stoxd calls it with its standard input and output; stox.so
// looks it up with dlsym for isolation `none`.

extern "C" {

/// Runs the worker on the calling thread until it is stopped. Reads control lines from `in`, writes events to `out`; both
/// are set non-blocking. Never throws. Returns the exit status: 0 after a stop, 1 when it could not start.
__attribute__((visibility("default"))) int stox_worker_run(int in, int out);

/// Defined by stoxd alone (watchdog.cpp): the worker calls it once a second from its loop, where it is defined.
__attribute__((visibility("default"), weak)) void stox_loop_ticked();
}
