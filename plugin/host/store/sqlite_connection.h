#pragma once
// SQLite's C API behind two values: a connection that trusts nothing in its file, and a prepared statement.

#include "mapping/core/handle.h"
#include "mapping/core/result.h"

#include <sqlite3.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace stox::store {

using StatementHandle = Handle<sqlite3_stmt, &sqlite3_finalize>;
using ConnectionHandle = Handle<sqlite3, &sqlite3_close_v2>;

/// unavailable: the disk, or another program in the way; malformed: the file is damaged. The text is SQLite's own.
Error sqlite_error(int code, sqlite3* connection);

/// A prepared statement. Values reach the database through bind() only.
class Statement {
public:
    Statement() = default;
    explicit Statement(StatementHandle handle) : handle_(std::move(handle)) {}

    /// Parameters from 1. Octets are bound as they are and must live until the next step is over.
    Statement& bind_octets(int parameter, std::string_view octets);
    Statement& bind_number(int parameter, std::int64_t number);
    /// True: a row is there to be read.
    Result<bool> step();
    /// Runs a statement that has no rows, and makes it ready for the next run.
    Result<void> run();
    void reset();

    /// Columns from 0 of the row that step() found.
    std::string_view octets(int column) const;
    std::int64_t number(int column) const;

private:
    StatementHandle handle_;
    bool bound_ = true;  ///< all bind calls since the last reset went well
};

class Connection {
public:
    /// Opens an existing file, exclusively from its first use on, and changes nothing in it: closing leaves the log beside it
    /// until checkpoint_on_close().
    /// vfs   name of a registered sqlite3_vfs; null: the system's
    static Result<Connection> open(const std::string& path, const char* vfs);

    /// Constant text of ours, without parameters.
    Result<void> run(const char* sql);
    Result<Statement> prepare(const char* sql);
    /// The first column of the first row, as a number or as text.
    Result<std::int64_t> number(const char* sql);
    Result<std::string> text(const char* sql);

    /// Reads every octet of the file and of its log.
    /// errors  unavailable: the disk does not give them
    Result<void> read_through();

    void checkpoint_on_close();
    sqlite3* get() const { return handle_.get(); }
    Error error(int code) const { return sqlite_error(code, handle_.get()); }

private:
    explicit Connection(ConnectionHandle handle) : handle_(std::move(handle)) {}
    void harden();

    ConnectionHandle handle_;
};

}  // namespace stox::store
