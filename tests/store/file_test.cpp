// Whose the file is, who else has it, what version it is of, and files that are damaged.

#include "plugin/host/store/record_sum.h"
#include "plugin/host/store/sqlite_schema.h"
#include "tests/store/rig.h"
#include "tests/store/syncs.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <random>

namespace stox::store::test {
namespace {

namespace fs = std::filesystem;

struct Refusal {
    Code code;
    std::string detail;
};

/// Why the store at that path does not open, by a code and a text that holds the path.
Refusal refusal(SqliteSettings settings) {
    const auto path = settings.path;
    Rig rig(std::move(settings));
    if (rig.open()) {
        ADD_FAILURE() << path << " opened";
        return {Code::unmappable, ""};
    }
    EXPECT_NE(rig.error().detail.find(fs::path(path).parent_path().string()), std::string::npos) << rig.error().detail;
    return {rig.error().code, rig.error().detail};
}

#define EXPECT_REFUSED(settings, expected, text)                   \
    {                                                              \
        const auto [code, detail] = refusal(settings);             \
        EXPECT_EQ(code, expected) << detail;                       \
        EXPECT_NE(detail.find(text), std::string::npos) << detail; \
    }

void make_store(const std::string& path) {
    Rig rig(at(path));
    ASSERT_TRUE(rig.open()) << rig.error().detail;
    EXPECT_TRUE(rig.put("a", "1"));
}

/// Statements by SQLite itself, behind the store's back.
void meddle(const std::string& path, const std::string& sql) {
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &raw), SQLITE_OK);
    char* problem = nullptr;
    EXPECT_EQ(sqlite3_exec(raw, sql.c_str(), nullptr, nullptr, &problem), SQLITE_OK) << problem;
    sqlite3_free(problem);
    EXPECT_EQ(sqlite3_close(raw), SQLITE_OK);
    ::chmod(path.c_str(), 0600);
}

TEST(StoreFile, IsPrivateAsMade) {
    const Directory directory;
    const auto path = directory.file("new/store.db");
    ::umask(0);
    Rig rig(at(path));
    ASSERT_TRUE(rig.open()) << rig.error().detail;
    ::umask(022);
    EXPECT_TRUE(rig.put("a", "1"));
    const auto mode = [](const std::string& name) {
        struct stat status {};
        EXPECT_EQ(::stat(name.c_str(), &status), 0) << name;
        return status.st_mode & 07777;
    };
    EXPECT_EQ(mode(directory.file("new")), 0700U);
    for (const char* suffix : {"", "-wal", ".lock"}) EXPECT_EQ(mode(path + suffix), 0600U) << suffix;
    for (const auto& entry : fs::directory_iterator(directory.file("new")))
        EXPECT_NE(entry.path().extension(), ".new") << "nothing half made is left";
}

TEST(StoreFile, OtherModesAreRefused) {
    const Directory directory;
    const auto path = directory.file();
    make_store(path);
    const std::array<mode_t, 4> files{0644, 0660, 0400, 04600}, directories{0755, 0770, 0701, 01700};
    for (const auto mode : files) {
        ::chmod(path.c_str(), mode);
        EXPECT_REFUSED(at(path), Code::forbidden, "0600");
    }
    ::chmod(path.c_str(), 0600);
    for (const auto mode : directories) {
        ::chmod(directory.path().c_str(), mode);
        EXPECT_REFUSED(at(path), Code::forbidden, "0700");
    }
    ::chmod(directory.path().c_str(), 0700);
    ::chmod((path + ".lock").c_str(), 0666);
    EXPECT_REFUSED(at(path), Code::forbidden, ".lock");
    ::chmod((path + ".lock").c_str(), 0600);
    Rig rig(at(path));
    ASSERT_TRUE(rig.open()) << rig.error().detail;
    EXPECT_EQ(rig.contents(), (Contents{{"a", "1"}}));
}

