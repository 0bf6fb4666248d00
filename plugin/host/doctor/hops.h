#pragma once
// The next hops of all peers: located as the worker does it, and asked.

#include "plugin/host/doctor/facts.h"

namespace stox::doctor {

/// Fills in hops and name_servers. Over UDP an OPTIONS is sent; over TCP and TLS a connection is opened.
void ask_hops(Facts& facts);

}  // namespace stox::doctor
