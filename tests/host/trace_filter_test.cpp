// Which lines a trace shows.

#include "plugin/host/trace_filter.h"
#include "plugin/host/recent_errors.h"

#include <gtest/gtest.h>

namespace {

using namespace stox::host;
using std::chrono::seconds;
using TimePoint = TraceFilter::TimePoint;

const TimePoint kNow{};

TraceFilter filter_of(const std::string& match, const std::string& domain = {}) {
    TraceFilter filter;
    EXPECT_TRUE(filter.add(domain, match, kNow + seconds(60), kNow));
    return filter;
}

TEST(TraceFilter, ANameIsFoundWholeAndNotInsideAnother) {
    auto filter = filter_of("romeo@montague.test");
    for (const char* line : {"message from=romeo@montague.test", "from=romeo@montague.test/home to=x",
                             "from=\"romeo@montague.test\"", "sip:romeo@montague.test;user=phone", "romeo@montague.test"})
        EXPECT_TRUE(filter.wants("d", line, kNow)) << line;
    for (const char* line : {"from=xromeo@montague.test", "from=romeo@montague.test.evil", "from=romeo@montague.tests",
                             "from=mercutio@montague.test", ""})
        EXPECT_FALSE(filter.wants("d", line, kNow)) << line;
    auto source = filter_of("10.77.0.1");
    EXPECT_TRUE(source.wants("", "src=10.77.0.1:5060", kNow));
    EXPECT_FALSE(source.wants("", "src=10.77.0.11:5060", kNow));
    EXPECT_FALSE(source.wants("", "src=110.77.0.1:5060", kNow));
}

TEST(TraceFilter, TheRestOfASessionIsWantedToo) {
    auto filter = filter_of("call-1");
    EXPECT_FALSE(filter.wants("d", "t=00000000000000aa message state=accepted", kNow));
    EXPECT_TRUE(filter.wants("d", "t=00000000000000aa message call_id=call-1", kNow));
    EXPECT_TRUE(filter.wants("d", "t=00000000000000aa message state=accepted", kNow));
    EXPECT_FALSE(filter.wants("d", "t=00000000000000ab message state=accepted", kNow));
    EXPECT_EQ(filter.rows({}, kNow).at(0).lines_total, 2u);
    for (std::size_t n = 0; n < TraceFilter::kSessions; ++n)
        filter.wants("d", "t=" + std::to_string(n) + " call_id=call-1", kNow);
    EXPECT_FALSE(filter.wants("d", "t=00000000000000aa message state=accepted", kNow)) << "forgotten for newer ones";
}

TEST(TraceFilter, ADomainsTraceShowsThatDomainsLinesAlone) {
    auto filter = filter_of("juliet", "capulet.test");
    EXPECT_TRUE(filter.wants("capulet.test", "to=juliet", kNow));
    EXPECT_FALSE(filter.wants("other.test", "to=juliet", kNow));
    EXPECT_FALSE(filter.wants("", "to=juliet", kNow));
    EXPECT_EQ(filter.rows("other.test", kNow).size(), 0u);
    EXPECT_EQ(filter.rows("capulet.test", kNow).size(), 1u);
}

TEST(TraceFilter, ItEndsWithItsTimeAndThereAreNotTooMany) {
    auto filter = filter_of("juliet");
    EXPECT_TRUE(filter.wants("d", "juliet", kNow + seconds(59)));
    EXPECT_EQ(filter.rows({}, kNow + seconds(59)).at(0).left_seconds, 1u);
    EXPECT_FALSE(filter.wants("d", "juliet", kNow + seconds(60)));
    EXPECT_TRUE(filter.is_empty());
    for (std::size_t n = 0; n < TraceFilter::kTraces; ++n) EXPECT_TRUE(filter.add({}, std::to_string(n), kNow + seconds(1), kNow));
    EXPECT_FALSE(filter.add({}, "one more", kNow + seconds(1), kNow));
    EXPECT_TRUE(filter.add({}, "0", kNow + seconds(9), kNow)) << "the same one, longer";
    EXPECT_TRUE(filter.add({}, "one more", kNow + seconds(9), kNow + seconds(1))) << "the others have ended, though no line came";
}

TEST(RecentErrors, TheLastFiveOfEachDomainTheYoungestFirst) {
    RecentErrors errors;
    for (int n = 0; n < 7; ++n) errors.add("a.test", std::to_string(n), kNow + seconds(n));
    errors.add("b.test", "of b", kNow + seconds(3));
    errors.add("", "of the worker", kNow + seconds(8));
    const auto rows = errors.rows("a.test", kNow + seconds(10));
    ASSERT_EQ(rows.size(), 6u);
    EXPECT_EQ(rows.at(0).text, "of the worker");
    EXPECT_EQ(rows.at(1).text, "6");
    EXPECT_EQ(rows.at(1).age_seconds, 4u);
    EXPECT_EQ(rows.at(5).text, "2");
    EXPECT_EQ(errors.rows({}, kNow + seconds(10)).size(), 7u);
    errors.add("", std::string(5'000, 'x'), kNow + seconds(10));
    EXPECT_EQ(errors.rows({}, kNow + seconds(10)).front().text.size(), RecentErrors::kLongest);
    errors.forget("a.test");
    EXPECT_EQ(errors.rows("a.test", kNow + seconds(10)).size(), 2u);
}

}  // namespace
