// The worker as a service: modules come to its control socket and go, their domains stay.

#include "plugin/host/listener.h"
#include "plugin/host/service_access.h"
#include "plugin/host/service_options.h"
#include "tests/host/worker_rig.h"

#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <vector>

namespace {

using namespace stox::host::test;
using stox::host::read_service_options;
using stox::host::ServiceAccess;

Wire to_unix(const std::string& path) {
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

TEST_F(ServiceTest, ADomainStaysWhenItsModuleLeavesAndTakesMessagesMeanwhile) {
    Wire phone = [&] {
        Wire first = module();
        Wire end = udp_to(set_engine(first));
        set_domain(first, "capulet.test", local_port(end));
        Wire stream = attach(listener, "capulet.test");
        first.line_with("\"up\"");
        return end;
    }();
    auto text = message_from_phone(local_port(phone));
    text.replace(text.find("romeo@montague.test SIP"), 19, "romeo@users.capulet.test");
    // The stream is seen to be lost, then accepted is what is committed.
    Wire asks = to_unix(path);
    asks.line_with(R"("stox":1)");
    while (status(asks).find(R"("up":false)") == std::string::npos) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    phone.send(text);
    EXPECT_NE(phone.read_until("\r\n\r\n").find("SIP/2.0 202"), std::string::npos);

    UnixListener elsewhere;
    Wire again = module();
    again.line_with("\"listening\"");
    set_domain(again, "capulet.test", local_port(phone), "another", &elsewhere);
    Wire stream = attach(elsewhere, "capulet.test");
    EXPECT_NE(stream.read_until("</message>").find("<body>hello</body>"), std::string::npos);
}

TEST_F(ServiceTest, WhatIsNotHandedOverAgainIsRemovedAndOthersKeepTheirs) {
    Wire other = module("other");
    set_engine(other);
    set_domain(other, "other.test");
    {
        Wire first = module();
        set_domain(first, "one.test");
        set_domain(first, "two.test");
        EXPECT_NE(status(first).find("two.test"), std::string::npos);
    }
    Wire again = module();
    set_domain(again, "one.test");
    EXPECT_NE(status(again).find("two.test"), std::string::npos);
    again.line_with(R"("removed")");
    const auto left = status(again);
    EXPECT_EQ(left.find("two.test"), std::string::npos) << left;
    EXPECT_NE(left.find("one.test"), std::string::npos) << left;
    EXPECT_NE(left.find("other.test"), std::string::npos) << left;
}

TEST_F(ServiceTest, TheSecondModuleOfAServerTakesThePlaceOfTheFirst) {
    Wire first = module();
    set_engine(first);
    set_domain(first, "one.test");
    Wire stream = attach(listener, "one.test");
    first.line_with("\"up\"");
    Wire second = module();
    EXPECT_TRUE(first.closed());
    set_domain(second, "one.test");
    second.line_with("\"up\"");  // it never was down
    stream.send("<iq type='get' from='romeo@users.one.test/a' to='one.test' id='p1'><ping xmlns='urn:xmpp:ping'/></iq>");
    stream.read_until("id='p1'");
}

TEST_F(ServiceTest, ADomainBelongsToTheServerThatIsHereWithIt) {
    Wire first = module();
    set_engine(first);
    set_domain(first, "one.test");
    status(first);
    {
        Wire other = module("other");
        set_domain(other, "one.test");
        EXPECT_EQ(all_until_done(other).find("config-error"), std::string::npos) << "it may come yet";
        EXPECT_NE(other.line_with("config-error").find("another chat server"), std::string::npos);
        remove_domain(other, "one.test");
        other.line_with("\"removed\"");
        EXPECT_NE(status(other).find("one.test"), std::string::npos);
    }
    first.send("{\"t\":\"stop\"}\n");
    EXPECT_TRUE(first.closed());
    Wire other = module("other");
    UnixListener elsewhere;
    set_domain(other, "one.test", 5999, "s", &elsewhere);
    Wire stream = attach(elsewhere, "one.test");
    other.line_with("\"up\"");
}

// Two nodes of a cluster on one machine: the new one sets the domain before the old one takes it out.
TEST_F(ServiceTest, ADomainComesToTheOtherServerAsSoonAsTheFirstLetsGoOfIt) {
    Wire first = module();
    set_engine(first);
    set_domain(first, "one.test");
    Wire old = attach(listener, "one.test");
    first.line_with("\"up\"");
    Wire other = module("other");
    UnixListener elsewhere;
    set_domain(other, "one.test", 5999, "s", &elsewhere);
    EXPECT_EQ(all_until_done(other).find("config-error"), std::string::npos);
    remove_domain(first, "one.test");
    first.line_with("\"removed\"");
    Wire stream = attach(elsewhere, "one.test");
    other.line_with("\"up\"");
}

TEST_F(ServiceTest, ADomainComesToTheOtherServerWhenTheFirstLeaves) {
    std::optional<Wire> first = module();
    set_engine(*first);
    set_domain(*first, "one.test");
    Wire old = attach(listener, "one.test");
    first->line_with("\"up\"");
    Wire other = module("other");
    UnixListener elsewhere;
    set_domain(other, "one.test", 5999, "s", &elsewhere);
    EXPECT_EQ(all_until_done(other).find("config-error"), std::string::npos);
    first.reset();
    Wire stream = attach(elsewhere, "one.test");
    other.line_with("\"up\"");
}

TEST_F(ServiceTest, WhoTookItsWordBackOrLeftHasNoDomainLater) {
    Wire first = module();
    set_engine(first);
    set_domain(first, "one.test");
    status(first);
    Wire third = module("third");
    {
        Wire other = module("other");
        set_domain(other, "one.test");
        set_domain(third, "one.test");
        remove_domain(third, "one.test");
        third.line_with("\"removed\"");
        set_domain(other, "one.test");
        status(other);
        other.send("{\"t\":\"stop\"}\n");
        EXPECT_TRUE(other.closed());
    }
    remove_domain(first, "one.test");
    first.line_with("\"removed\"");
    EXPECT_EQ(status(third).find("one.test"), std::string::npos);
}

TEST_F(ServiceTest, WhatWasTakenToTheLastIsToldToTheModuleThatTakesItsDomainOut) {
    Wire first = module();
    Wire phone = udp_to(set_engine(first));
    set_domain(first, "one.test", local_port(phone));
    Wire stream = attach(listener, "one.test");
    first.line_with("\"up\"");
    // While that is on its way to the silent phone the domain is not gone, and takes what comes.
    stream.send("<message from='romeo@users.one.test/a' to='juliet@one.test' id='m1'><body>soft</body></message>");
    phone.read_until("soft");
    remove_domain(first, "one.test");
    while (status(first).find("one.test") != std::string::npos) continue;
    stream.send("<iq type='get' from='romeo@users.one.test/a' to='one.test' id='p1'><ping xmlns='urn:xmpp:ping'/></iq>");
    const auto line = first.line_with(R"("count":2)");
    EXPECT_NE(line.find(R"("t":"taken")"), std::string::npos) << line;
    first.line_with("\"removed\"");
}

TEST_F(ServiceTest, ADomainThatIsNotHereStaysItsUsers) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can be two users";
    Wire first = module();
    set_engine(first);
    set_domain(first, "one.test");
    {
        Wire stream = attach(listener, "one.test");
        first.line_with("\"up\"");
        remove_domain(first, "one.test");
        first.line_with("\"removed\"");
    }
    Wire other = module_of_other_user();
    UnixListener elsewhere;
    set_domain(other, "one.test", 5999, "s", &elsewhere);
    EXPECT_EQ(status(other).find("one.test"), std::string::npos);
    EXPECT_NE(other.line_with("config-error").find("another user"), std::string::npos);
    set_domain(first, "one.test");
    Wire stream = attach(listener, "one.test");
    first.line_with("\"up\"");
    // Now it goes for good; who waited has it, if it is that user who listens.
    first.send(R"({"t":"domain-remove","domain":"one.test","for_good":true})"
               "\n");
    EXPECT_NE(other.line_with("\"down\"").find("another user than the server's"), std::string::npos);
}

TEST_F(ServiceTest, WhoMustListenIsKnownWhenTheModuleThatWaitedHasLeft) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can be two users";
    const auto own = as_other_user([] { return std::make_unique<UnixListener>(); });
    UnixListener roots;
    std::optional<Wire> other = module_of_other_user();
    Wire phone = udp_to(set_engine(*other));
    set_domain(*other, "one.test", local_port(phone), "s3cr3t", own.get());
    Wire stream = attach(*own, "one.test");
    other->line_with("\"up\"");
    stream.send("<message from='romeo@users.one.test/a' to='juliet@one.test' id='m1'><body>soft</body></message>");
    phone.read_until("soft");
    remove_domain(*other, "one.test");
    set_domain(*other, "one.test", local_port(phone), "s3cr3t", &roots);
    EXPECT_EQ(status(*other).find("one.test"), std::string::npos) << "it is leaving";
    other.reset();
    EXPECT_TRUE(roots.accept().closed()) << "before a word was said";
}