TEST(StoreFile, OtherOwnersAreRefused) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
    const Directory directory;
    const auto path = directory.file();
    make_store(path);
    EXPECT_EQ(::chown(path.c_str(), 65534, 65534), 0);
    EXPECT_REFUSED(at(path), Code::forbidden, "belongs to user 65534");
    EXPECT_EQ(::chown(path.c_str(), 0, 0), 0);
    EXPECT_EQ(::chown(directory.path().c_str(), 65534, 65534), 0);
    EXPECT_REFUSED(at(path), Code::forbidden, "belongs to user 65534");
}

TEST(StoreFile, NothingButAPlainFileIsTaken) {
    const Directory directory, elsewhere;
    make_store(elsewhere.file());
    fs::create_symlink(elsewhere.file(), directory.file());
    EXPECT_REFUSED(at(directory.file()), Code::forbidden, "no plain file");
    fs::create_directory(directory.file("folder.db"));
    EXPECT_REFUSED(at(directory.file("folder.db")), Code::forbidden, "no plain file");
    ASSERT_EQ(::mkfifo(directory.file("pipe.db").c_str(), 0600), 0);
    EXPECT_REFUSED(at(directory.file("pipe.db")), Code::forbidden, "no plain file");
    fs::create_symlink("/etc/passwd", directory.file("locked.db.lock"));
    EXPECT_REFUSED(at(directory.file("locked.db")), Code::forbidden, "no plain file");
    EXPECT_REFUSED(at(directory.file("missing/deep/store.db")), Code::unavailable, "No such file");
    write_file(directory.file("file"), "");
    EXPECT_REFUSED(at(directory.file("file/store.db")), Code::unavailable, "Not a directory");
    for (const char* path : {"store.db", "/store.db", "/tmp/"}) {
        Rig rig(at(path));
        EXPECT_FALSE(rig.open()) << path;
    }
}

TEST(StoreFile, HasOneWorkerAtATime) {
    const Directory directory;
    const auto path = directory.file();
    Rig first(at(path));
    ASSERT_TRUE(first.open());
    EXPECT_REFUSED(at(path), Code::unavailable, path + " is in use by another worker");
    Rig other_name(at(directory.path() + "/./store.db"));
    EXPECT_FALSE(other_name.open());
    EXPECT_EQ(other_name.error().detail.rfind(path + " is in use", 0), 0U) << other_name.error().detail;
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &raw), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(raw, "SELECT * FROM record", nullptr, nullptr, nullptr), SQLITE_BUSY) << "other programs stay out too";
    sqlite3_close(raw);
    EXPECT_TRUE(first.put("a", "1"));
    first.close();
    Rig second(at(path));
    ASSERT_TRUE(second.open()) << second.error().detail;
    EXPECT_EQ(second.contents(), (Contents{{"a", "1"}}));
}

TEST(StoreFile, ANewerVersionIsRefusedAndLeftAlone) {
    const Directory directory;
    const auto path = directory.file();
    make_store(path);
    meddle(path, "PRAGMA user_version=" + std::to_string(kSchema.version + 1));
    const auto before = read_file(path);
    EXPECT_REFUSED(at(path), Code::unsupported, "newer program (schema 2, this one knows up to 1)");
    EXPECT_TRUE(read_file(path) == before);
}

TEST(StoreFile, SomebodyElsesDatabaseIsRefusedAndLeftAlone) {
    const Directory directory;
    const auto path = directory.file();
    meddle(path, "CREATE TABLE prosody(host, user, store, key, type, value)");
    const auto before = read_file(path);
    EXPECT_REFUSED(at(path), Code::unsupported, "no store of this program");
    EXPECT_TRUE(read_file(path) == before);
}

