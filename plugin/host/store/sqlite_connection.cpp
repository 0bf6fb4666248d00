#include "plugin/host/store/sqlite_connection.h"

#include "plugin/host/store/store.h"

#include <array>

namespace stox::store {

namespace {

/// Row or text in SQLite; a damaged length field is refused before anything is allocated for it.
constexpr int kMaxRowOctets = static_cast<int>(kMaxValueOctets + kMaxKeyOctets + kMaxCollectionOctets + 64 * 1024);

Code code_of(int sqlite_code) {
    switch (sqlite_code & 0xff) {  // the rest of the bits are details
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
        case SQLITE_FORMAT:
        case SQLITE_SCHEMA:
        case SQLITE_TOOBIG:  // over kMaxRowOctets, which we never write
        case SQLITE_ERROR:   // our statements are right, so it is the file's tables that are not
            return Code::malformed;
        default:
            return Code::unavailable;
    }
}

}  // namespace

Error sqlite_error(int code, sqlite3* connection) {
    std::string text = sqlite3_errstr(code);
    if (connection && sqlite3_extended_errcode(connection) == code) text = sqlite3_errmsg(connection);
    if (const int system = connection ? sqlite3_system_errno(connection) : 0; (code & 0xff) == SQLITE_IOERR && system != 0)
        text += " (errno " + std::to_string(system) + ')';
    return {code_of(code), std::move(text)};
}

Statement& Statement::bind_octets(int parameter, std::string_view octets) {
    const char* data = octets.data() ? octets.data() : "";  // a null pointer would bind NULL
    bound_ = sqlite3_bind_blob64(handle_.get(), parameter, data, octets.size(), SQLITE_STATIC) == SQLITE_OK && bound_;
    return *this;
}

Statement& Statement::bind_number(int parameter, std::int64_t number) {
    bound_ = sqlite3_bind_int64(handle_.get(), parameter, number) == SQLITE_OK && bound_;
    return *this;
}

Result<bool> Statement::step() {
    if (!bound_) return fail(Code::unavailable, "a value could not be bound");
    const int code = sqlite3_step(handle_.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return sqlite_error(code, sqlite3_db_handle(handle_.get()));
}

Result<void> Statement::run() {
    auto row = step();
    reset();
    if (!row) return std::move(row).error();
    return ok();
}

void Statement::reset() {
    sqlite3_reset(handle_.get());
    sqlite3_clear_bindings(handle_.get());
    bound_ = true;
}

std::string_view Statement::octets(int column) const {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(handle_.get(), column));
    return data ? std::string_view(data, static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column)))
                : std::string_view();
}

std::int64_t Statement::number(int column) const { return sqlite3_column_int64(handle_.get(), column); }

Result<Connection> Connection::open(const std::string& path, const char* vfs) {
    // Used by one thread at a time, so without SQLite's own mutex.
    constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    sqlite3* raw = nullptr;
    const int code = sqlite3_open_v2(path.c_str(), &raw, kFlags, vfs);
    Connection connection{ConnectionHandle(raw)};
    if (code != SQLITE_OK) return connection.error(code);
    connection.harden();
    // Exclusive: no other program writes beside us, and the index of the log stays in memory instead of a shared file.
    BOOST_OUTCOME_TRYV(
        connection.run("PRAGMA locking_mode=EXCLUSIVE; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; "
                       "PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0;"));
    return connection;
}

void Connection::harden() {
    const struct {
        int option, value;
    } switches[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},   {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
        {SQLITE_DBCONFIG_ENABLE_VIEW, 0}, {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0}, {SQLITE_DBCONFIG_DQS_DML, 0},
        {SQLITE_DBCONFIG_DQS_DDL, 0},     {SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1},
    };
    for (const auto& [option, value] : switches) sqlite3_db_config(get(), option, value, nullptr);
    sqlite3_limit(get(), SQLITE_LIMIT_LENGTH, kMaxRowOctets);
    sqlite3_limit(get(), SQLITE_LIMIT_ATTACHED, 0);
}

Result<void> Connection::run(const char* sql) {
    if (const int code = sqlite3_exec(get(), sql, nullptr, nullptr, nullptr); code != SQLITE_OK) return error(code);
    return ok();
}

Result<Statement> Connection::prepare(const char* sql) {
    sqlite3_stmt* raw = nullptr;
    const int code = sqlite3_prepare_v3(get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
    if (code != SQLITE_OK) return error(code);
    return Statement(StatementHandle(raw));
}

Result<std::int64_t> Connection::number(const char* sql) {
    BOOST_OUTCOME_TRY(statement, prepare(sql));
    BOOST_OUTCOME_TRY(row, statement.step());
    if (!row) return fail(Code::malformed, "a row is missing");
    return statement.number(0);
}

Result<std::string> Connection::text(const char* sql) {
    BOOST_OUTCOME_TRY(statement, prepare(sql));
    BOOST_OUTCOME_TRY(row, statement.step());
    if (!row) return fail(Code::malformed, "a row is missing");
    return std::string(statement.octets(0));
}

Result<void> Connection::read_through() {
    std::array<char, 64 * 1024> octets;
    for (const int which : {SQLITE_FCNTL_FILE_POINTER, SQLITE_FCNTL_JOURNAL_POINTER}) {
        sqlite3_file* file = nullptr;
        sqlite3_file_control(get(), "main", which, &file);
        if (!file || !file->pMethods) continue;  // no log
        sqlite3_int64 size = 0;
        if (const int code = file->pMethods->xFileSize(file, &size); code != SQLITE_OK) return sqlite_error(code, nullptr);
        for (sqlite3_int64 at = 0; at < size; at += static_cast<sqlite3_int64>(octets.size())) {
            const int code = file->pMethods->xRead(file, octets.data(), static_cast<int>(octets.size()), at);
            if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ) return sqlite_error(code, nullptr);
        }
    }
    return ok();
}

void Connection::checkpoint_on_close() { sqlite3_db_config(get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr); }

}  // namespace stox::store
