#pragma once
// Log lines as the engine makes them: logfmt fields with untrusted text made harmless.   (contract: docs/architecture.md, Logs)

#include "plugin/engine/engine.h"

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace stox::engine {

/// "message direction=x2s from=romeo@montague.test status=404"; each value goes through logfmt().
Log line(Level level, Trace trace, std::string_view event, std::initializer_list<std::pair<std::string_view, std::string>> fields,
         std::string peer = {});

}  // namespace stox::engine
