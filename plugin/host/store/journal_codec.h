#pragma once
// A row of the journal as the JSON text that the store keeps.

#include "mapping/core/result.h"
#include "plugin/engine/journal.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace stox::store {

/// Member "v" of the text. A program reads its own version; what an older one wrote needs code that reads it.
constexpr int kJournalVersion = 1;

constexpr std::size_t kMaxJournalOctets = 128 * 1024;

/// Only what from_json() would take: a row that cannot be read back is no row.
/// errors  malformed, too_large: a field breaks its grammar or bound; the text names it
Result<std::string> to_json(const engine::JournalRow& row);

/// Members that are not known are ignored.
/// errors  malformed: no such JSON, or a member is missing, twice there, of the wrong type or against its grammar (a line break
///         in a Call-ID would become one in a BYE); too_large; unsupported: another version
Result<engine::JournalRow> from_json(std::string_view text);

}  // namespace stox::store
