#pragma once
// Tables as text: for terminals and for chats.

#include "plugin/engine/views.h"

#include <cstddef>
#include <string>
#include <vector>

namespace stox::engine {

/// One table after the other, columns aligned, an empty line between; the last line ends with a newline. What is longer than
/// `most` octets is cut at a line, and a line says how many rows were left out. Control characters in cells become spaces.
std::string to_text(const std::vector<Table>& tables, std::size_t most = std::string::npos);

}  // namespace stox::engine
