#pragma once
// Where a store's file is and what it may become. Who opens a store sees nothing of SQLite.

#include <cstdint>
#include <functional>
#include <string>

namespace stox::store {

struct Schema;
extern const Schema kSchema;  ///< what this program writes

struct SqliteSettings {
    std::string path;  ///< absolute, of a file in a directory that is the store's own
    /// The file never grows past that; a group that does not fit fails.
    std::uint64_t max_octets = std::uint64_t{1} << 30;
    const char* vfs = nullptr;  ///< name of a registered sqlite3_vfs; null: the system's
    const Schema* schema = &kSchema;
    /// Hears, during open(), that a damaged file was set aside and where: one line, for somebody who must act.
    std::function<void(const std::string&)> on_damage = {};
};

}  // namespace stox::store
