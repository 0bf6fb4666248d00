// stox.so's supervisor against a worker that obeys (fake_worker.py).

#include "plugin/host/abi/stox.h"

extern "C" {
#include "plugin/host/abi/restart.h"
}

#include <gtest/gtest.h>

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kPatience{20};

std::size_t open_descriptors() {
    std::size_t count = 0;
    DIR* directory = ::opendir("/proc/self/fd");
    while (::readdir(directory)) ++count;
    ::closedir(directory);
    return count;
}

class Abi : public testing::Test {
protected:
    void open(const char* worker = STOX_FAKE_WORKER) {
        char why[256] = "";
        handle_ = stox_open(worker, nullptr, why, sizeof why);
        ASSERT_NE(handle_, nullptr) << why;
    }
    void close(unsigned timeout_ms = 5'000) { stox_close(std::exchange(handle_, nullptr), timeout_ms); }
    void TearDown() override { stox_close(handle_, 0); }

    std::optional<std::string> next() {
        std::string event(2u << 20, '\0');
        const long n = stox_next(handle_, event.data(), event.size());
        if (n <= 0) return std::nullopt;
        event.resize(static_cast<std::size_t>(n));
        return event;
    }
    // Only when the descriptor says so is there anything to take: what a server relies on.
    std::string wait_for(const std::string& part) {
        const auto until = Clock::now() + kPatience;
        while (Clock::now() < until) {
            while (auto event = next()) {
                events_.push_back(*event);
                if (event->find(part) != std::string::npos) return *event;
            }
            pollfd fd{stox_fd(handle_), POLLIN, 0};
            ::poll(&fd, 1, 1'000);
        }
        ADD_FAILURE() << "no event with " << part;
        return {};
    }
    int send(const std::string& line) { return stox_command(handle_, line.data(), line.size()); }
    pid_t wait_for_start() {
        const auto event = wait_for(R"("state":"started")");
        return std::atoi(event.c_str() + event.find("\"pid\":") + 6);
    }

    stox* handle_ = nullptr;
    std::vector<std::string> events_;
};

TEST_F(Abi, TellsItsVersion) {
    EXPECT_EQ(stox_abi(), STOX_ABI);
    EXPECT_STREQ(stox_version(), STOX_VERSION);
}

TEST_F(Abi, TheDescriptorIsReadableAsLongAsAnEventWaits) {
    open();
    pollfd fd{stox_fd(handle_), POLLIN, 0};
    EXPECT_EQ(::poll(&fd, 1, 0), 1);  // "started"
    wait_for(R"("stox": 1)");
    for (int i = 0; i < 3; ++i) send(R"({"t":"hello"})");
    wait_for("hello");
    int others = 0;
    while (others < 2 && ::poll(&fd, 1, 10'000) == 1)
        if (auto event = next(); event && event->find("hello") != event->npos) ++others;
    EXPECT_EQ(others, 2);
    EXPECT_EQ(::poll(&fd, 1, 0), 0);
}

TEST_F(Abi, PassesLinesBothWays) {
    open();
    EXPECT_GT(wait_for_start(), 0);
    EXPECT_EQ(send(R"({"t":"hello","n":7})"), 0);
    EXPECT_EQ(wait_for("echo"), R"({"t": "echo", "of": {"t": "hello", "n": 7}})");
    EXPECT_EQ(send("two\nlines"), -1);
}

TEST_F(Abi, StartsAgainAfterKill) {
    open();
    const pid_t first = wait_for_start();
    ::kill(first, SIGKILL);
    const auto ended = wait_for(R"("state":"ended")");
    EXPECT_EQ(ended, R"({"t":"worker","state":"ended","how":"killed by signal 9","restart_ms":5})");
    EXPECT_EQ(send("{}"), -1);
    EXPECT_NE(wait_for_start(), first);
    send(R"({"t":"hello"})");
    wait_for("hello");
}

TEST_F(Abi, TellsTheExitStatus) {
    open();
    send(R"({"t":"exit","status":3})");
    EXPECT_NE(wait_for("ended").find("exited with status 3"), std::string::npos);
}

TEST_F(Abi, StaysDownAfterTenEnds) {
    open("/bin/false");
    wait_for(R"("restart_ms":-1)");
    std::size_t starts = 0;
    for (const auto& event : events_) starts += event.find("started") != event.npos;
    EXPECT_EQ(starts, 10u);
    pollfd fd{stox_fd(handle_), POLLIN, 0};
    EXPECT_EQ(::poll(&fd, 1, 0), 0);
    EXPECT_EQ(send("{}"), -1);
}

TEST_F(Abi, StandardErrorBecomesLogEvents) {
    open();
    send(R"({"t":"stderr","text":"a \"quoted\" \\ tab\there"})");
    EXPECT_EQ(wait_for("quoted"), R"({"t":"log","level":"error","text":"a \"quoted\" \\ tab\u0009here"})");
}

TEST_F(Abi, LargeLinesPassAndTooLargeOnesAreDropped) {
    open();
    send(R"({"t":"big","size":1000000})");
    EXPECT_GT(wait_for(R"("big")").size(), 1'000'000u);
    send(R"({"t":"big","size":1100000})");
    wait_for("over 1 MiB");
    send(R"({"t":"hello"})");
    wait_for("hello");
    EXPECT_EQ(send(R"({"t":"large","x":")" + std::string(900'000, 'y') + "\"}"), 0);
    EXPECT_GT(wait_for("large").size(), 900'000u);
}

TEST_F(Abi, SaysHowMuchRoomAnEventNeeds) {
    open();
    char small[8];
    const long n = stox_next(handle_, small, sizeof small);
    ASSERT_LT(n, 0);
    std::string event(static_cast<std::size_t>(-n), '\0');
    EXPECT_EQ(stox_next(handle_, event.data(), event.size()), -n);
    EXPECT_NE(event.find("started"), event.npos);
}

TEST_F(Abi, TheWorkerInheritsNothing) {
    open();
    send(R"({"t":"descriptors"})");
    // 3 is the directory being read.
    EXPECT_EQ(wait_for("descriptors"), R"({"t": "descriptors", "open": [0, 1, 2, 3]})");
}

TEST_F(Abi, ClosesAndKillsAStubbornWorker) {
    open();
    const pid_t pid = wait_for_start();
    send(R"({"t":"stubborn"})");
    wait_for("stubborn");
    const auto before = Clock::now();
    close(300);
    EXPECT_GE(Clock::now() - before, std::chrono::milliseconds(290));
    EXPECT_LT(Clock::now() - before, std::chrono::seconds(5));
    EXPECT_EQ(::kill(pid, 0), -1);
    EXPECT_EQ(errno, ESRCH);
}

TEST_F(Abi, CommandsNobodyReadsAreRefusedAtEightMebibytes) {
    open("/bin/cat");  // reads until its output is full
    wait_for_start();
    const std::string line(1'000'000, 'x');
    int taken = 0;
    while (taken < 40 && send(line) == 0) ++taken;
    EXPECT_GE(taken, 8);
    EXPECT_LT(taken, 40);
}

TEST_F(Abi, LeavesNoDescriptorAndNoZombie) {
    const auto before = open_descriptors();
    for (int i = 0; i < 5; ++i) {
        open();
        send(R"({"t":"kill"})");
        wait_for("ended");
        wait_for_start();
        close();
    }
    EXPECT_EQ(open_descriptors(), before);
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
    EXPECT_EQ(errno, ECHILD);
}

TEST_F(Abi, RefusesWhatItCannotStart) {
    char why[256] = "";
    EXPECT_EQ(stox_open("/nonexistent/stoxd", nullptr, why, sizeof why), nullptr);
    EXPECT_NE(std::string(why).find("/nonexistent/stoxd"), std::string::npos);
    EXPECT_EQ(stox_open("stoxd", nullptr, why, sizeof why), nullptr);
    EXPECT_EQ(stox_open(nullptr, "/nonexistent.so", why, sizeof why), nullptr);
    EXPECT_EQ(stox_open(nullptr, nullptr, why, sizeof why), nullptr);
}

TEST(Restart, DoublesToThirtySecondsAndGivesUp) {
    stox_restart r;
    stox_restart_init(&r, 100);
    std::uint64_t now = 0;
    std::vector<long> waits;
    // Each life is 5 s, so ten ends never come within 60 s.
    for (int i = 0; i < 12; ++i) {
        const auto started = now;
        now += 5'000;
        waits.push_back(stox_restart_after_end(&r, started, now));
        now += static_cast<std::uint64_t>(waits.back());
    }
    EXPECT_EQ(waits, (std::vector<long>{100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000, 30000}));
    EXPECT_EQ(stox_restart_after_end(&r, now, now + 60'000), 100);  // it had lived

    stox_restart_init(&r, 100);
    for (int i = 0; i < 9; ++i) EXPECT_GT(stox_restart_after_end(&r, 0, 0), 0);
    EXPECT_EQ(stox_restart_after_end(&r, 0, 60'000 - 1), -1);
}

}  // namespace