/// A store whose file was damaged starts empty, tells where the damaged one went in one line, and the next start is a usual one.
void expect_set_aside(const std::string& path, const std::string& octets, const std::string& why) {
    Rig rig(at(path));
    ASSERT_TRUE(rig.open()) << rig.error().detail;
    const auto aside = path + ".damaged-1";
    ASSERT_EQ(rig.damage().size(), 1U);
    EXPECT_EQ(rig.damage()[0].rfind(path + " is damaged: ", 0), 0U) << rig.damage()[0];
    EXPECT_NE(rig.damage()[0].find(why), std::string::npos) << rig.damage()[0];
    EXPECT_NE(rig.damage()[0].find("; it was set aside as " + aside + ","), std::string::npos) << rig.damage()[0];
    EXPECT_EQ(rig.damage()[0].find('\n'), std::string::npos);
    EXPECT_TRUE(rig.contents().empty());
    EXPECT_TRUE(read_file(aside) == octets) << "as it was";
    EXPECT_TRUE(rig.put("new", "1", Durability::full));
    rig.close();
    ASSERT_TRUE(rig.open()) << rig.error().detail;
    EXPECT_EQ(rig.damage().size(), 1U);
    EXPECT_EQ(rig.contents(), (Contents{{"new", "1"}}));
}

TEST(StoreFile, WhatWeDidNotMakeInItIsSetAside) {
    for (const char* sql :
         {"CREATE TABLE more(a)", "CREATE VIEW more AS SELECT 1", "CREATE INDEX more ON record(value)",
          "CREATE TRIGGER more AFTER INSERT ON record BEGIN DELETE FROM record; END", "DROP TABLE start",
          "ALTER TABLE record ADD COLUMN more ANY", "UPDATE record SET value = x'32'", "UPDATE record SET epoch = 9",
          "UPDATE start SET epoch = 0", "DELETE FROM start", "INSERT INTO start VALUES(7, 7)"}) {
        const Directory directory;
        const auto path = directory.file();
        make_store(path);
        meddle(path, sql);
        const auto before = read_file(path);
        SCOPED_TRACE(sql);
        expect_set_aside(path, before, "");
    }
}

TEST(StoreFile, AnEmptyFileIsSetAside) {
    const Directory directory;
    write_file(directory.file(), "");
    expect_set_aside(directory.file(), "", "it is empty");
}

TEST(StoreFile, OursWithoutTheMarkInItsHeaderIsSetAside) {
    const Directory directory;
    make_store(directory.file());
    meddle(directory.file(), "PRAGMA application_id=1");
    expect_set_aside(directory.file(), read_file(directory.file()), "the mark in its header");
}

