#pragma once
// The command line of a worker that is a service.

#include "mapping/core/result.h"
#include "plugin/host/service_access.h"

#include <string>
#include <string_view>
#include <vector>

namespace stox::host {

struct ServiceOptions {
    std::string listen;
    ServiceAccess access;
    unsigned return_s = 60;
};

/// words  without the program's name, the first of them --listen
/// errors  malformed: for whoever wrote it
Result<ServiceOptions> read_service_options(const std::vector<std::string_view>& words);

}  // namespace stox::host
