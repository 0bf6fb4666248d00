#pragma once
// What the facts mean for an operator.

#include "plugin/host/doctor/facts.h"
#include "plugin/host/doctor/finding.h"

namespace stox::doctor {

/// In the order in which an operator would look: configuration, machine, files, peers.
std::vector<Finding> judge(const Facts& facts);

}  // namespace stox::doctor
