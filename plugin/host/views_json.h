#pragma once
// Tables as JSON: an object with an array of rows for each table, or with one object where there is always one row.

#include "plugin/engine/admin_command.h"

#include <cstddef>
#include <string>

namespace stox::host {

/// `{"peers":[{"peer":"phones","state":"up",...}],"note":"..."}` on one line, without a newline; durations in seconds.
///   most  octets of the rows; those beyond are left out, and "left_out" says how many
std::string to_json(const engine::AdminOutcome& outcome, std::size_t most);

}  // namespace stox::host
