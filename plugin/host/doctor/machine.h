#pragma once
// What the kernel says about this process and machine.

#include "plugin/host/doctor/facts.h"

namespace stox::doctor {

/// User, descriptors, clock, ephemeral ports.
void look_at_machine(Facts& facts);

StateFact look_at_state(const std::string& wanted);

}  // namespace stox::doctor
