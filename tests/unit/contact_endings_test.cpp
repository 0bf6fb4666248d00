#include "mapping/presence/contact_endings.h"

#include "tests/unit/spec_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

namespace stox::presence {

namespace {

using test::spec_table;
using test::SpecRow;
using Follow = Ending::Follow;

SpecRow row(const std::string& file, std::string_view heading, const std::string& id) {
    for (auto& one : spec_table(file, heading))
        if (one.cells[0] == id) return one;
    ADD_FAILURE() << "no row " << id;
    return {};
}

/// The statuses that a sentence names before the first of `until`: "404/604/410 -> ..." of PRES-17.
std::vector<int> codes(const std::string& text) {
    std::vector<int> found;
    for (std::size_t at = 0; at + 3 <= text.size(); ++at) {
        const auto digit = [&](std::size_t i) { return i < text.size() && text[i] >= '0' && text[i] <= '9'; };
        if (digit(at) && digit(at + 1) && digit(at + 2) && !digit(at + 3) && (at == 0 || !digit(at - 1)))
            found.push_back(std::stoi(text.substr(at, 3)));
    }
    return found;
}

std::string part(const std::string& text, const std::string& from, const std::string& to) {
    const auto begin = text.find(from);
    EXPECT_NE(begin, std::string::npos) << from << " in " << text;
    return text.substr(begin, text.find(to, begin) - begin);
}

/// What table 2.4 says of "terminated;<reason>".
std::map<std::string, SpecRow> reasons() {
    std::map<std::string, SpecRow> found;
    constexpr std::string_view kBefore = "terminated;";
    for (const auto& one : spec_table("presence.md", "2.4 "))
        if (one.cells[1].starts_with(kBefore)) found.emplace(one.cells[1].substr(kBefore.size()), one);
    return found;
}

bool says(const SpecRow& row, std::size_t cell, std::string_view words) {
    return row.cells[cell].find(words) != std::string::npos;
}

}  // namespace

TEST(ContactEndings, PRES_15_StatusesThatEndTheAuthorisation) {
    const auto text = row("presence.md", "2.2 ", "PRES-15").cells[2];
    const auto listed = codes(part(text, "SUBSCRIBE final", "->"));
    EXPECT_EQ(listed, (std::vector{403, 489, 603}));
    for (const int status : listed) EXPECT_EQ(failure_of(status), status == 489 ? Failure::unable : Failure::refused) << status;
}

TEST(ContactEndings, PRES_15_StatusesOfWhoHasNoPresence) {
    const auto text = row("presence.md", "2.2 ", "PRES-15").cells[2];
    const auto listed = codes(part(text, "405, 406", "say that there is no presence"));
    EXPECT_EQ(listed, (std::vector{405, 406, 489}));
    for (const int status : listed) EXPECT_EQ(failure_of(status), Failure::unable) << status;
}

TEST(ContactEndings, PRES_16_TransientStatuses) {
    const auto text = row("presence.md", "2.2 ", "PRES-16").cells[2];
    EXPECT_EQ(codes(part(text, "423", "are transient")), (std::vector{423, 481}));
    EXPECT_EQ(failure_of(423), Failure::transient);
    EXPECT_EQ(failure_of(481), Failure::lost);
}

TEST(ContactEndings, PRES_17_OtherStatuses) {
    const auto text = row("presence.md", "2.2 ", "PRES-17").cells[2];
    for (const int status : codes(part(text, "404/", "->"))) EXPECT_EQ(failure_of(status), Failure::absent) << status;
    for (const int status : codes(part(text, "401/407", "authenticate")))
        EXPECT_EQ(failure_of(status), Failure::credentials) << status;
    for (const int status : codes(part(text, "405/406 as", "permanent")))
        EXPECT_EQ(failure_of(status), Failure::unable) << status;
    for (const int status : codes(part(text, "420/421", "transient")))
        EXPECT_EQ(failure_of(status), Failure::transient) << status;
    for (const int status : {300, 301, 302, 305, 380}) EXPECT_EQ(failure_of(status), Failure::moved) << status;
}

TEST(ContactEndings, PRES_17_EveryOtherStatusIsTransient) {
    const auto listed = codes("401 403 404 405 406 407 410 481 489 603 604");
    for (int status = 400; status < 700; ++status) {
        const bool is_listed = std::ranges::find(listed, status) != listed.end();
        EXPECT_EQ(failure_of(status) == Failure::transient, !is_listed) << status;
    }
}

TEST(ContactEndings, PRES_T3_RejectedAndPRES_T4_NoResourceEndIt) {
    const auto table = reasons();
    for (const auto* reason : {"rejected", "noresource"}) {
        ASSERT_TRUE(table.contains(reason));
        EXPECT_TRUE(says(table.at(reason), 3, "none")) << reason;
        EXPECT_EQ(ending_of(reason), (Ending{Follow::refused, {}})) << reason;
    }
}

TEST(ContactEndings, PRES_T5_DeactivatedAndPRES_T8_TimeoutAreBegunAgainAtOnce) {
    const auto table = reasons();
    for (const auto* reason : {"deactivated", "timeout"}) {
        ASSERT_TRUE(table.contains(reason));
        EXPECT_TRUE(says(table.at(reason), 3, "re-SUBSCRIBE")) << reason;
        EXPECT_EQ(ending_of(reason), (Ending{Follow::at_once, {}})) << reason;
    }
}

TEST(ContactEndings, PRES_T6_ProbationAndPRES_T7_GiveupWait) {
    const auto table = reasons();
    EXPECT_TRUE(says(table.at("probation"), 3, "default 300 s"));
    EXPECT_EQ(ending_of("probation"), (Ending{Follow::later, std::chrono::seconds(300)}));
    EXPECT_TRUE(says(table.at("giveup"), 3, "1 h (project)"));
    EXPECT_EQ(ending_of("giveup"), (Ending{Follow::later, std::chrono::hours(1)}));
}

TEST(ContactEndings, PRES_T9_InvariantSettlesAndPRES_T10_OthersBackOff) {
    const auto table = reasons();
    EXPECT_TRUE(says(table.at("invariant"), 2, "keep last presence"));
    EXPECT_EQ(ending_of("invariant"), (Ending{Follow::settled, {}}));
    EXPECT_EQ(ending_of("INVARIANT").follow, Follow::settled) << "tokens tell no case";
    for (const auto* reason : {"", "moved", "reject", "rejected "})
        EXPECT_EQ(ending_of(reason), (Ending{Follow::back_off, {}})) << reason;
}

TEST(ContactEndings, EveryReasonOfTheTableIsKnown) {
    std::size_t known = 0;
    for (const auto& [reason, row] : reasons()) known += ending_of(reason) != Ending{};
    EXPECT_EQ(known, 7u);
}

TEST(ContactEndings, PRES_T11_UnknownTokensCountAsWhatWasBefore) {
    for (const bool before : {false, true}) {
        EXPECT_EQ(standing_of("pending;expires=3", before), Standing::pending);
        EXPECT_EQ(standing_of("Active ; expires=3", before), Standing::active);
        EXPECT_EQ(standing_of("terminated", before), Standing::terminated);
    }
    EXPECT_EQ(standing_of("waiting;expires=3", false), Standing::pending);
    EXPECT_EQ(standing_of("waiting;expires=3", true), Standing::active);
    EXPECT_EQ(standing_of("activex", false), Standing::pending);
}

}  // namespace stox::presence