TEST_F(ServiceTest, AnotherUserTakesNoPlaceInTheQueueOfADomain) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can be two users";
    Wire first = module();
    Wire phone = udp_to(set_engine(first));
    set_domain(first, "one.test", local_port(phone));
    Wire other = module_of_other_user();
    {
        Wire stream = attach(listener, "one.test");
        first.line_with("\"up\"");
        stream.send("<message from='romeo@users.one.test/a' to='juliet@one.test' id='m1'><body>soft</body></message>");
        phone.read_until("soft");
        remove_domain(first, "one.test");
        set_domain(first, "one.test", local_port(phone));
        EXPECT_EQ(status(first).find("one.test"), std::string::npos) << "it is leaving";
        set_domain(other, "one.test");
        EXPECT_NE(all_until_done(other).find("another user"), std::string::npos);
        first.line_with("\"removed\"");
    }
    Wire again = attach(listener, "one.test");
    first.line_with("\"up\"");
}

TEST_F(ServiceTest, ForADomainThatMayBeBackSendersAreAskedToWait) {
    Wire first = module();
    const auto port = set_engine(first);
    Wire phone = udp_to(port), silent = udp_to(port);
    const auto answer = [&](unsigned number) {
        phone.send(message_from_phone(local_port(phone), number));
        return phone.read_until("\r\n\r\n");
    };
    const auto young = answer(1);
    EXPECT_EQ(young.rfind("SIP/2.0 503", 0), 0u) << young;
    EXPECT_NE(young.find("\r\nRetry-After: "), std::string::npos) << young;
    EXPECT_NE(status(first).find(R"("refused":0)"), std::string::npos);
    // Until the service is older than a second.
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    unsigned number = 2;
    auto old = answer(number);
    while (old.rfind("SIP/2.0 503", 0) == 0 && std::chrono::steady_clock::now() < end) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));  // well below the rate of one source
        old = answer(++number);
    }
    EXPECT_EQ(old.rfind("SIP/2.0 403", 0), 0u) << old;
    set_domain(first, "one.test", local_port(silent));
    Wire stream = attach(listener, "one.test");
    first.line_with("\"up\"");
    stream.send("<message from='romeo@users.one.test/a' to='juliet@one.test' id='m1'><body>soft</body></message>");
    silent.read_until("soft");
    remove_domain(first, "one.test");
    EXPECT_EQ(status(first).find("one.test"), std::string::npos) << "it is leaving";
    const auto leaving = answer(++number);
    EXPECT_EQ(leaving.rfind("SIP/2.0 503", 0), 0u) << leaving;
}

