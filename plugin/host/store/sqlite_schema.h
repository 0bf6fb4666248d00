#pragma once
// The tables of a store's file, their version, and what is done with a file before anybody uses it.

#include "plugin/host/store/sqlite_connection.h"
#include "plugin/host/store/sqlite_settings.h"
#include "plugin/host/store/store_file.h"

#include <span>
#include <string>
#include <string_view>

namespace stox::store {

struct Table {
    std::string_view name;
    const char* sql;  ///< as it must stand in sqlite_schema, octet for octet
};

/// From a version to the next. Code and no text alone: rows carry sums that SQL cannot make. All steps run in one transaction
/// with the change of the number.
struct MigrationStep {
    int from;
    Result<void> (*run)(Connection&);
};

struct Schema {
    int version;  ///< user_version of the file
    std::span<const Table> tables;
    std::span<const MigrationStep> steps;
};

/// Opens the file and proves it: ours by its application id, of this version or migrated to it, whole (integrity_check), with
/// our tables and nothing else, every row with its sum. A missing file is made first. A file that is refused has not been
/// changed. A migration leaves a copy of the file as it was, named with its version: store.db.v0.
/// errors  malformed: damaged, and that is no trouble of reading it; unsupported: a newer version, or an older one without a
///         step, or somebody else's database; forbidden, unavailable: as take_place(). Each text names the path.
Result<Connection> open_checked(const StorePlace& place, const char* vfs, const Schema& schema);

}  // namespace stox::store
