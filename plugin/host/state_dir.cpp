#include "plugin/host/state_dir.h"

#include <cstdlib>

namespace stox::host {

std::string state_dir(const config::EngineOptions& options) {
    if (!options.state_dir.empty()) return options.state_dir;
    const char* given = std::getenv("STATE_DIRECTORY");  // several stand with colons between them   (systemd.exec(5))
    const std::string directories = given ? given : "";
    const auto first = directories.substr(0, directories.find(':'));
    return first.empty() ? "/var/lib/stox" : first;
}

std::string admin_socket_path(const config::EngineOptions& options) { return state_dir(options) + "/admin.sock"; }

}  // namespace stox::host
