#pragma once
// A store's file in use: commits groups of changes and reads collections. For one thread at a time; blocks on the disk.

#include "plugin/host/store/sqlite_schema.h"
#include "plugin/host/store/sqlite_settings.h"
#include "plugin/host/store/store.h"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace stox::store {

class SqliteDatabase {
public:
    /// A damaged file is set aside.
    /// errors  those of take_place() and open_checked(), but for malformed; unavailable: a damaged file cannot be set aside
    static Result<std::unique_ptr<SqliteDatabase>> open(const SqliteSettings& settings);

    std::uint64_t epoch() const { return epoch_; }

    /// All changes or, with an error, none; a crash after an error decides which. Tries twice. After an error that may have lost
    /// something the file is mended before the next group is tried, so that what succeeds is as durable as it says.
    Result<void> commit(std::span<const Change* const> changes);
    /// The last commit failed because the file may not grow or the disk is full.
    bool out_of_room() const { return out_of_room_; }
    Result<std::vector<Record>> load(const std::string& collection);
    /// Moves the log into the file when it has grown long enough; between commits, when nobody waits for an answer.
    void checkpoint_if_due();

private:
    SqliteDatabase(StorePlace place, Connection connection) : place_(std::move(place)), connection_(std::move(connection)) {}
    Result<void> prepare(std::uint64_t max_octets);
    Result<void> start_epoch();
    Result<void> try_commit(std::span<const Change* const> changes);
    Result<void> apply(const Change& change);
    Result<void> set_durability(Durability durability);
    Result<void> mend();
    Result<void> checkpoint(int mode);

    StorePlace place_;  // its lock goes last
    Connection connection_;
    Statement put_, erase_, load_, begin_, commit_, rollback_;
    Durability durability_ = Durability::full;
    std::uint64_t epoch_ = 0;
    int log_pages_ = 0;      ///< in the write-ahead log after the newest commit
    bool logged_ = false;    ///< the newest commit wrote to the log
    bool unsynced_ = false;  ///< the log holds commits that a power cut may take away
    bool suspect_ = false;   ///< a write or sync failed since the last mend()
    bool out_of_room_ = false;
};

}  // namespace stox::store
