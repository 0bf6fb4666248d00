// Sockets in the file system that a service listens on.

#include "plugin/host/listener.h"
#include "tests/host/worker_rig.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace {

using namespace stox::host::test;

TEST(Listener, IsForUserAndGroupAndTakesThePlaceOfADeadOne) {
    stox::test::PrivateDirectory directory;
    const auto path = directory.file("control");
    const auto first = stox::host::listen_on(path, 0660);
    ASSERT_TRUE(first);
    struct stat mode = {};
    ASSERT_EQ(::stat(path.c_str(), &mode), 0);
    EXPECT_EQ(mode.st_mode & 07777u, 0660u);
    EXPECT_FALSE(stox::host::listen_on(path, 0660));
    ::close(first.value());
    const auto second = stox::host::listen_on(path, 0660);
    ASSERT_TRUE(second);
    ::close(second.value());
    EXPECT_FALSE(stox::host::listen_on(directory.file("absent/control"), 0660));
    EXPECT_FALSE(stox::host::listen_on("/" + std::string(200, 'x'), 0660));
    std::ofstream(directory.file("notes")) << "kept";
    EXPECT_FALSE(stox::host::listen_on(directory.file("notes"), 0660));
    EXPECT_TRUE(std::filesystem::exists(directory.file("notes"))) << "no socket of ours";
}

TEST(Listener, ASocketThatIsHandedOverIsTaken) {
    stox::test::PrivateDirectory directory;
    EXPECT_EQ(stox::host::handed_over(), -1);
    const auto listener = stox::host::listen_on(directory.file("control"), 0660);
    ASSERT_TRUE(listener);
    const pid_t child = ::fork();
    if (child == 0) {
        ::dup2(listener.value(), 3);
        ::setenv("LISTEN_FDS", "1", 1);
        ::setenv("LISTEN_PID", "1", 1);
        const bool of_another = stox::host::handed_over() == -1;
        ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
        ::_exit(of_another && stox::host::handed_over() == 3 ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    ::close(listener.value());
}

}  // namespace
