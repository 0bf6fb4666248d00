// The table of messages of which somebody wants to hear more, and its bounds.

#include "plugin/engine/receipts.h"

#include "plugin/engine/composing.h"
#include "plugin/engine/contact_formats.h"
#include "plugin/engine/threads.h"

#include <gtest/gtest.h>

namespace {

using namespace stox;
using namespace stox::engine;
using namespace std::chrono_literals;

const xmpp::Jid kRomeo{"romeo", "montague.test", "garden"}, kJuliet{"juliet", "capulet.test", {}};

Receipts::Entry entry(unsigned number, bool from_sip, UtcTime since = {}) {
    ReceiptRow row;
    const auto name = std::to_string(number);
    row.stanza_id = "s" + name, row.imdn_id = "i" + name;
    row.user = kRomeo, row.contact = kJuliet;
    row.from_sip = from_sip;
    row.since = since;
    row.report.emplace();
    row.report->display = true;
    return {"k" + name, std::move(row)};
}

// Two requests told of one message, and neither could be stored: in whatever order they are put back, both are to be told again.
TEST(Receipts, WhatWasNotToldAfterAllIsAskedForAgain) {
    Receipts receipts;
    auto asked = entry(1, true);
    asked.row.report->positive = true;
    receipts.add(asked);
    const auto number = receipts.find_received("s1", kRomeo, kJuliet).value();
    auto first = receipts.before(number);
    receipts.at(number).row.report->positive = false;
    auto second = receipts.before(number);
    receipts.at(number).row.report->display = false;
    receipts.put_back(first);
    receipts.put_back(second);
    EXPECT_TRUE(receipts.at(number).row.report->positive);
    EXPECT_TRUE(receipts.at(number).row.report->display);
}

TEST(Receipts, TheOldestGoesWhenItIsFull) {
    Receipts receipts;
    for (unsigned i = 0; i < Receipts::kRows; ++i) EXPECT_TRUE(receipts.add(entry(i, false)).empty());
    EXPECT_TRUE(receipts.find_sent("i0", kJuliet));
    EXPECT_EQ(receipts.add(entry(1'000'000, false)), std::vector<std::string>{"k0"});
    EXPECT_EQ(receipts.size(), Receipts::kRows);
    EXPECT_FALSE(receipts.find_sent("i0", kJuliet));
    EXPECT_TRUE(receipts.find_sent("i1", kJuliet));
}

TEST(Receipts, OldOnesAreForgotten) {
    Receipts receipts;
    const UtcTime start{};
    receipts.add(entry(1, false, start));
    receipts.add(entry(2, true, start + 1h));
    EXPECT_TRUE(receipts.forget_old(start + Receipts::kLongest).empty());
    EXPECT_EQ(receipts.forget_old(start + Receipts::kLongest + 1s), std::vector<std::string>{"k1"});
    EXPECT_TRUE(receipts.find_received("s2", kRomeo, kJuliet));
}

TEST(Receipts, EachWayHasItsNames) {
    Receipts receipts;
    receipts.add(entry(1, false));
    receipts.add(entry(2, true));
    EXPECT_FALSE(receipts.find_received("s1", kRomeo, kJuliet));
    EXPECT_FALSE(receipts.find_sent("i2", kJuliet));
    EXPECT_FALSE(receipts.find_received("s2", kJuliet, kRomeo));
    EXPECT_TRUE(receipts.find_received("s2", kRomeo.bare(), kJuliet));
    EXPECT_EQ(receipts.remove(*receipts.find_sent("i1", kJuliet)).key, "k1");
    EXPECT_FALSE(receipts.find_sent("i1", kJuliet));
}

TEST(Receipts, LookingBackIsBounded) {
    Receipts receipts;
    for (unsigned i = 0; i < 100; ++i) receipts.add(entry(i, true));
    const auto older = receipts.unseen_before(*receipts.find_received("s99", kRomeo, kJuliet));
    EXPECT_EQ(older.size(), Receipts::kOlder);
    EXPECT_EQ(receipts.at(older.front()).row.stanza_id, "s98");
}

TEST(ContactFormats, IM_15_ForADayAndForSoManyContacts) {
    ContactFormats formats;
    TimePoint now{};
    formats.learn(kJuliet, Habit::refuses_wrapping, now);
    EXPECT_TRUE(formats.has({"juliet", "capulet.test", "phone"}, Habit::refuses_wrapping, now + 24h - 1s));
    EXPECT_FALSE(formats.has(kJuliet, Habit::refuses_wrapping, now + 24h));
    EXPECT_FALSE(formats.has(kJuliet, Habit::refuses_composing, now));
    formats.learn(kJuliet, Habit::refuses_wrapping, now + 1h);
    EXPECT_TRUE(formats.has(kJuliet, Habit::refuses_wrapping, now + 24h));
    for (std::size_t i = 0; i < ContactFormats::kHabits - 1; ++i)
        formats.learn({std::to_string(i), "capulet.test", {}}, Habit::sends_composing, now);
    EXPECT_TRUE(formats.has(kJuliet, Habit::refuses_wrapping, now));
    formats.learn({"one-more", "capulet.test", {}}, Habit::sends_composing, now);
    EXPECT_FALSE(formats.has(kJuliet, Habit::refuses_wrapping, now));
    for (int i = 0; i < 100'000; ++i) formats.learn(kJuliet, Habit::sends_composing, now);
    EXPECT_TRUE(formats.has(kJuliet, Habit::sends_composing, now));
}

TEST(Composing, EachLapsesInItsTime) {
    Composing composing;
    TimePoint now{};
    const Composing::Pair pair{kJuliet, kRomeo}, other{kRomeo, kJuliet};
    EXPECT_TRUE(composing.begin(pair, now + 60s));
    EXPECT_TRUE(composing.begin(other, now + 30s));
    EXPECT_TRUE(composing.begin(pair, now + 90s)) << "again";
    EXPECT_EQ(composing.next_timeout(), now + 30s);
    EXPECT_EQ(composing.take_lapsed(now + 89s), std::vector<Composing::Pair>{other});
    EXPECT_TRUE(composing.end(pair));
    EXPECT_FALSE(composing.end(pair));
    EXPECT_FALSE(composing.next_timeout());
    for (std::size_t i = 0; i < Composing::kAtOnce; ++i)
        EXPECT_TRUE(composing.begin({{std::to_string(i), "capulet.test", {}}, kRomeo}, now));
    EXPECT_FALSE(composing.begin(pair, now));
}

TEST(Threads, IM_05_OldConversationsAreForgotten) {
    Threads threads;
    IdGenerator ids([number = std::uint64_t{0}](std::span<std::uint8_t> wanted) mutable {
        ++number;
        for (std::size_t i = 0; i < wanted.size(); ++i) wanted[i] = static_cast<std::uint8_t>(number >> (i % 8 * 8));
    });
    xmpp::Message message;
    message.from = kRomeo, message.to = kJuliet;
    message.thread = "first";
    threads.next(message, false, ids);
    for (std::size_t i = 0; i < Threads::kRemembered; ++i) {
        message.thread = "t" + std::to_string(i);
        threads.next(message, false, ids);
    }
    EXPECT_FALSE(threads.thread_of("first", kRomeo, kJuliet));
    EXPECT_EQ(threads.thread_of("t0", kRomeo, kJuliet), "t0");
    message.thread = "first";
    EXPECT_EQ(threads.next(message, false, ids).cseq, 1u);
}

TEST(Threads, IM_05_PairsWithOneThreadAreBoundedAsWell) {
    Threads threads;
    IdGenerator ids([number = std::uint64_t{0}](std::span<std::uint8_t> wanted) mutable {
        ++number;
        for (std::size_t i = 0; i < wanted.size(); ++i) wanted[i] = static_cast<std::uint8_t>(number >> (i % 8 * 8));
    });
    xmpp::Message message;
    message.from = kRomeo, message.to = kJuliet;
    message.thread = "one-for-all";
    const auto first = threads.next(message, false, ids);
    const auto others = [&](std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            message.to.local = "contact" + std::to_string(i);
            threads.next(message, false, ids);
        }
        message.to = kJuliet;
    };
    others(Threads::kRemembered - 1);
    EXPECT_EQ(threads.next(message, false, ids).from_tag, first.from_tag);
    others(Threads::kRemembered);
    const auto anew = threads.next(message, false, ids);
    EXPECT_NE(anew.from_tag, first.from_tag) << "forgotten";
    EXPECT_EQ(anew.cseq, 1u);
}

}  // namespace
