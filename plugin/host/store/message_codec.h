#pragma once
// The rows of the engine (plugin/engine/records.h) as the JSON text that the store keeps. Stanzas stand in it as XML.

#include "mapping/core/result.h"
#include "plugin/engine/records.h"

#include <string>
#include <string_view>

namespace stox::store {

/// Member "v" of the text. A program reads the versions that it knows; what an older one wrote needs code that reads it. A row
/// that an older program would take for something else has a version that it does not know.
constexpr unsigned kMessageVersion = 1;
constexpr unsigned kDeliveredVersion = 2;  ///< of what is kept of a delivered message: by version 1, an empty message to be sent

/// Where the rows of a domain stand in the store.
std::string collection_of(engine::Collection collection, std::string_view domain);

/// errors  malformed: a field that could not be read back, so nobody may rely on it; too_large: longer than a value of the store
Result<std::string> to_json(const engine::RecordValue& row);

/// Members that are not known are ignored.
/// errors  malformed: no such JSON, or a member is missing, twice there, of the wrong type or against its grammar; too_large;
///         unsupported: another version
Result<engine::RecordValue> from_json(engine::Collection collection, std::string_view text);

}  // namespace stox::store
