#pragma once
// Tables as JSON: an object with an array of rows for each table, or with one object where there is always one row.

#include "plugin/engine/admin_command.h"

#include <string>

namespace stox::host {

/// `{"peers":[{"peer":"phones","state":"up",...}],"note":"..."}` on one line, without a newline; durations in seconds.
std::string to_json(const engine::AdminOutcome& outcome);

}  // namespace stox::host
