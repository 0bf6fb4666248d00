#pragma once
// Unix sockets that a worker listens on: the one for administrators, and that of a service, which systemd may hand over.

#include "mapping/core/result.h"

#include <string>

namespace stox::host {

/// Listens there, with that mode, in place of a socket on which nobody listens any more.
/// errors  unavailable: another worker listens there, the path is too long, the directory is not there
Result<int> listen_on(const std::string& path, unsigned mode);

/// Of the process that listens there, as the kernel tells whoever may connect; 0: nobody does, or we may not.
int who_listens(const std::string& path);

/// Whether this process was started for a socket, and which descriptor that is; -1: it was not.   (sd_listen_fds(3))
int handed_over();

}  // namespace stox::host
