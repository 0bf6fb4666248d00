#pragma once
// The secret files that a domain's options name, read and judged.

#include "plugin/config/loader.h"
#include "plugin/engine/secrets.h"

#include <string>
#include <vector>

namespace stox::host {

struct ReadSecrets {
    engine::Secrets secrets;
    std::vector<config::Problem> problems;  ///< then nothing of `secrets` is to be used
    std::vector<std::string> warnings;      ///< for the operator's log
};

/// Neither problems nor warnings quote what stands in a file.
ReadSecrets read_secrets(const config::DomainOptions& options);

}  // namespace stox::host
