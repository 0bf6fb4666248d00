#pragma once
// The worker's identifiers: IdGenerator over the kernel's randomness.

#include "mapping/core/ids.h"

namespace stox::host {

/// Draws from getrandom in blocks; for one thread. Aborts if the kernel refuses randomness: no id may be guessable.
IdGenerator kernel_ids();

}  // namespace stox::host
