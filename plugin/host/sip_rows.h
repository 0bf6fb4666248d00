#pragma once
// What the SIP sockets have counted, as rows of views.

#include "plugin/engine/views.h"
#include "sip/edge/settings.h"

#include <vector>

namespace stox::host {

/// Whether there was room for them.
std::vector<engine::RequestRow> request_rows(const sip::Counters& counters);
/// Of those received: their sum is how many the kernel gave us and, as dropped_by_kernel, how many it did not.
std::vector<engine::DatagramRow> datagram_rows(const sip::Counters& counters);
std::vector<engine::ConnectionRow> connection_rows(const sip::Counters& counters);

}  // namespace stox::host
