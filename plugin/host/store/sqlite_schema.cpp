#include "plugin/host/store/sqlite_schema.h"

#include "plugin/host/store/record_sum.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace stox::store {

namespace {

constexpr int kApplicationId = 0x73746f78;  // "stox" in the header of the file: SQLite's place for whose file it is

// id keeps the order in which keys came. Octets are blobs: no encoding can change them, no NUL can end them.
constexpr std::array kTables{
    Table{"record",
          "CREATE TABLE record(id INTEGER PRIMARY KEY, collection BLOB NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, "
          "epoch INTEGER NOT NULL, sum INTEGER NOT NULL, UNIQUE(collection, key)) STRICT"},
    Table{"start", "CREATE TABLE start(epoch INTEGER NOT NULL, sum INTEGER NOT NULL) STRICT"},
};

Error with_path(const std::string& path, Error error) {
    return {error.code, path + (error.code == Code::malformed ? " is damaged: " : ": ") + error.detail};
}

Result<void> set_version(Connection& connection, int version) {
    return connection.run(("PRAGMA user_version=" + std::to_string(version)).c_str());  // takes no parameter
}

Result<void> make_tables(Connection& connection, const Schema& schema) {
    BOOST_OUTCOME_TRYV(connection.run(("PRAGMA application_id=" + std::to_string(kApplicationId)).c_str()));
    for (const auto& table : schema.tables) {
        BOOST_OUTCOME_TRYV(connection.run(table.sql));
    }
    BOOST_OUTCOME_TRY(start, connection.prepare("INSERT INTO start VALUES(0, ?)"));
    BOOST_OUTCOME_TRYV(start.bind_number(1, sum_of(0)).run());
    return set_version(connection, schema.version);
}

/// Under another name first: so the name belongs to a whole file or to none, and an empty file is never a fresh one.
Result<void> make_file(const StorePlace& place, const char* vfs, const Schema& schema) {
    for (const char* suffix : kLogSuffixes) {
        BOOST_OUTCOME_TRY(stray_log, is_there(place.path + suffix));
        if (stray_log) return fail(Code::malformed, "it is missing, its log is there");  // which would be played into a new one
    }
    const auto unfinished = place.path + ".new";
    BOOST_OUTCOME_TRYV(make_empty(unfinished));
    {
        BOOST_OUTCOME_TRY(connection, Connection::open(unfinished, vfs));
        connection.checkpoint_on_close();
        BOOST_OUTCOME_TRYV(connection.run("PRAGMA synchronous=FULL; BEGIN IMMEDIATE"));
        BOOST_OUTCOME_TRYV(make_tables(connection, schema));
        BOOST_OUTCOME_TRYV(connection.run("COMMIT"));
        BOOST_OUTCOME_TRYV(connection.run("PRAGMA journal_mode=WAL"));
    }
    return move_into_place(place, unfinished, place.path);
}

/// As this program makes them, and nothing else.
Result<void> check_tables(Connection& connection, const Schema& schema) {
    // Indexes that SQLite makes for a UNIQUE have no text.
    BOOST_OUTCOME_TRY(statement, connection.prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name"));
    for (const auto& table : schema.tables) {
        BOOST_OUTCOME_TRY(row, statement.step());
        if (!row || statement.octets(0) != table.name || statement.octets(1) != table.sql)
            return fail(Code::malformed, "table " + std::string(table.name) + " is not as this program makes it");
    }
    BOOST_OUTCOME_TRY(more, statement.step());
    if (more) return fail(Code::malformed, "a table, index, view or trigger of unknown origin");
    return ok();
}

Result<void> check_owner(Connection& connection, const Schema& schema) {
    BOOST_OUTCOME_TRY(id, connection.number("PRAGMA application_id"));
    if (id != kApplicationId) {
        BOOST_OUTCOME_TRY(pages, connection.number("PRAGMA page_count"));
        if (pages == 0) return fail(Code::malformed, "it is empty");  // no file of ours ever is
        if (check_tables(connection, schema)) return fail(Code::malformed, "the mark in its header");
        return fail(Code::unsupported, "a database, but no store of this program; it was left as it is");
    }
    BOOST_OUTCOME_TRY(version, connection.number("PRAGMA user_version"));
    if (version > schema.version)
        return fail(Code::unsupported, "written by a newer program (schema " + std::to_string(version) +
                                           ", this one knows up to " + std::to_string(schema.version) +
                                           "): upgrade, or move the file away");
    return ok();
}

/// A header can say of a whole file that nobody may write it.
Result<void> check_writable(const StorePlace& place, Connection& connection) {
    if (sqlite3_db_readonly(connection.get(), "main") == 0) return ok();
    if (::access(place.path.c_str(), W_OK) == 0) return fail(Code::malformed, "its header forbids writing");
    return fail(Code::unavailable, std::generic_category().message(errno));
}

Result<void> check_integrity(Connection& connection) {
    BOOST_OUTCOME_TRY(verdict, connection.text("PRAGMA integrity_check(1)"));
    if (verdict != "ok") return fail(Code::malformed, std::move(verdict));
    return ok();
}

Result<void> check_sums(Connection& connection) {
    BOOST_OUTCOME_TRY(start, connection.prepare("SELECT epoch, sum FROM start"));
    BOOST_OUTCOME_TRY(there, start.step());
    if (!there || start.number(1) != sum_of(static_cast<std::uint64_t>(start.number(0))))
        return fail(Code::malformed, "the number of the last start");
    BOOST_OUTCOME_TRY(second, start.step());
    if (second) return fail(Code::malformed, "two numbers of the last start");
    BOOST_OUTCOME_TRY(rows, connection.prepare("SELECT collection, key, value, epoch, sum FROM record"));
    for (;;) {
        BOOST_OUTCOME_TRY(row, rows.step());
        if (!row) return ok();
        if (rows.number(4) != sum_of(rows.octets(0), rows.octets(1), rows.octets(2), static_cast<std::uint64_t>(rows.number(3))))
            return fail(Code::malformed, "a record that is not as it was written");
    }
}

struct BackupFinish {
    void operator()(sqlite3_backup* backup) const { sqlite3_backup_finish(backup); }
};

/// The file as it is now, log included, beside it.
Result<void> keep_copy(const StorePlace& place, Connection& connection, const char* vfs, std::int64_t version) {
    const auto copy = place.path + ".v" + std::to_string(version), unfinished = copy + ".new";
    BOOST_OUTCOME_TRYV(make_empty(unfinished));
    {
        BOOST_OUTCOME_TRY(target, Connection::open(unfinished, vfs));
        target.checkpoint_on_close();
        BOOST_OUTCOME_TRYV(target.run("PRAGMA synchronous=FULL"));
        const std::unique_ptr<sqlite3_backup, BackupFinish> backup(
            sqlite3_backup_init(target.get(), "main", connection.get(), "main"));
        if (!backup) return target.error(sqlite3_extended_errcode(target.get()));
        if (const int code = sqlite3_backup_step(backup.get(), -1); code != SQLITE_DONE) return sqlite_error(code, nullptr);
    }
    return move_into_place(place, unfinished, copy);
}

/// Carries the tables to the newest version, or leaves the file as it is.
Result<void> run_steps(Connection& connection, const Schema& schema, std::int64_t version) {
    // Left open by an error, the transaction ends with the connection, without a trace.
    BOOST_OUTCOME_TRYV(connection.run("PRAGMA synchronous=FULL; BEGIN IMMEDIATE"));
    for (auto from = version; from < schema.version; ++from) {
        BOOST_OUTCOME_TRYV(std::ranges::find(schema.steps, from, &MigrationStep::from)->run(connection));
    }
    BOOST_OUTCOME_TRYV(set_version(connection, schema.version));
    BOOST_OUTCOME_TRYV(check_tables(connection, schema));
    BOOST_OUTCOME_TRYV(check_sums(connection));
    return connection.run("COMMIT");
}

Result<void> migrate(const StorePlace& place, Connection& connection, const char* vfs, const Schema& schema) {
    BOOST_OUTCOME_TRY(version, connection.number("PRAGMA user_version"));
    if (version == schema.version) return ok();
    for (auto from = version; from < schema.version; ++from)
        if (std::ranges::find(schema.steps, from, &MigrationStep::from) == schema.steps.end())
            return fail(Code::unsupported, "schema " + std::to_string(version) + " is older than any this program can read");
    BOOST_OUTCOME_TRYV(keep_copy(place, connection, vfs, version));
    auto carried = run_steps(connection, schema, version);
    if (carried || carried.error().code != Code::malformed) return carried;
    // The file was whole before, so it is the step that is wrong, and nothing to set a file aside for.
    return fail(Code::unsupported, "schema " + std::to_string(version) + " could not be carried over: " + carried.error().detail);
}

Result<void> prove(const StorePlace& place, Connection& connection, const char* vfs, const Schema& schema) {
    BOOST_OUTCOME_TRYV(check_owner(connection, schema));
    BOOST_OUTCOME_TRYV(check_writable(place, connection));
    BOOST_OUTCOME_TRYV(check_integrity(connection));
    BOOST_OUTCOME_TRYV(migrate(place, connection, vfs, schema));
    BOOST_OUTCOME_TRYV(check_tables(connection, schema));
    return check_sums(connection);
}

/// SQLite tells some pages that the disk does not give as damage, and says no more about them.
Result<Connection> open_proven(const StorePlace& place, const char* vfs, const Schema& schema) {
    BOOST_OUTCOME_TRY(connection, Connection::open(place.path, vfs));
    if (auto proven = prove(place, connection, vfs, schema); !proven) {
        if (proven.error().code == Code::malformed) {
            BOOST_OUTCOME_TRYV(connection.read_through());
        }
        return std::move(proven).error();
    }
    connection.checkpoint_on_close();
    return std::move(connection);
}

}  // namespace

const Schema kSchema{1, kTables, {}};

Result<Connection> open_checked(const StorePlace& place, const char* vfs, const Schema& schema) {
    BOOST_OUTCOME_TRY(there, is_there(place.path));
    if (!there)
        if (auto made = make_file(place, vfs, schema); !made) return with_path(place.path, std::move(made).error());
    auto connection = open_proven(place, vfs, schema);
    // Twice: a read that failed once and then did not is no damage either.
    if (!connection && connection.error().code == Code::malformed) connection = open_proven(place, vfs, schema);
    if (!connection) return with_path(place.path, std::move(connection).error());
    return connection;
}

}  // namespace stox::store
