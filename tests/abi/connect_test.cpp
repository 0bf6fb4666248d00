// stox.so against a service: a control socket that this test listens on.

// In C++ the name is a namespace already.
#define stox stox_handle
#include "plugin/host/abi/stox.h"
#undef stox
#include "tests/support/directory.h"
#include "tests/support/wire.h"

extern "C" {
#include "plugin/host/abi/restart.h"
}

#include <gtest/gtest.h>

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

namespace {

using Clock = std::chrono::steady_clock;
using stox::test::UnixListener;
using stox::test::Wire;

class AbiConnect : public testing::Test {
protected:
    void connect(const std::string& path) {
        char why[256] = "";
        handle_ = stox_connect(path.c_str(), why, sizeof why);
        ASSERT_NE(handle_, nullptr) << why;
    }
    void close() { stox_close(std::exchange(handle_, nullptr), 1'000); }
    void TearDown() override { stox_close(handle_, 0); }

    std::string wait_for(const std::string& part) {
        const auto until = Clock::now() + std::chrono::seconds(20);
        std::string event(1u << 20, '\0');
        while (Clock::now() < until) {
            pollfd fd{stox_fd(handle_), POLLIN, 0};
            ::poll(&fd, 1, 1'000);
            while (true) {
                const long n = stox_next(handle_, event.data(), event.size());
                if (n <= 0) break;
                if (const auto text = event.substr(0, static_cast<std::size_t>(n)); text.find(part) != text.npos) return text;
            }
        }
        ADD_FAILURE() << "no event with " << part;
        return {};
    }
    int send(const std::string& line) { return stox_command(handle_, line.data(), line.size()); }

    stox_handle* handle_ = nullptr;
};

TEST_F(AbiConnect, PassesLinesBothWaysAndLeavesTheServiceRunning) {
    UnixListener service;
    connect(service.path());
    EXPECT_EQ(wait_for("started"), R"({"t":"worker","state":"started","pid":)" + std::to_string(::getpid()) + "}");
    Wire end = service.accept();
    end.send("{\"stox\":1}\n");
    EXPECT_EQ(wait_for("stox"), R"({"stox":1})");
    EXPECT_EQ(send(R"({"t":"status"})"), 0);
    end.read_until("{\"t\":\"status\"}\n");
    EXPECT_EQ(send(R"({"t":"last"})"), 0);
    close();
    end.read_until("{\"t\":\"last\"}\n");  // and no stop
    EXPECT_TRUE(end.closed());
}

TEST_F(AbiConnect, ALostServiceIsFoundAgain) {
    UnixListener service;
    connect(service.path());
    {
        Wire end = service.accept();
        end.send("{\"t\":\"log\",\"text\":\"last words\"}\n");
    }
    wait_for("last words");
    EXPECT_EQ(wait_for("ended"), R"({"t":"worker","state":"ended","how":"closed the connection","restart_ms":5})");
    wait_for("started");
    Wire again = service.accept();
    EXPECT_EQ(send("{}"), 0);
    again.read_until("{}\n");
}

TEST_F(AbiConnect, AServiceThatIsNotThereYetIsWaitedFor) {
    auto service = std::make_unique<UnixListener>();
    const auto path = service->path();
    service.reset();
    connect(path);
    const auto told = wait_for("ended");
    EXPECT_NE(told.find("cannot be reached on " + path), std::string::npos) << told;
    EXPECT_EQ(send("{}"), -1);
    // More often than a worker that is started may end.
    for (int n = 0; n < 10; ++n) ASSERT_EQ(wait_for("ended").find("\"restart_ms\":-1"), std::string::npos);
}

TEST_F(AbiConnect, AForeignListenerGetsNoSecret) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can be two users";
    constexpr uid_t kForeign = 65'534;
    stox::test::PrivateDirectory directory;
    const auto path = directory.file("control");
    ASSERT_EQ(::chmod(path.substr(0, path.rfind('/')).c_str(), 0777), 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    ASSERT_LT(path.size(), sizeof address.sun_path);
    path.copy(address.sun_path, path.size());
    ASSERT_EQ(::seteuid(kForeign), 0);
    const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool listens = ::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 && ::listen(listener, 4) == 0;
    ASSERT_EQ(::seteuid(0), 0);
    ASSERT_TRUE(listens);
    connect(path);
    const auto told = wait_for("ended");
    EXPECT_NE(told.find("is held by user 65534, who is not the owner of its directory"), std::string::npos) << told;
    ::close(listener);
}

TEST_F(AbiConnect, APathThatCannotBeOneIsRefused) {
    char why[256] = "";
    EXPECT_EQ(stox_connect("control", why, sizeof why), nullptr);
    EXPECT_NE(std::string(why).find("absolute path"), std::string::npos) << why;
    EXPECT_EQ(stox_connect(("/" + std::string(200, 'x')).c_str(), why, sizeof why), nullptr);
}

TEST(Restart, AServiceIsTriedAgainForEver) {
    stox_restart restart;
    stox_restart_init(&restart, 100);
    long last = 0;
    for (int n = 0; n < 50; ++n) last = stox_restart_after_loss(&restart, 1'000, 1'000);
    EXPECT_EQ(last, 30'000);
    EXPECT_EQ(stox_restart_after_loss(&restart, 1'000, 5'999), 30'000);
    EXPECT_EQ(stox_restart_after_loss(&restart, 1'000, 6'000), 100);  // it had worked
}

}  // namespace
