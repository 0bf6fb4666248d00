#pragma once
// A directory of its own for each test, a loop, and a store in it.

#include "plugin/host/store/sqlite_store.h"
#include "tests/support/directory.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace stox::store::test {

class Directory : public stox::test::PrivateDirectory {
public:
    std::string file(const std::string& name = "store.db") const { return PrivateDirectory::file(name); }
};

std::string read_file(const std::string& path);
/// Mode 0600.
void write_file(const std::string& path, const std::string& octets);

/// key -> value
using Contents = std::map<std::string, std::string>;

/// A store that is opened and closed at will.
class Rig {
public:
    explicit Rig(SqliteSettings settings) : settings_(std::move(settings)) {
        settings_.on_damage = [this](const std::string& line) { damage_.push_back(line); };
    }
    Rig(const Rig&) = delete;
    Rig& operator=(const Rig&) = delete;

    SqliteSettings& settings() { return settings_; }
    /// Null, and error() says why.
    Store* open();
    Store* operator->() { return store_.get(); }
    void close() { store_.reset(); }
    const Error& error() const { return error_; }
    /// Lines about damaged files, since the rig was made.
    const std::vector<std::string>& damage() const { return damage_; }

    /// Runs the loop until no answer is due.
    void settle();
    /// One batch and its answer; a refusal counts as the answer.
    Result<void> write(std::vector<Change> batch);
    Result<void> put(const std::string& key, const std::string& value, Durability durability = Durability::normal) {
        return write({{"test", key, value, durability}});
    }
    Result<void> erase(const std::string& key) { return write({{"test", key, std::nullopt, Durability::normal}}); }
    std::vector<Record> records(const std::string& collection = "test");
    Contents contents(const std::string& collection = "test");

private:
    SqliteSettings settings_;
    boost::asio::io_context loop_;
    std::unique_ptr<SqliteStore> store_;
    Error error_{};
    std::vector<std::string> damage_;
};

inline SqliteSettings at(std::string path) { return {.path = std::move(path)}; }

}  // namespace stox::store::test
