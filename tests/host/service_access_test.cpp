// Who may come to the control socket of a service, and how many.

#include "plugin/host/service_access.h"
#include "plugin/host/service_options.h"
#include "tests/host/service_rig.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <vector>

namespace {

using namespace stox::host::test;
using stox::host::read_service_options;
using stox::host::ServiceAccess;

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

}  // namespace
