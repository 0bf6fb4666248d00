#pragma once
// The control socket of a worker that is a service: made by it, or handed over by systemd.

#include "mapping/core/result.h"

#include <string>

namespace stox::host {

/// Listens there, mode 0660, in place of a socket on which nobody listens any more.
/// errors  unavailable: another worker listens there, the path is too long, the directory is not there
Result<int> listen_on(const std::string& path);

/// Whether this process was started for a socket, and which descriptor that is; -1: it was not.   (sd_listen_fds(3))
int handed_over();

}  // namespace stox::host
