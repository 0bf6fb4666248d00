// RFC 4028: who refreshes, how often, and what is refused.

#include "mapping/sip/session_timer.h"

#include <gtest/gtest.h>

namespace stox::sip {
namespace {

using std::chrono::seconds;
using Role = SessionExpires::Role;

constexpr TimePoint kNow{std::chrono::hours(1)};

TEST(SessionTimer, HeaderIsReadAndWritten) {
    const auto read = [](std::string text) { return SessionExpires::read(&text); };
    EXPECT_EQ(read("1800"), (SessionExpires{seconds(1800), Role::none}));
    EXPECT_EQ(read("90;refresher=uac"), (SessionExpires{seconds(90), Role::uac}));
    EXPECT_EQ(read("90 ; Refresher=UAS ; x=y"), (SessionExpires{seconds(90), Role::uas}));
    EXPECT_EQ(read("90;refresher=them"), (SessionExpires{seconds(90), Role::none}));
    EXPECT_EQ(read("soon"), std::nullopt);
    EXPECT_EQ(read("-1"), std::nullopt);
    EXPECT_EQ(SessionExpires::read(nullptr), std::nullopt);
    EXPECT_EQ((SessionExpires{seconds(90), Role::uas}).to_string(), "90;refresher=uas");
    EXPECT_EQ((SessionExpires{seconds(90), Role::none}).to_string(), "90");
}

/// The answer to a request, by RFC 4028 §9 and its table 2.
struct Row {
    std::string supported, asked, min_se;  ///< of the request
    int ours;                              ///< session_interval
    std::string answer;                    ///< Session-Expires of the 2xx; empty: none
    bool required;                         ///< Require: timer
    bool we_refresh;
};
struct Answer : testing::TestWithParam<Row> {};

TEST_P(Answer, IsThatOfTheTable) {
    const auto& row = GetParam();
    Request request;
    request.method = "INVITE";
    if (!row.supported.empty()) request.headers.push_back({"Supported", row.supported});
    if (!row.asked.empty()) request.headers.push_back({"Session-Expires", row.asked});
    if (!row.min_se.empty()) request.headers.push_back({"Min-SE", row.min_se});
    CallSettings settings;
    settings.session_interval = seconds(row.ours);
    Response response;
    SessionTimer timer;
    timer.accept(request, response, settings, kNow);
    const auto* answer = response.header("Session-Expires");
    EXPECT_EQ(answer ? *answer : "", row.answer);
    const auto* required = response.header("Require");
    EXPECT_EQ(required && *required == "timer", row.required);
    EXPECT_EQ(timer.refresh_due().has_value(), row.we_refresh);
    EXPECT_EQ(timer.end_due().has_value(), !row.answer.empty());
}

INSTANTIATE_TEST_SUITE_P(Rfc4028, Answer,
                         testing::Values(
                             // the caller knows no timers: we refresh, and require nothing of it
                             Row{"", "", "", 1800, "1800;refresher=uas", false, true},
                             Row{"", "600", "", 1800, "600;refresher=uas", false, true}, Row{"", "", "", 0, "", false, false},
                             // it does, and says nothing of who: it refreshes
                             Row{"timer", "", "", 1800, "1800;refresher=uac", true, false},
                             Row{"100rel, timer", "1800", "", 1800, "1800;refresher=uac", true, false},
                             // its choice stands
                             Row{"timer", "1800;refresher=uac", "", 1800, "1800;refresher=uac", true, false},
                             Row{"timer", "1800;refresher=uas", "", 1800, "1800;refresher=uas", true, true},
                             // shorter than asked, never longer, never under Min-SE or 90
                             Row{"timer", "3600", "", 1800, "1800;refresher=uac", true, false},
                             Row{"timer", "600", "", 1800, "600;refresher=uac", true, false},
                             Row{"timer", "3600", "2400", 1800, "2400;refresher=uac", true, false},
                             Row{"timer", "3600", "", 0, "3600;refresher=uac", true, false},
                             Row{"timer", "", "2400", 1800, "2400;refresher=uac", true, false}));

TEST(SessionTimer, ShortIntervalsAreRefusedOnlyToWhoKnowsTimers) {
    const auto refusal = [](std::string asked, std::string supported, int least) {
        Request request;
        request.headers = {{"Session-Expires", std::move(asked)}, {"Supported", std::move(supported)}};
        CallSettings settings;
        settings.min_session_interval = seconds(least);
        return SessionTimer::refuse(request, settings);
    };
    EXPECT_FALSE(refusal("90", "timer", 90));
    ASSERT_TRUE(refusal("89", "timer", 90));
    EXPECT_EQ(refusal("89", "timer", 90)->status, 422);
    EXPECT_EQ(*refusal("89", "timer", 90)->header("Min-SE"), "90");
    EXPECT_EQ(*refusal("89", "timer", 30)->header("Min-SE"), "90");  // nobody may want less
    EXPECT_EQ(*refusal("500", "timer", 600)->header("Min-SE"), "600");
    EXPECT_FALSE(refusal("89", "100rel", 90));
    EXPECT_FALSE(SessionTimer::refuse(Request{}, CallSettings{}));
}

/// What a 2xx to our request makes of the timer.   (RFC 4028 §7.2)
struct Agreed {
    std::string answer, asked;
    int interval;  ///< 0: no timer
    bool we_refresh;
};
struct Agreement : testing::TestWithParam<Agreed> {};

TEST_P(Agreement, StartsTheTimer) {
    const auto& [answer, asked, interval, we_refresh] = GetParam();
    Response response;
    if (!answer.empty()) response.headers.push_back({"Session-Expires", answer});
    Request request;
    if (!asked.empty()) request.headers.push_back({"Session-Expires", asked});
    SessionTimer timer;
    timer.agreed(response, request, kNow);
    ASSERT_EQ(timer.end_due().has_value(), interval > 0);
    if (interval == 0) return;
    EXPECT_EQ(*timer.end_due(), kNow + seconds(interval) - std::min(seconds(32), seconds(interval) / 3));
    ASSERT_EQ(timer.refresh_due().has_value(), we_refresh);
    if (!we_refresh) return;
    EXPECT_EQ(*timer.refresh_due(), kNow + seconds(interval) / 2);
}

INSTANTIATE_TEST_SUITE_P(Rfc4028, Agreement,
                         testing::Values(Agreed{"1800;refresher=uac", "1800", 1800, true},
                                         Agreed{"1800;refresher=uas", "1800", 1800, false},
                                         Agreed{"600;refresher=uas", "1800", 600, false},
                                         Agreed{"1800", "1800", 1800, true},  // a peer that forgets to say who
                                         Agreed{"", "1800", 1800, true},      // one that knows no timers: ours alone
                                         Agreed{"", "", 0, false},
                                         Agreed{"600;refresher=uas", "", 600, false},  // it wants one though we did not ask
                                         Agreed{"1;refresher=uac", "1800", 90, true},  // no storm of refreshes
                                         Agreed{"90;refresher=uas", "90", 90, false}));

TEST(SessionTimer, LargerMinimumIsAskedForAndKept) {
    const CallSettings settings;
    SessionTimer timer;
    Request first;
    timer.ask(first, settings);
    EXPECT_EQ(*first.header("Session-Expires"), "1800");
    Response refusal;
    EXPECT_FALSE(timer.raise(refusal, first));  // says no Min-SE
    refusal.headers = {{"Min-SE", "1800"}};
    EXPECT_FALSE(timer.raise(refusal, first));  // we had as much
    refusal.headers = {{"Min-SE", "2000"}};
    EXPECT_TRUE(timer.raise(refusal, first));
    Request second;
    timer.ask(second, settings);
    EXPECT_EQ(*second.header("Session-Expires"), "2000");
    EXPECT_EQ(*second.header("Min-SE"), "2000");
}

TEST(SessionTimer, RolesStayInARefreshAndAreNamedByWhoSendsIt) {
    const CallSettings settings;
    const auto refresh_after = [&](std::string answer) {
        SessionTimer timer;
        Response response;
        response.headers = {{"Session-Expires", std::move(answer)}};
        timer.agreed(response, {}, kNow);
        Request request;
        timer.ask(request, settings);
        return *request.header("Session-Expires");
    };
    EXPECT_EQ(refresh_after("600;refresher=uac"), "600;refresher=uac");
    EXPECT_EQ(refresh_after("600;refresher=uas"), "600;refresher=uas");
}

TEST(SessionTimer, FailedRefreshHasAnotherTryInTheMiddleOfWhatIsLeft) {
    SessionTimer timer;
    Response response;
    response.headers = {{"Session-Expires", "90;refresher=uac"}};
    timer.agreed(response, {}, kNow);  // ends after 60 s
    timer.refreshing();
    EXPECT_FALSE(timer.refresh_due());
    timer.retry(kNow + seconds(40));
    EXPECT_EQ(timer.refresh_due(), kNow + seconds(50));
    timer.refreshing();
    timer.retry(kNow + seconds(41));  // less than 10 s before the half
    EXPECT_FALSE(timer.refresh_due());
    SessionTimer none;
    none.retry(kNow);
    EXPECT_FALSE(none.refresh_due());
}

}  // namespace
}  // namespace stox::sip