TEST_F(ServiceTest, ARefusedConfigurationStillTellsWhereTheServerListensNow) {
    {
        Wire first = module();
        set_engine(first);
        set_domain(first, "one.test");
        attach(listener, "one.test");
    }
    UnixListener elsewhere;
    Wire again = module();
    again.send(R"({"t":"domain-set","domain":"one.test","xmpp_domains":["users.one.test"],"xmpp":{"unix":)" +
               quoted(elsewhere.path()) +
               R"(,"secret":"s"},"config":{"peerz":{}}})"
               "\n");
    again.line_with("config-error");
    Wire stream = attach(elsewhere, "one.test");
    again.line_with("\"up\"");
}

TEST_F(ServiceTest, OnlyAModuleGivesOrdersOthersAsk) {
    Wire asks = to_unix(path);
    asks.line_with(R"("stox":1)");
    asks.send(R"({"t":"admin","id":"a","command":"overview","who":"somebody"})"
              "\n");
    EXPECT_NE(asks.line_with("\"admin\"").find(R"("code":0)"), std::string::npos);
    asks.send(R"({"t":"engine-set","config":{"bind":["udp:127.0.0.1:0"]}})"
              "\n");
    const auto said = all_until_done(asks);
    EXPECT_EQ(said.find("listening"), std::string::npos) << said;
    EXPECT_EQ(said.find("\"sip\""), std::string::npos) << said;
}

TEST_F(ServiceTest, AnotherControlVersionIsTurnedAwayAndTheServiceGoesOn) {
    Wire old = to_unix(path);
    old.send(R"({"stox":7})"
             "\n");
    EXPECT_TRUE(old.closed());
    Wire first = module();
    EXPECT_NE(status(first).find("\"domains\""), std::string::npos);
}

