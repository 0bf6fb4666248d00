// Sessions whose other side does not read, or for which no descriptor is left.

#include "plugin/host/control_sessions.h"
#include "tests/host/worker_rig.h"

#include <vector>

namespace {

using namespace stox::host::test;
using stox::host::ControlChannel;
using stox::host::ControlSessions;

TEST(ControlSessions, OneThatDoesNotReadEndsBehindWhatIsSaidToAll) {
    boost::asio::io_context loop;
    std::vector<ControlSessions::Id> over;
    std::optional<ControlSessions> sessions;
    sessions.emplace(ControlSessions::Events{[](auto, auto) {}, [&](ControlSessions::Id id) {
                                                 over.push_back(id);
                                                 sessions->close(id);
                                             }});
    std::vector<Wire> ends;
    for (const std::string server : {"one", "two"}) {
        const auto [ours, theirs] = socket_pair();
        ends.emplace_back(ours);
        ends.emplace_back(theirs);
        sessions->speak_for(sessions->add(loop, theirs, theirs, "user"), server);
    }
    const std::string line(1u << 20, 'x');
    for (std::size_t octets = 0; octets <= ControlChannel::kMostWaiting + 2 * line.size(); octets += line.size())
        sessions->send_all(line);
    EXPECT_TRUE(over.empty()) << "inside the call";
    loop.run_for(std::chrono::milliseconds(100));
    EXPECT_EQ(over, (std::vector<ControlSessions::Id>{1, 2}));
    EXPECT_EQ(sessions->size(), 0u);
    sessions.reset();
}

TEST(ControlSessions, WithoutADescriptorThereIsNoSession) {
    boost::asio::io_context loop;
    ControlSessions sessions({[](auto, auto) {}, [](auto) {}});
    const auto [ours, theirs] = socket_pair();
    Wire one(ours), two(theirs);
    // For one that is none, as for one too many, the kernel gives no duplicate.
    for (const int in : {-1, theirs}) {
        EXPECT_EQ(sessions.add(loop, in, -1, "user"), 0u) << in;
        EXPECT_EQ(sessions.size(), 0u);
    }
    EXPECT_NE(sessions.add(loop, theirs, theirs, "user"), 0u);
}

}  // namespace
