#pragma once
// Whether a listener can be had, and who has it.

#include "plugin/host/doctor/facts.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace stox::doctor {

/// Binds the listener for a moment.
PortFact try_port(const config::Listener& listener);

/// The inodes of the sockets that a table of /proc/net shows on that port; of TCP those that listen.
std::vector<std::uint64_t> sockets_on(std::string_view table, std::uint16_t port, Transport transport);

}  // namespace stox::doctor