TEST_F(ServiceTest, ThirtyTwoConnectionsAndNoMore) {
    std::vector<Wire> all;
    for (int n = 0; n < 32; ++n) {
        all.push_back(to_unix(path));
        all.back().line_with(R"("stox":1)");
    }
    EXPECT_TRUE(to_unix(path).closed());
    all.pop_back();
    // As soon as that end is seen there is a place again.
    const auto welcome = [&] {
        Wire next = to_unix(path);
        try {
            next.line_with(R"("stox":1)");
            return true;
        } catch (const std::exception&) {  // closed at once
            return false;
        }
    };
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    bool place = false;
    while (!place && std::chrono::steady_clock::now() < end) place = welcome();
    EXPECT_TRUE(place);
}

TEST_F(ServiceTest, AnAuditLineHasTheUserThatTheKernelNames) {
    Wire first = module();
    first.send(R"({"t":"admin","id":"a","command":"overview","who":"somebody","via":"shell"})"
               "\n");
    first.line_with("audit command=overview who=somebody via=shell result=done user=uid:" + std::to_string(::geteuid()));
}

TEST_F(ServiceTest, OneUserLeavesPlacesForOthers) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can be two users";
    std::vector<Wire> all;
    for (int n = 0; n < 8; ++n) all.push_back(module_of_other_user("invented" + std::to_string(n)));
    EXPECT_TRUE(as_other_user([this] { return to_unix(path); }).closed());
    Wire first = module();
    EXPECT_NE(status(first).find("\"domains\""), std::string::npos);
}

TEST_F(ServiceTest, ItsEndClosesTheStreamsAndReturnsZero) {
    Wire first = module();
    set_engine(first);
    set_domain(first, "one.test");
    Wire stream = attach(listener, "one.test");
    first.line_with("\"up\"");
    stop();
    EXPECT_EQ(exit_status, 0);
    EXPECT_TRUE(first.closed());
    EXPECT_TRUE(stream.closed());
}

TEST(ServiceAccess, RootTheWorkersUserAndWhoeverIsNamed) {
    const ServiceAccess access{{1'001}, {2'001}};
    EXPECT_TRUE(access.allows({0, {}, 1}));
    EXPECT_TRUE(access.allows({::geteuid(), {}, 1}));
    EXPECT_TRUE(access.allows({1'001, {}, 1}));
    EXPECT_TRUE(access.allows({1'002, {5, 2'001}, 1}));
    EXPECT_FALSE(access.allows({1'002, {1'001, 5}, 1}));
}

TEST(ServiceAccess, TheKernelTellsUserGroupsAndProcess) {
    const auto [one, two] = socket_pair();
    const auto peer = stox::host::peer_of(one);
    ASSERT_TRUE(peer);
    EXPECT_EQ(peer->user, ::geteuid());
    EXPECT_EQ(peer->process, ::getpid());
    EXPECT_NE(std::find(peer->groups.begin(), peer->groups.end(), ::getegid()), peer->groups.end());
    ::close(one);
    ::close(two);
}

TEST(ServiceOptions, AreReadOrRefusedWithAWord) {
    const auto all = read_service_options(
        {"--listen", "/run/stox/control", "--allow-user", "root", "--allow-group", "4242", "--return-within", "5"});
    ASSERT_TRUE(all);
    EXPECT_EQ(all.value().listen, "/run/stox/control");
    EXPECT_EQ(all.value().access.users, std::vector<uid_t>{0});
    EXPECT_EQ(all.value().access.groups, std::vector<gid_t>{4'242});
    EXPECT_EQ(all.value().return_s, 5u);
    EXPECT_EQ(read_service_options({"--listen", "/c"}).value().return_s, 60u);
    for (const std::vector<std::string_view>& wrong :
         std::vector<std::vector<std::string_view>>{{"--listen"},
                                                    {"--listen", "control"},
                                                    {"--listen", "/c", "--allow-user", "no such user"},
                                                    {"--listen", "/c", "--allow-group", ""},
                                                    {"--listen", "/c", "--return-within", "0"},
                                                    {"--listen", "/c", "--return-within", "86401"},
                                                    {"--listen", "/c", "--other", "x"},
                                                    {"--allow-user", "root"}})
        EXPECT_FALSE(read_service_options(wrong)) << wrong.back();
}

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