TEST(StoreFile, ADamagedFileTakesItsLogAlong) {
    const Directory directory, elsewhere;
    std::string log;
    {
        Rig rig(at(elsewhere.file()));
        ASSERT_TRUE(rig.open());
        EXPECT_TRUE(rig.put("old", "1"));
        log = read_file(elsewhere.file("store.db-wal"));
    }
    const std::string noise(8'192, 'n');
    write_file(directory.file(), noise);
    write_file(directory.file("store.db-wal"), log);
    write_file(directory.file("store.db-journal"), noise);
    expect_set_aside(directory.file(), noise, "not a database");
    EXPECT_TRUE(read_file(directory.file("store.db.damaged-1-wal")) == log);
    EXPECT_TRUE(read_file(directory.file("store.db.damaged-1-journal")) == noise);
}

TEST(StoreFile, ALogThatAKillSeparatedFromADamagedFileFollowsIt) {
    const Directory directory;
    write_file(directory.file("store.db.damaged-1"), "the file that was moved");
    write_file(directory.file("store.db-wal"), "its log");
    expect_set_aside(directory.file(), "the file that was moved", "it is missing, its log is there");
    EXPECT_EQ(read_file(directory.file("store.db.damaged-1-wal")), "its log");
}

TEST(StoreFile, EightDamagedFilesAreKeptAndANinthStaysInItsPlace) {
    const Directory directory;
    for (unsigned i = 1; i <= kMaxSetAside; ++i) {
        write_file(directory.file(), "damaged " + std::to_string(i));
        Rig rig(at(directory.file()));
        ASSERT_TRUE(rig.open()) << rig.error().detail;
        EXPECT_EQ(rig.damage().size(), 1U);
    }
    write_file(directory.file(), "damaged once more");
    EXPECT_REFUSED(at(directory.file()), Code::unavailable, "8 damaged files stand beside it");
    EXPECT_EQ(read_file(directory.file()), "damaged once more");
    for (unsigned i = 1; i <= kMaxSetAside; ++i)
        EXPECT_EQ(read_file(directory.file("store.db.damaged-" + std::to_string(i))), "damaged " + std::to_string(i));
}

// What makes a name last is the sync of its directory.

TEST(StoreFile, TheNamesOfANewStoreAreOnTheDiskBeforeAnythingIsPromised) {
    const Directory directory;
    const auto home = directory.file("new");
    Rig rig(at(home + "/store.db"));
    const SyncsSeen seen;
    ASSERT_TRUE(rig.open()) << rig.error().detail;
    EXPECT_TRUE(seen.of(directory.path())) << "that holds the store's directory";
    EXPECT_TRUE(seen.of(home)) << "that holds the file";
    rig.close();
    write_file(home + "/store.db", "damaged");
    const SyncsSeen anew;
    ASSERT_TRUE(rig.open()) << rig.error().detail;
    EXPECT_GE(anew.of(home), 3U) << "at the start, when the file is set aside, when a new one stands there";
}

/// Whoever made the names may have been killed before he made them last.
TEST(StoreFile, TheNamesOfAnOldStoreAreMadeToLastAsWell) {
    const Directory directory;
    make_store(directory.file());
    Rig rig(at(directory.file()));
    const SyncsSeen seen;
    ASSERT_TRUE(rig.open()) << rig.error().detail;
    EXPECT_TRUE(seen.of(directory.path()));
    EXPECT_TRUE(seen.of(fs::path(directory.path()).parent_path()));
}

TEST(StoreFile, ADirectoryThatCannotBeSyncedIsRefused) {
    const Directory directory;
    const auto home = directory.file("new");
    for (const auto& failing : {directory.path(), home}) {
        const FailingSyncs fail(failing);
        EXPECT_REFUSED(at(home + "/store.db"), Code::unavailable, "Input/output error");
    }
    Rig rig(at(home + "/store.db"));
    ASSERT_TRUE(rig.open()) << rig.error().detail;
}

TEST(StoreFile, ALogWithoutItsFileIsNotPlayedIntoANewOne) {
    const Directory directory, elsewhere;
    std::string log;
    {
        Rig rig(at(elsewhere.file()));
        ASSERT_TRUE(rig.open());
        EXPECT_TRUE(rig.put("old", "1"));
        log = read_file(elsewhere.file("store.db-wal"));
    }
    write_file(directory.file("store.db-wal"), log);
    Rig rig(at(directory.file()));
    ASSERT_TRUE(rig.open()) << rig.error().detail;
    ASSERT_EQ(rig.damage().size(), 1U);
    EXPECT_NE(rig.damage()[0].find("it is missing, its log is there"), std::string::npos) << rig.damage()[0];
    EXPECT_TRUE(rig.contents().empty());
    EXPECT_TRUE(read_file(directory.file("store.db.damaged-1-wal")) == log);
}

// Migration. There never was a version 0 of ours: this one is the test's.

constexpr const char* kVersion0 =
    "PRAGMA application_id=0x73746f78; PRAGMA user_version=0; CREATE TABLE item(name TEXT PRIMARY KEY, value TEXT);"
    "INSERT INTO item VALUES('a', 'one'), ('b', 'two')";

Result<void> from_version_0(Connection& connection) {
    for (const auto& table : kSchema.tables) {
        BOOST_OUTCOME_TRYV(connection.run(table.sql));
    }
    BOOST_OUTCOME_TRY(start, connection.prepare("INSERT INTO start VALUES(6, ?)"));
    BOOST_OUTCOME_TRYV(start.bind_number(1, sum_of(6)).run());
    BOOST_OUTCOME_TRY(rows, connection.prepare("SELECT CAST(name AS BLOB), CAST(value AS BLOB) FROM item ORDER BY name"));
    BOOST_OUTCOME_TRY(insert, connection.prepare("INSERT INTO record(collection, key, value, epoch, sum) VALUES(?, ?, ?, 6, ?)"));
    for (;;) {
        BOOST_OUTCOME_TRY(row, rows.step());
        if (!row) break;
        insert.bind_octets(1, "test").bind_octets(2, rows.octets(0)).bind_octets(3, rows.octets(1));
        BOOST_OUTCOME_TRYV(insert.bind_number(4, sum_of("test", rows.octets(0), rows.octets(1), 6)).run());
    }
    rows = Statement();  // a table cannot go while it is read
    return connection.run("DROP TABLE item");
}

Result<void> fail_half_way(Connection& connection) {
    BOOST_OUTCOME_TRYV(connection.run("DROP TABLE item"));
    return fail(Code::unavailable, "half way");
}

Result<void> forget_the_tables(Connection& connection) { return connection.run("DROP TABLE item"); }

SqliteSettings with(const std::string& path, const Schema& schema) { return {.path = path, .schema = &schema}; }

TEST(StoreMigration, CarriesAnOlderFileOverAndKeepsACopy) {
    const Directory directory;
    const auto path = directory.file();
    meddle(path, kVersion0);
    static constexpr std::array kSteps{MigrationStep{0, from_version_0}};
    const Schema schema{1, kSchema.tables, kSteps};
    Rig rig(with(path, schema));
    ASSERT_TRUE(rig.open()) << rig.error().detail;
    EXPECT_EQ(rig->epoch(), 7U);
    EXPECT_EQ(rig.records(), (std::vector<Record>{{"a", "one", 6}, {"b", "two", 6}}));
    rig.close();

    Rig again(at(path));
    ASSERT_TRUE(again.open()) << again.error().detail;
    EXPECT_EQ(again.contents(), (Contents{{"a", "one"}, {"b", "two"}}));

    const auto copy = path + ".v0";
    struct stat status {};
    ASSERT_EQ(::stat(copy.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0600U);
    fs::copy_file(copy, directory.file("restored.db"));
    Rig restored(with(directory.file("restored.db"), schema));
    ASSERT_TRUE(restored.open()) << restored.error().detail;
    EXPECT_EQ(restored.contents(), (Contents{{"a", "one"}, {"b", "two"}}));
}

TEST(StoreMigration, OneThatFailsChangesNothing) {
    static constexpr std::array kBroken{MigrationStep{0, fail_half_way}}, kForgetful{MigrationStep{0, forget_the_tables}},
        kSteps{MigrationStep{0, from_version_0}};
    const Directory directory;
    const auto path = directory.file();
    meddle(path, kVersion0);
    const auto before = read_file(path);
    EXPECT_REFUSED(with(path, Schema{1, kSchema.tables, kBroken}), Code::unavailable, "half way");
    EXPECT_TRUE(read_file(path) == before);
    EXPECT_REFUSED(with(path, Schema{1, kSchema.tables, kForgetful}), Code::unsupported,
                   "schema 0 could not be carried over: table record");
    EXPECT_TRUE(read_file(path) == before);
    const Schema schema{1, kSchema.tables, kSteps};
    Rig rig(with(path, schema));
    ASSERT_TRUE(rig.open()) << rig.error().detail;
    EXPECT_EQ(rig.contents(), (Contents{{"a", "one"}, {"b", "two"}}));
}

TEST(StoreMigration, WithoutAStepAnOldFileIsRefused) {
    const Directory directory;
    const auto path = directory.file();
    meddle(path, kVersion0);
    const auto before = read_file(path);
    EXPECT_REFUSED(at(path), Code::unsupported, "schema 0 is older than any");
    EXPECT_TRUE(read_file(path) == before);
    EXPECT_FALSE(fs::exists(path + ".v0"));
}

// Damage

std::string damaged(std::string octets, int variant, std::mt19937_64& random) {
    const auto place = random() % octets.size();
    switch (variant % 4) {
        case 0:
            octets.resize(place);
            break;
        case 1:
            octets.replace(place / 512 * 512, 512, std::string(512, static_cast<char>(random())));
            break;
        default:
            octets[place] = static_cast<char>(octets[place] ^ (1 << random() % 8));
    }
    return octets;
}

Contents sample() {
    Contents contents;
    for (int i = 0; i < 300; ++i)
        contents["key " + std::to_string(i)] =
            std::string(static_cast<std::size_t>(i % 10 == 0 ? 6'000 : 40 + i), static_cast<char>('a' + i % 26));
    return contents;
}

TEST(StoreDamage, ADamagedFileOpensWithIntactRecordsOrIsLeftOrSetAsideUntouched) {
    const Directory original;
    const auto expected = sample();
    {
        Rig rig(at(original.file()));
        ASSERT_TRUE(rig.open());
        for (const auto& [key, value] : expected) ASSERT_TRUE(rig->put("test", key, value, Durability::normal, {}));
        for (int i = 0; i < 50; ++i)
            ASSERT_TRUE(rig->put("gone", std::to_string(i), std::string(3'000, 'g'), Durability::normal, {}));
        rig.settle();
        for (int i = 0; i < 50; ++i) ASSERT_TRUE(rig->erase("gone", std::to_string(i), Durability::normal, {}));
        rig.settle();
    }
    ASSERT_FALSE(fs::exists(original.file() + "-wal"));
    const auto octets = read_file(original.file());
    std::mt19937_64 random(20);
    int opened = 0, aside = 0, refused = 0;
    const auto attempt = [&](const std::string& variant, const std::string& what) {
        const Directory directory;
        write_file(directory.file(), variant);
        Rig rig(at(directory.file()));
        if (rig.open()) {
            const bool damage = !rig.damage().empty();
            ++(damage ? aside : opened);
            EXPECT_EQ(rig.contents(), damage ? Contents() : expected) << what;
            EXPECT_TRUE(!damage || read_file(directory.file("store.db.damaged-1")) == variant) << what;
        } else {
            ++refused;
            EXPECT_EQ(rig.error().code, Code::unsupported) << rig.error().detail;
            EXPECT_NE(rig.error().detail.find(directory.file()), std::string::npos) << rig.error().detail;
            EXPECT_TRUE(read_file(directory.file()) == variant) << what << ": " << rig.error().detail;
        }
    };
    for (int i = 0; i < 200; ++i) attempt(damaged(octets, i, random), "variant " + std::to_string(i));
    for (std::size_t at = 0; at < 100; ++at) {  // SQLite's header, octet by octet
        auto variant = octets;
        variant[at] = static_cast<char>(variant[at] ^ (1 << random() % 8));
        attempt(variant, "header octet " + std::to_string(at));
    }
    attempt("", "empty");
    std::printf("damaged files: %d opened with intact records, %d set aside, %d refused\n", opened, aside, refused);
    EXPECT_GT(aside, 100);
    EXPECT_LT(refused, 10);
    Rig rig(at(original.file()));
    ASSERT_TRUE(rig.open());
    EXPECT_EQ(rig.contents(), expected);
}

/// A damaged log ends where the damage is: what is left is the beginning of what was written, never something else.
TEST(StoreDamage, ADamagedLogLosesItsEndAndNothingElse) {
    const Directory original;
    std::string file, log;
    {
        Rig rig(at(original.file()));
        ASSERT_TRUE(rig.open());
        for (int i = 0; i < 100; ++i) ASSERT_TRUE(rig.put(std::to_string(i), "value " + std::to_string(i)));
        file = read_file(original.file()), log = read_file(original.file() + "-wal");
    }
    ASSERT_GT(log.size(), 100U * 4096);
    std::mt19937_64 random(21);
    int opened = 0, aside = 0;
    for (int i = 0; i < 100; ++i) {
        const Directory directory;
        write_file(directory.file(), file);
        write_file(directory.file() + "-wal", damaged(log, i, random));
        Rig rig(at(directory.file()));
        ASSERT_TRUE(rig.open()) << rig.error().detail;
        if (!rig.damage().empty()) {
            ++aside;
            EXPECT_TRUE(rig.records().empty());
            continue;
        }
        ++opened;
        const auto records = rig.records();
        for (std::size_t k = 0; k < records.size(); ++k) {
            EXPECT_EQ(records[k].key, std::to_string(k));
            EXPECT_EQ(records[k].value, "value " + std::to_string(k));
        }
    }
    std::printf("damaged logs: %d opened, %d set aside\n", opened, aside);
    EXPECT_GT(opened, 0);
}

}  // namespace
}  // namespace stox::store::test
