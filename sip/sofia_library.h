#pragma once
// What has to be said to Sofia once per process, before anything else of it is used.

namespace stox::sip {

/// Initialises the library, silences its log and its answers to STUN. Repeated calls do nothing.
void init_sofia();

}  // namespace stox::sip
