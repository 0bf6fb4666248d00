#pragma once
// Files with passwords, or with what stands for them.

#include "mapping/core/result.h"

#include <string>

namespace stox::host {

struct SecretFile {
    std::string text;
    bool open_to_all = false;  ///< any user of this machine may read it
};

/// At most 16 MiB of a regular file; anything else is refused without waiting for it.
/// errors  unavailable: cannot be opened or read; unsupported: no regular file; too_large. No detail quotes the content
Result<SecretFile> read_secret_file(const std::string& path);

}  // namespace stox::host
