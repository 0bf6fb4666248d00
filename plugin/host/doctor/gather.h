#pragma once
// Looks at this machine the way the worker would use it: binds its ports for a moment, reads its files, locates and asks its next
// hops. Changes nothing.

#include "plugin/host/doctor/facts.h"

#include <string_view>

namespace stox::doctor {

/// lines  control lines as the module would send them: engine-set and domain-set; others are passed over
/// Takes ten seconds at most. Blocks.
Facts gather(std::string_view lines);

}  // namespace stox::doctor
