// Dialog layers against each other over a bad network. A seed decides everything; a failing one is printed.

#include "tests/dialog/phone.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace stox::test {
namespace {

using namespace sip;
using std::chrono::hours;

struct Totals {
    std::size_t packets = 0, established = 0, notified = 0, modified = 0, unacknowledged = 0;
};

Trouble trouble_of(Net& net) {
    switch (net.below(4)) {
        case 0:
            return {};  // a stream: all comes, in order
        case 1:
            return {0.1, 0.05, milliseconds(20), milliseconds(100)};
        case 2:
            return {0.3, 0.2, milliseconds(50), milliseconds(700)};
        default:
            return {0.02, 0.02, milliseconds(200), milliseconds(3000)};  // much out of order
    }
}

Habits habits_of(Net& net) {
    Habits habits;
    habits.offer = net.below(2) ? 100 : 30;
    habits.reliable = 20 + net.below(80);
    habits.never = net.below(3) ? 2 : 15;
    habits.longest_call_s = net.below(8) ? 60 : 6000;
    habits.updates = net.below(4) != 0;
    return habits;
}

void play(std::uint64_t seed, Totals& totals) {
    Net chooser(seed, {});
    Net net(seed ^ 0x9e3779b97f4a7c15u, trouble_of(chooser));
    UserAgent::Settings settings;
    settings.calls.session_interval = chooser.below(2) ? std::chrono::seconds(1800) : std::chrono::seconds(90);
    std::vector<std::unique_ptr<Phone>> phones;
    for (const char* host : {"a", "b", "c"}) phones.push_back(std::make_unique<Phone>(net, host, settings, habits_of(chooser)));
    net.fork("all", {"b", "c"});
    for (unsigned i = 1 + chooser.below(3); i > 0; --i) {
        auto& caller = *phones[chooser.below(2)];
        const std::string callee = &caller == phones[0].get() ? (chooser.below(3) ? "b" : "all") : "a";
        net.in(milliseconds(chooser.below(3000)), [&caller, callee] { caller.call(callee); });
    }
    if (chooser.below(3) == 0)
        net.in(milliseconds(chooser.below(1000)), [&, several = chooser.below(2) == 0] { phones[0]->subscribe("b", several); });
    net.run(hours(24));
    for (const auto& phone : phones) {
        phone->check_end();
        phone->check_told();
        totals.established += phone->established;
        totals.notified += phone->notified;
        totals.modified += phone->modified;
        totals.unacknowledged += phone->unacknowledged;
    }
    totals.packets += net.packets;
}

TEST(DialogSimulator, EveryCallEndsAndEveryRuleIsKept) {
    const char* wish = std::getenv("STOX_DIALOG_SEEDS");
    const char* one = std::getenv("STOX_DIALOG_SEED");
    const std::uint64_t first = one ? std::strtoull(one, nullptr, 10) : 1;
    const std::uint64_t count = one ? 1 : wish ? std::strtoull(wish, nullptr, 10) : 2000;
    Totals totals;
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
        try {
            play(seed, totals);
        } catch (const std::exception& failure) {
            ADD_FAILURE() << "seed " << seed << ": " << failure.what();
        }
    }
    std::printf(
        "%llu seeds, %zu packets, %zu ends of calls established, %zu changes, %zu notifications, %zu ACKs lost for good\n",
        static_cast<unsigned long long>(count), totals.packets, totals.established, totals.modified, totals.notified,
        totals.unacknowledged);
    // A simulator in which nothing happens would prove nothing.
    if (count < 100) return;
    EXPECT_GT(totals.established, count / 2);
    // Each 2xx is sent a dozen times: that all of its ACKs are lost is as good as impossible.
    EXPECT_LE(totals.unacknowledged, count / 500);
    EXPECT_GT(totals.modified, count / 20);
    EXPECT_GT(totals.notified, count / 10);
}

}  // namespace
}  // namespace stox::test
