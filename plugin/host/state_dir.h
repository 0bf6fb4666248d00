#pragma once
// Where the worker's durable state is.

#include "plugin/config/options.h"

#include <string>

namespace stox::host {

/// The directory that was asked for; else systemd's, when it started us with one; else /var/lib/stox. The modules always ask for
/// one: below the chat server's own data.
std::string state_dir(const config::EngineOptions& options);
/// Where the worker takes commands of operators.
std::string admin_socket_path(const config::EngineOptions& options);

}  // namespace stox::host
