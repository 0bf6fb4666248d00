#include "sip/turn.h"

#include "mapping/core/assert.h"

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

namespace stox::sip {
namespace {

struct TurnTest : ::testing::Test {
    boost::asio::io_context loop;
    std::unique_ptr<Turn> turn = std::make_unique<Turn>(loop);
    std::string done;

    void later(char letter) {
        turn->later([this, letter] { done += letter; });
    }
};

TEST_F(TurnTest, WhatAHandlerPutsOffIsDoneAfterItInOrderAndBeforeTheNextHandler) {
    boost::asio::post(loop, [this] {
        turn->run([this] {
            turn->later([this] {
                done += 'b';
                later('d');
            });
            later('c');
            done += 'a';
        });
        done += 'e';
    });
    boost::asio::post(loop, [this] { done += 'f'; });
    loop.run();
    EXPECT_EQ(done, "abcdef");
}

TEST_F(TurnTest, WithoutATurnItIsNotDoneInsideTheCall) {
    later('b');
    later('c');
    done += 'a';
    loop.run();
    EXPECT_EQ(done, "abc");
}

TEST_F(TurnTest, WhatWasPutOffBeforeTheTurnComesFirstAndOnce) {
    later('a');
    turn->run([this] { later('b'); });
    EXPECT_EQ(done, "ab");
    loop.run();
    EXPECT_EQ(done, "ab");
}

TEST_F(TurnTest, AfterOneThatThrowsTheOthersAreDoneInTheNextTurn) {
    turn->later([] { throw std::runtime_error("ours"); });
    later('a');
    EXPECT_THROW(loop.run(), std::runtime_error);
    EXPECT_EQ(done, "");
    loop.run();
    EXPECT_EQ(done, "a");
    later('b');
    loop.restart();
    loop.run();
    EXPECT_EQ(done, "ab");
}

TEST_F(TurnTest, WhatPutsOffWithoutEndLeavesTheLoopToOthers) {
    bool over = false, behind = false;
    int times = 0;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    std::function<void()> again = [&] {
        if (over || std::chrono::steady_clock::now() > end) return;
        ++times;
        turn->later(again);
    };
    boost::asio::post(loop, [&] { turn->run(again); });
    boost::asio::post(loop, [&] {
        behind = turn->behind();
        over = true;
    });
    loop.run();
    EXPECT_TRUE(behind);
    EXPECT_LT(std::chrono::steady_clock::now(), end);
    EXPECT_GT(times, 1);
    EXPECT_FALSE(turn->behind());
}

TEST_F(TurnTest, IsNotEnteredTwice) {
    EXPECT_THROW(turn->run([this] { turn->run([] {}); }), Bug);
    later('a');
    loop.run();
    EXPECT_EQ(done, "a");
}

TEST_F(TurnTest, NothingIsDoneWhenItIsGone) {
    turn->run([this] {
        turn->later([this] { turn.reset(); });
        later('a');
    });
    turn = std::make_unique<Turn>(loop);
    later('b');
    turn.reset();
    loop.run();
    EXPECT_EQ(done, "");
}

}  // namespace
}  // namespace stox::sip
