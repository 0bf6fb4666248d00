#pragma once
// A worker that runs as a service, and the modules of chat servers at its control socket.

#include "plugin/host/listener.h"
#include "tests/host/worker_rig.h"

#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <thread>

namespace stox::host::test {

inline Wire to_unix(const std::string& path) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size());
    const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error("connect");
    return Wire(descriptor);
}

constexpr uid_t kOtherUser = 4'242;

/// What this thread does in `action`, connecting or listening, another user does to the kernel. The files stay root's.
template <class Action>
auto as_other_user(Action action) {
    // glibc's calls change every thread.
    ::syscall(SYS_setresuid, -1, kOtherUser, -1);
    ::syscall(SYS_setfsuid, 0);
    auto result = action();
    ::syscall(SYS_setresuid, -1, 0, -1);
    return result;
}

class ServiceTest : public ::testing::Test {
protected:
    ServiceTest() {
        ::setenv("STATE_DIRECTORY", state.path().c_str(), 1);
        const auto opened = stox::host::listen_on(path, 0660);
        if (!opened) throw std::runtime_error(opened.error().detail);
        listening_ = opened.value();
        thread_ = std::thread([this] {
            const stox_service service{listening_, end_, &kOtherUser, 1, nullptr, 0, 1};
            exit_status = stox_service_run(&service);
        });
    }
    ~ServiceTest() override {
        if (thread_.joinable()) stop();
        ::close(listening_);
        ::close(end_);
    }

    void stop() {
        const std::uint64_t one = 1;
        ASSERT_EQ(::write(end_, &one, sizeof one), 8);
        thread_.join();
    }
    /// A module of that server.
    Wire module(const std::string& server = "first") {
        Wire wire = to_unix(path);
        wire.line_with(R"("stox":1)");
        wire.send(R"({"stox":1,"version":"test","features":[],"server":)" + quoted(server) + "}\n");
        return wire;
    }
    Wire module_of_other_user(const std::string& server = "other") {
        return as_other_user([&] { return module(server); });
    }
    static unsigned set_engine(Wire& module) {
        module.send(R"({"t":"engine-set","config":{"bind":["udp:127.0.0.1:0"]}})"
                    "\n");
        const auto line = module.line_with("\"listening\"");
        return static_cast<unsigned>(std::stoul(line.substr(line.find("127.0.0.1:") + 10)));
    }
    void set_domain(Wire& module, const std::string& domain, unsigned phone = 5999, const std::string& secret = "s3cr3t",
                    const UnixListener* at = nullptr) {
        module.send(R"({"t":"domain-set","domain":)" + quoted(domain) + R"(,"xmpp_domains":[)" + quoted("users." + domain) +
                    R"(],"xmpp":{"unix":)" + quoted((at ? *at : listener).path()) + R"(,"secret":)" + quoted(secret) +
                    R"(},"config":{"peers":{"phones":{"match":{"source":["127.0.0.1"]},"next_hop":"sip:127.0.0.1:)" +
                    std::to_string(phone) +
                    R"(","probe":false}}}})"
                    "\n");
    }
    /// Set, attached and up; what it returns is the server's end of its stream.
    Wire have_domain(Wire& module, const std::string& domain, unsigned phone = 5999, const UnixListener* at = nullptr) {
        set_domain(module, domain, phone, "s3cr3t", at);
        Wire stream = attach(at ? *at : listener, domain);
        module.line_with("\"up\"");
        return stream;
    }
    /// While that is on its way to a phone that says nothing, the domain is not gone when it is taken out.
    static void keep_busy(Wire& stream, Wire& silent_phone) {
        stream.send("<message from='romeo@users.one.test/a' to='juliet@one.test' id='m1'><body>soft</body></message>");
        silent_phone.read_until("soft");
    }
    static std::string status(Wire& module) {
        module.send(R"({"t":"status","id":"now"})"
                    "\n");
        return module.line_with("\"now\"");
    }
    /// Everything that is said until the worker has done what it was told so far, and its status.
    static std::string all_until_done(Wire& module) {
        module.send(R"({"t":"status","id":"done"})"
                    "\n");
        const auto said = module.read_until("\"done\"");
        return said + module.read_until("\n");
    }
    static void remove_domain(Wire& module, const std::string& domain) {
        module.send(R"({"t":"domain-remove","domain":)" + quoted(domain) + "}\n");
    }

    UnixListener listener;
    stox::test::PrivateDirectory state;
    const std::string path = state.file("control");
    int exit_status = -1;

private:
    int listening_ = -1, end_ = ::eventfd(0, EFD_CLOEXEC);
    std::thread thread_;
};

}  // namespace stox::host::test
