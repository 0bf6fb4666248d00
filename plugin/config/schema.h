#pragma once
// schema.json as a tree: which words may stand where, and what their values look like.

#include "plugin/config/loader.h"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace stox::config {

enum class Scope { engine, domain };

/// Everything in `given` that the schema does not allow in that scope, each with its path.
std::vector<Problem> validate(const nlohmann::json& given, Scope scope);

}  // namespace stox::config
