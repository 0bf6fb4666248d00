#pragma once
// JSON that validate() let pass, as option structs. Judges nothing.

#include "plugin/config/options.h"

#include <nlohmann/json_fwd.hpp>

namespace stox::config {

EngineOptions read_engine(const nlohmann::json& given);
/// Without the component's domain and what follows from it.
DomainOptions read_domain(const nlohmann::json& given);

}  // namespace stox::config
