#pragma once
// Ends a worker whose loop hangs: the module then starts another one. Only in stoxd; in the chat server's own process nothing
// may abort.

namespace stox::host {

/// Starts a thread that aborts the process, with a core and a line on standard error, when stox_loop_ticked was not called
/// for 5 s. Time in which the watchdog itself did not run (the machine or the process was stopped) does not count.
void start_watchdog();

}  // namespace stox::host
