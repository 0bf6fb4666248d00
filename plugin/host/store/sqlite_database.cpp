#include "plugin/host/store/sqlite_database.h"

#include "plugin/host/store/record_sum.h"

#include <algorithm>

namespace stox::store {

namespace {

constexpr int kCheckpointPages = 1000;  // 4 MB of log

/// A damaged file is no reason for a worker not to start: what it does not hold any more can be told to nobody, and what comes
/// new wants a place. Nothing is thrown away.
Result<Connection> open_or_set_aside(const StorePlace& place, const SqliteSettings& settings) {
    auto connection = open_checked(place, settings.vfs, *settings.schema);
    if (connection || connection.error().code != Code::malformed) return connection;
    const auto damage = std::move(connection).error().detail;
    const auto aside = set_aside(place);
    if (!aside) return fail(Code::unavailable, damage + "; it was not set aside: " + aside.error().detail);
    if (settings.on_damage)
        settings.on_damage(damage + "; it was set aside as " + aside.value() +
                           ", and an empty store takes its place. Move it away when nothing of it is wanted any more: until then "
                           "nobody is told that a subscription does not exist");
    return open_checked(place, settings.vfs, *settings.schema);
}

/// The call before failed for want of room.
bool is_full(const Connection& connection) { return (sqlite3_errcode(connection.get()) & 0xff) == SQLITE_FULL; }

}  // namespace

Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::open(const SqliteSettings& settings) {
    BOOST_OUTCOME_TRY(place, take_place(settings.path));
    BOOST_OUTCOME_TRY(connection, open_or_set_aside(place, settings));
    std::unique_ptr<SqliteDatabase> database(new SqliteDatabase(std::move(place), std::move(connection)));
    if (auto prepared = database->prepare(settings.max_octets); !prepared)
        return fail(prepared.error().code, database->place_.path + ": " + prepared.error().detail);
    return database;
}

Result<void> SqliteDatabase::prepare(std::uint64_t max_octets) {
    BOOST_OUTCOME_TRY(mode, connection_.text("PRAGMA journal_mode=WAL"));
    if (mode != "wal") return fail(Code::unavailable, "no write-ahead log can be had here");
    BOOST_OUTCOME_TRYV(connection_.run("PRAGMA synchronous=FULL; PRAGMA journal_size_limit=8388608"));
    BOOST_OUTCOME_TRY(page_octets, connection_.number("PRAGMA page_size"));
    const auto pages = std::clamp<std::uint64_t>(max_octets / static_cast<std::uint64_t>(page_octets), 1, 0xfffffffe);
    BOOST_OUTCOME_TRYV(connection_.run(("PRAGMA max_page_count=" + std::to_string(pages)).c_str()));  // takes no parameter

    BOOST_OUTCOME_TRY(put, connection_.prepare("INSERT INTO record(collection, key, value, epoch, sum) VALUES(?, ?, ?, ?, ?) "
                                               "ON CONFLICT(collection, key) DO UPDATE SET value = excluded.value, "
                                               "epoch = excluded.epoch, sum = excluded.sum"));
    BOOST_OUTCOME_TRY(erase, connection_.prepare("DELETE FROM record WHERE collection = ? AND key = ?"));
    BOOST_OUTCOME_TRY(load, connection_.prepare("SELECT key, value, epoch, sum FROM record WHERE collection = ? ORDER BY id"));
    BOOST_OUTCOME_TRY(begin, connection_.prepare("BEGIN IMMEDIATE"));
    BOOST_OUTCOME_TRY(commit, connection_.prepare("COMMIT"));
    BOOST_OUTCOME_TRY(rollback, connection_.prepare("ROLLBACK"));
    put_ = std::move(put), erase_ = std::move(erase), load_ = std::move(load);
    begin_ = std::move(begin), commit_ = std::move(commit), rollback_ = std::move(rollback);

    // In place of SQLite's own checkpoints, which come inside a commit and hide their errors.
    sqlite3_wal_hook(
        connection_.get(),
        [](void* self, sqlite3*, const char*, int length) {
            static_cast<SqliteDatabase*>(self)->log_pages_ = length;
            static_cast<SqliteDatabase*>(self)->logged_ = true;
            return SQLITE_OK;
        },
        this);
    return start_epoch();
}

/// On the disk before anything is written under it: two starts never share a number.
Result<void> SqliteDatabase::start_epoch() {
    BOOST_OUTCOME_TRY(last, connection_.number("SELECT epoch FROM start"));
    epoch_ = static_cast<std::uint64_t>(last) + 1;
    BOOST_OUTCOME_TRY(update, connection_.prepare("UPDATE start SET epoch = ?, sum = ?"));
    BOOST_OUTCOME_TRYV(update.bind_number(1, static_cast<std::int64_t>(epoch_)).bind_number(2, sum_of(epoch_)).run());
    return sync_names(place_);  // the first commit made the log
}

Result<void> SqliteDatabase::commit(std::span<const Change* const> changes) {
    if (suspect_) {
        BOOST_OUTCOME_TRYV(mend());
    }
    auto committed = try_commit(changes);
    if (committed) return committed;
    if (!mend()) return committed;  // the first reason says more
    return try_commit(changes);
}

Result<void> SqliteDatabase::try_commit(std::span<const Change* const> changes) {
    const bool full = std::ranges::any_of(changes, [](auto* change) { return change->durability == Durability::full; });
    BOOST_OUTCOME_TRYV(set_durability(full ? Durability::full : Durability::normal));
    BOOST_OUTCOME_TRYV(begin_.run());
    logged_ = false;
    out_of_room_ = false;
    Result<void> result = ok();
    for (const auto* change : changes)
        if (result) result = apply(*change);
    if (result) result = commit_.run();
    if (result && logged_) unsynced_ = !full;
    // What is there already is not written again, so nothing was synced either; it may be there by a normal commit only.
    if (result && full && unsynced_) result = checkpoint(SQLITE_CHECKPOINT_PASSIVE);
    if (result) return result;
    // Without space nothing was lost: the next group may find some, even where there is not enough for mending.
    out_of_room_ = is_full(connection_);
    if (!out_of_room_) suspect_ = true;
    // SQLite ends some failed transactions by itself.
    if (sqlite3_get_autocommit(connection_.get()) == 0) static_cast<void>(rollback_.run());
    return result;
}

Result<void> SqliteDatabase::apply(const Change& change) {
    if (!change.value) return erase_.bind_octets(1, change.collection).bind_octets(2, change.key).run();
    put_.bind_octets(1, change.collection).bind_octets(2, change.key).bind_octets(3, *change.value);
    put_.bind_number(4, static_cast<std::int64_t>(epoch_));
    return put_.bind_number(5, sum_of(change.collection, change.key, *change.value, epoch_)).run();
}

Result<void> SqliteDatabase::set_durability(Durability durability) {
    if (durability == durability_) return ok();
    BOOST_OUTCOME_TRYV(connection_.run(durability == Durability::full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL"));
    durability_ = durability;
    return ok();
}

/// After an error: everything committed so far goes into the file itself and onto the disk, and the log starts anew. A failed
/// fsync may have lost pages of the log that a later fsync would not write again (Linux then takes them for clean), and a
/// commit that came after them in the log would be lost with them. On a full disk it gives the log its space back.
Result<void> SqliteDatabase::mend() {
    BOOST_OUTCOME_TRYV(set_durability(Durability::full));
    BOOST_OUTCOME_TRYV(checkpoint(SQLITE_CHECKPOINT_RESTART));
    suspect_ = false;
    return ok();
}

/// Syncs the log, writes it into the file and syncs that.
Result<void> SqliteDatabase::checkpoint(int mode) {
    log_pages_ = 0;  // whatever comes of it, the next commit counts anew
    const int code = sqlite3_wal_checkpoint_v2(connection_.get(), "main", mode, nullptr, nullptr);
    if (code != SQLITE_OK) return connection_.error(code);
    unsynced_ = false;
    return ok();
}

Result<std::vector<Record>> SqliteDatabase::load(const std::string& collection) {
    std::vector<Record> records;
    load_.bind_octets(1, collection);
    for (;;) {
        auto row = load_.step();
        if (row && row.value()) {
            records.push_back(
                {std::string(load_.octets(0)), std::string(load_.octets(1)), static_cast<std::uint64_t>(load_.number(2))});
            const auto& record = records.back();
            if (load_.number(3) == sum_of(collection, record.key, record.value, record.epoch)) continue;
            row = fail(Code::malformed, place_.path + ": a record that is not as it was written");
        }
        load_.reset();
        if (!row) return std::move(row).error();
        return records;
    }
}

void SqliteDatabase::checkpoint_if_due() {
    if (log_pages_ < kCheckpointPages || suspect_) return;
    // Where the file cannot grow, the log still takes what fits into it.
    if (!checkpoint(SQLITE_CHECKPOINT_PASSIVE) && !is_full(connection_)) suspect_ = true;
}

}  // namespace stox::store
