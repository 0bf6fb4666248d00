#include "net/node.h"
#include "tests/net/node_rig.h"

#include <gtest/gtest.h>

#include <poll.h>
#include <unistd.h>

#include <array>
#include <deque>
#include <thread>

namespace stox::net::test {
namespace {

using namespace std::chrono_literals;
using Names = std::vector<std::string>;

/// Batches that the test gives it; a pipe says that there are some.
class ScriptedSource : public Source {
public:
    ScriptedSource() { EXPECT_EQ(::pipe(pipe_.data()), 0); }
    ~ScriptedSource() override {
        for (const int descriptor : pipe_) ::close(descriptor);
    }
    std::string_view name() const override { return "scripted"; }
    int descriptor() const override { return pipe_[0]; }
    std::optional<TimePoint> deadline() const override { return due; }
    std::vector<Change> read(TimePoint now) override {
        ++reads;
        if (due && *due <= now) {
            due.reset();
            return {inet()};
        }
        if (batches.empty()) return {};
        char octet;
        EXPECT_EQ(::read(pipe_[0], &octet, 1), 1);
        auto batch = std::move(batches.front());
        batches.pop_front();
        return batch;
    }
    void give(std::vector<Change> batch) {
        batches.push_back(std::move(batch));
        EXPECT_EQ(::write(pipe_[1], "x", 1), 1);
    }

    std::optional<TimePoint> due;
    std::deque<std::vector<Change>> batches;
    int reads = 0;

private:
    std::array<int, 2> pipe_{};
};

struct Rig {
    Rig() {
        auto owned = std::make_unique<ScriptedSource>();
        source = owned.get();
        node->add(std::move(owned));
    }
    bool readable(int wait_ms = 0) const {
        pollfd poll{node->descriptor(), POLLIN, 0};
        return ::poll(&poll, 1, wait_ms) == 1;
    }
    /// What a loop does.
    void run_while_ready() {
        while (readable() || (node->deadline() && *node->deadline() <= now)) node->run();
    }
    Subscriptions::OnAnnouncement hear() {
        return [this](const Announcement& one) { heard.push_back(to_string(one)); };
    }

    TimePoint now = TimePoint{} + 1h;
    std::unique_ptr<Node> node = value(Node::open({}, [this] { return now; }));
    ScriptedSource* source = nullptr;
    Names heard;
};

TEST(Node, API_10_OneDescriptorAndADeadlineAreTheWholeLoop) {
    Rig rig;
    const auto subscription = rig.node->announce({.element = ElementKind::interface}, rig.hear());
    EXPECT_TRUE(rig.readable());
    rig.run_while_ready();
    EXPECT_FALSE(rig.readable());
    EXPECT_FALSE(rig.node->deadline());
    rig.source->give({trunk()});
    EXPECT_TRUE(rig.readable());
    EXPECT_EQ(rig.heard, Names{}) << "callbacks come from run() alone";
    rig.run_while_ready();
    EXPECT_EQ(rig.heard, Names{"interface-up trunk0"});
    rig.source->due = rig.now + 5s;
    EXPECT_EQ(rig.node->deadline(), rig.now + 5s);
    rig.now += 5s;
    rig.run_while_ready();
    EXPECT_EQ(rig.heard.back(), "interface-up inet0");
}

TEST(Node, API_10_WhatEndsIsADeadlineToo) {
    Rig rig;
    rig.source->give({trunk(), server(kTrunk, "10.0.0.1", {}, rig.now + 60s)});
    rig.run_while_ready();
    EXPECT_EQ(rig.node->deadline(), rig.now + 60s);
    const auto subscription = rig.node->announce({.element = ElementKind::dns}, rig.hear());
    rig.run_while_ready();
    rig.heard.clear();
    rig.now += 60s;
    rig.run_while_ready();
    EXPECT_EQ(rig.heard, Names{"element-changed trunk0 dns"});
}

TEST(Node, API_09_StoppedBeforeItWasEverTold) {
    Rig rig;
    rig.source->give({trunk()});
    rig.run_while_ready();
    auto subscription = rig.node->announce({}, rig.hear());
    subscription.stop();
    subscription.stop();
    rig.run_while_ready();
    EXPECT_EQ(rig.heard, Names{});
}

TEST(Node, ACallbackMaySubscribeAndTheNewOneIsToldWithoutFurtherChange) {
    Rig rig;
    Subscription inner;
    const auto outer = rig.node->announce({.element = ElementKind::interface}, [&](const Announcement&) {
        inner = rig.node->announce({.element = ElementKind::interface}, rig.hear());
    });
    rig.source->give({trunk()});
    rig.run_while_ready();
    EXPECT_EQ(rig.heard, Names{"interface-up trunk0"});
}

TEST(Node, HLAPI_10_PostFromAnotherThreadRunsWithinRun) {
    Rig rig;
    rig.run_while_ready();
    std::thread::id ran{};
    std::thread other([&] { rig.node->post([&] { ran = std::this_thread::get_id(); }); });
    EXPECT_TRUE(rig.readable(60'000));
    other.join();
    EXPECT_EQ(ran, std::thread::id{});
    rig.run_while_ready();
    EXPECT_EQ(ran, std::this_thread::get_id());
}

TEST(Node, EachBatchOfASourceIsToldByItself) {
    Rig rig;
    const auto subscription = rig.node->announce({.element = ElementKind::interface}, rig.hear());
    rig.source->give({trunk()});
    rig.source->give({gone(trunk())});
    rig.run_while_ready();
    EXPECT_EQ(rig.heard, (Names{"interface-up trunk0", "interface-gone trunk0"}));
}

}  // namespace
}  // namespace stox::net::test
