// A worker that is killed in mid-writing: everything it has told somebody about is there afterwards.

#include "tests/store/rig.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <random>
#include <thread>

extern char** environ;

namespace stox::store::test {
namespace {

/// tests/store/writer.cpp in a process of its own; its lines come through a pipe.
class Writer {
public:
    explicit Writer(const std::string& path) {
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
        std::string program = STOX_STORE_WRITER, file = path;
        std::array<char*, 3> words{program.data(), file.data(), nullptr};
        EXPECT_EQ(::posix_spawn(&process_, program.c_str(), &actions, nullptr, words.data(), environ), 0);
        posix_spawn_file_actions_destroy(&actions);
        ::close(ends[1]);
        output_ = ::fdopen(ends[0], "r");
    }
    ~Writer() { ::fclose(output_); }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    /// Without its line break; nothing at the end.
    std::optional<std::string> line() {
        std::array<char, 256> text{};
        if (!std::fgets(text.data(), text.size(), output_)) return std::nullopt;
        std::string read = text.data();
        if (read.empty() || read.back() != '\n') return std::nullopt;  // killed in the middle of it
        read.pop_back();
        return read;
    }
    void kill() { ::kill(process_, SIGKILL); }
    int end() {
        int status = 0;
        ::waitpid(process_, &status, 0);
        return status;
    }

private:
    pid_t process_ = 0;
    std::FILE* output_ = nullptr;
};

TEST(StoreKilled, ThirtyTimesInMidWritingEveryAcknowledgedRecordIsThere) {
    const Directory directory;
    std::mt19937_64 random(std::random_device{}());
    Contents acknowledged;
    unsigned long epoch = 0;
    for (int round = 0; round < 30; ++round) {
        Writer writer(directory.file());
        // Killed after so many lines; at none it may be in the middle of opening the file.
        const auto lines = round % 10 == 0 ? 0 : 1 + random() % 600;
        for (std::size_t read = 0;; ++read) {
            if (read == lines) writer.kill();
            const auto line = writer.line();
            if (!line) break;
            ASSERT_EQ(line->rfind("put ", 0), 0U) << *line;
            const auto space = line->find(' ', 4);
            acknowledged[line->substr(4, space - 4)] = line->substr(space + 1);
        }
        const int status = writer.end();
        ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;

        Rig rig(at(directory.file()));
        ASSERT_TRUE(rig.open()) << rig.error().detail;  // which proves its integrity and the sum of every record
        EXPECT_GT(rig->epoch(), epoch);
        epoch = rig->epoch();
        const auto contents = rig.contents();
        for (const auto& [key, version] : acknowledged) {
            const auto found = contents.find(key);
            ASSERT_NE(found, contents.end()) << "round " << round << ": " << key << " is lost";
            EXPECT_GE(std::stoul(found->second), std::stoul(version)) << key;
        }
    }
    std::printf("%zu records were acknowledged before 30 kills\n", acknowledged.size());
    EXPECT_GT(acknowledged.size(), 100U);
}

TEST(StoreKilled, WhileItSetsADamagedFileAsideNothingOfThatIsLost) {
    std::mt19937_64 random(std::random_device{}());
    const std::string file(8'192, 'f'), log(4'096, 'l');
    int before = 0, after = 0;
    for (int round = 0; round < 40; ++round) {
        const Directory directory;
        write_file(directory.file(), file);
        write_file(directory.file("store.db-wal"), log);
        {
            Writer writer(directory.file());
            std::this_thread::sleep_for(std::chrono::microseconds(random() % 60'000));
            writer.kill();
            writer.end();
        }
        ++(std::filesystem::exists(directory.file("store.db.damaged-1-wal")) ? after : before);
        Rig rig(at(directory.file()));
        ASSERT_TRUE(rig.open()) << rig.error().detail;
        EXPECT_TRUE(read_file(directory.file("store.db.damaged-1")) == file) << round;
        EXPECT_TRUE(read_file(directory.file("store.db.damaged-1-wal")) == log) << round;
        EXPECT_FALSE(std::filesystem::exists(directory.file("store.db.damaged-2"))) << round;
    }
    std::printf("%d killed before the file was set aside or in the middle of it, %d after\n", before, after);
}

TEST(StoreKilled, ASecondProcessIsToldThatTheFileIsInUse) {
    const Directory directory;
    Rig rig(at(directory.file()));
    ASSERT_TRUE(rig.open());
    Writer writer(directory.file());
    EXPECT_EQ(writer.line(), "refused " + directory.file() + " is in use by another worker: each needs a file of its own");
    EXPECT_EQ(writer.line(), std::nullopt);
    const int status = writer.end();
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

}  // namespace
}  // namespace stox::store::test
