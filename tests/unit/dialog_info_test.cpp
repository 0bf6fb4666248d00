// Dialog information, and who is on the phone.

#include "mapping/presence/dialog_info.h"
#include "tests/unit/result_testing.h"

#include <gtest/gtest.h>

namespace stox::presence {

namespace {

using Outcome = DialogList::Outcome;

std::string document(const std::string& attributes, const std::string& inside = "") {
    return "<?xml version='1.0'?><dialog-info xmlns='urn:ietf:params:xml:ns:dialog-info' " + attributes + ">" + inside +
           "</dialog-info>";
}

std::string dialog(const std::string& id, const std::string& state) {
    return "<dialog id='" + id + "' call-id='c' local-tag='l' direction='initiator'><state event='rejected' code='486'>" + state +
           "</state><duration>3</duration><local><identity>sip:alice@example.com</identity></local></dialog>";
}

DialogInfo read(const std::string& attributes, const std::string& inside = "") {
    return test::value(read_dialog_info(document(attributes, inside)));
}

std::optional<Code> refusal(const std::string& whole) { return test::code(read_dialog_info(whole)); }

DialogInfo info(std::uint32_t version, bool is_full, std::vector<DialogInfo::Dialog> dialogs) {
    return {version, is_full, {}, std::move(dialogs)};
}

}  // namespace

TEST(DialogInfo, IsRead) {
    const auto full =
        read("version='12' state='full' entity=' sip:alice@example.com '", dialog("a", "confirmed") + dialog("b", " early\n"));
    EXPECT_EQ(full, (DialogInfo{12, true, "sip:alice@example.com", {{"a", DialogState::confirmed}, {"b", DialogState::early}}}));
    EXPECT_FALSE(read("version='0' state='partial'").is_full);
    EXPECT_TRUE(read("version='0' notify-state='full'").is_full);
    EXPECT_EQ(read("version='4294967295' state='full'").version, 4'294'967'295u);
    EXPECT_FALSE(full.left_out);
    const auto other =
        read("version='1' state='full'", "<x xmlns='urn:x'>" + dialog("a", "confirmed") + "</x>" + dialog("b", "trying"));
    EXPECT_EQ(other.dialogs, (std::vector<DialogInfo::Dialog>{{"b", DialogState::trying}}));
}

TEST(DialogInfo, EveryState) {
    const std::pair<const char*, DialogState> rows[] = {{"trying", DialogState::trying},
                                                        {"proceeding", DialogState::proceeding},
                                                        {"early", DialogState::early},
                                                        {"confirmed", DialogState::confirmed},
                                                        {"terminated", DialogState::terminated}};
    for (const auto& [name, state] : rows) {
        EXPECT_EQ(read("version='1' state='full'", dialog("a", name)).dialogs, (std::vector<DialogInfo::Dialog>{{"a", state}}));
        DialogList list;
        list.take(info(0, true, {{"a", state}}));
        EXPECT_EQ(list.is_on_the_phone(), state == DialogState::confirmed) << name;
        EXPECT_EQ(list.show(), state == DialogState::confirmed ? std::optional(Show::dnd) : std::nullopt) << name;
        EXPECT_EQ(list.size(), state == DialogState::terminated ? 0u : 1u);
    }
}

TEST(DialogInfo, CommentsAndInstructionsArePassedOver) {
    const auto remarked =
        "<!-- a --><?pi a?>" +
        document("version='1' state='full'", "<!-- <dialog id='x'/> --><?pi b?>" + dialog("a", "confirm<!-- b -->ed"))
            .substr(21) +
        "<!-- c --><?pi c?>";
    EXPECT_EQ(test::value(read_dialog_info(remarked)).dialogs, (std::vector<DialogInfo::Dialog>{{"a", DialogState::confirmed}}));
    EXPECT_EQ(refusal("<!-- a --><!DOCTYPE a><a/>"), Code::forbidden);
    EXPECT_EQ(refusal(document("version='1' state='full'", "<!-- <a> -- </a> -->")), Code::malformed);
}

TEST(DialogInfo, WhatIsNone) {
    EXPECT_EQ(refusal(""), Code::malformed);
    EXPECT_EQ(refusal("<dialog-info version='1' state='full'/>"), Code::malformed);
    EXPECT_EQ(refusal(document("version='1' state='full'", "<y:x/>")), Code::malformed);
    for (const auto* attributes :
         {"", "version='1'", "state='full'", "version='-1' state='full'", "version='4294967296' state='full'",
          "version='one' state='full'", "version='1' state='most'", "version='1' state=''"})
        EXPECT_EQ(refusal(document(attributes)), Code::malformed) << attributes;
    EXPECT_EQ(refusal("<!DOCTYPE a><a/>"), Code::forbidden);
    EXPECT_EQ(refusal(document("version='1' state='full'", std::string(kMaxDialogInfo_octets, ' '))), Code::too_large);
    std::string wide;
    for (int i = 0; i < 2'000; ++i) wide += "<a/>";
    EXPECT_EQ(refusal(document("version='1' state='full'", wide)), Code::too_large);
}

TEST(DialogInfo, WhatIsOverABoundIsLeftOutAlone) {
    for (const auto& unusable : {dialog("", "early"), dialog("a", "resting"), std::string("<dialog id='a'/>"),
                                 std::string("<dialog><state>early</state></dialog>"), dialog(std::string(257, 'a'), "early")}) {
        const auto read_one = read("version='1' state='full'", unusable + dialog("b", "confirmed"));
        EXPECT_EQ(read_one.dialogs, (std::vector<DialogInfo::Dialog>{{"b", DialogState::confirmed}})) << unusable;
        EXPECT_TRUE(read_one.left_out);
    }
    EXPECT_FALSE(read("version='1' state='full'", dialog(std::string(256, 'a'), "early")).left_out);
    std::string dialogs;
    for (std::size_t i = 0; i < kMaxDialogs; ++i)
        dialogs += "<dialog id='" + std::to_string(i) + "'><state>early</state></dialog>";
    EXPECT_FALSE(read("version='1' state='full'", dialogs).left_out);
    const auto many = read("version='1' state='full'", dialogs + "<dialog id='more'><state>confirmed</state></dialog>");
    EXPECT_TRUE(many.left_out);
    EXPECT_EQ(many.dialogs.size(), kMaxDialogs);
    DialogList list;
    list.take(many);
    EXPECT_EQ(list.take(info(2, false, {{"more", DialogState::confirmed}})), Outcome::taken_with_gap);
    EXPECT_EQ(list.size(), kMaxDialogs);
    list.take(info(3, false, {{"0", DialogState::confirmed}}));
    EXPECT_TRUE(list.is_on_the_phone()) << "one that is known changes";
}

TEST(DialogInfo, WhoIsTerminatedTakesNoRoom) {
    std::string ended;
    for (std::size_t i = 0; i < 2 * kMaxDialogs; ++i) ended += dialog("e" + std::to_string(i), "terminated");
    const auto whole = read("version='1' state='full'", ended + dialog("a", "confirmed"));
    EXPECT_FALSE(whole.left_out);
    DialogList list;
    EXPECT_EQ(list.take(whole), Outcome::taken);
    EXPECT_TRUE(list.is_on_the_phone());
    EXPECT_EQ(list.size(), 1u);
}

TEST(DialogList, FullAndPartialState) {
    DialogList list;
    EXPECT_FALSE(list.is_on_the_phone());
    EXPECT_EQ(list.take(info(0, true, {{"a", DialogState::early}})), Outcome::taken);
    EXPECT_EQ(list.take(info(1, false, {{"b", DialogState::confirmed}})), Outcome::taken);
    EXPECT_EQ(list.size(), 2u);
    EXPECT_EQ(list.take(info(2, false, {{"a", DialogState::confirmed}, {"b", DialogState::terminated}})), Outcome::taken);
    EXPECT_TRUE(list.is_on_the_phone());
    EXPECT_EQ(list.size(), 1u);
    EXPECT_EQ(list.take(info(3, false, {})), Outcome::taken);
    EXPECT_TRUE(list.is_on_the_phone());
    EXPECT_EQ(list.take(info(4, true, {{"c", DialogState::early}})), Outcome::taken);
    EXPECT_FALSE(list.is_on_the_phone()) << "a whole state forgets the one before";
}

TEST(DialogList, Versions) {
    DialogList list;
    EXPECT_EQ(list.take(info(5, false, {{"a", DialogState::early}})), Outcome::taken_with_gap) << "the first is whole";
    EXPECT_EQ(list.take(info(6, true, {})), Outcome::taken);
    EXPECT_EQ(list.take(info(5, true, {{"a", DialogState::confirmed}})), Outcome::stale);
    EXPECT_EQ(list.take(info(6, false, {{"a", DialogState::confirmed}})), Outcome::stale);
    EXPECT_FALSE(list.is_on_the_phone());
    EXPECT_EQ(list.take(info(6, true, {{"a", DialogState::confirmed}})), Outcome::taken) << "a phone that never counts";
    EXPECT_TRUE(list.is_on_the_phone());
    EXPECT_EQ(list.take(info(8, false, {{"b", DialogState::early}})), Outcome::taken_with_gap);
    EXPECT_EQ(list.size(), 2u);
    EXPECT_EQ(list.take(info(20, true, {})), Outcome::taken) << "whole, so that nothing is missing";
    EXPECT_EQ(list.take(info(21, false, {{"a", DialogState::confirmed}})), Outcome::taken);
    EXPECT_TRUE(list.is_on_the_phone());
}

}  // namespace stox::presence
