#include "mapping/xmpp/adhoc.h"

#include "mapping/xml/reader.h"
#include "mapping/xml/writer.h"

#include <gtest/gtest.h>

namespace stox::xmpp {

namespace {

Result<AdhocCommand> read(const std::string& attributes, const std::string& inside = {}) {
    const auto text = "<command xmlns='http://jabber.org/protocol/commands' " + attributes + ">" + inside + "</command>";
    return decode_command(xml::read_document(text).value());
}

}  // namespace

TEST(Adhoc, ARequestIsRead) {
    const auto begin = read("node='urn:x#peers' action='execute'").value();
    EXPECT_EQ(begin.node, "urn:x#peers");
    EXPECT_EQ(begin.action, CommandAction::execute);
    EXPECT_TRUE(begin.session_id.empty());
    EXPECT_FALSE(read("node='n'").value().action);
    const auto submitted = read("node='n' sessionid='s'", "<x xmlns='jabber:x:data' type='submit'><field var='a'/></x>").value();
    EXPECT_EQ(submitted.session_id, "s");
    EXPECT_EQ(submitted.form.value().type, FormType::submit);
    EXPECT_EQ(read("node='n' sessionid='s' action='cancel'").value().action, CommandAction::cancel);
}

TEST(Adhoc, AnAnswerIsWrittenAsTheStandardSays) {
    AdhocCommand command;
    command.node = "n";
    command.session_id = "s";
    command.status = CommandStatus::executing;
    command.allowed = {CommandAction::complete};
    command.form = DataForm{};
    EXPECT_EQ(xml::write(encode(command)),
              "<command xmlns='http://jabber.org/protocol/commands' node='n' sessionid='s' status='executing'>"
              "<actions execute='complete'><complete/></actions><x xmlns='jabber:x:data' type='form'/></command>");
    EXPECT_EQ(decode_command(encode(command)).value(), command);
    command.allowed.clear();
    command.form.reset();
    command.status = CommandStatus::completed;
    command.notes = {{NoteType::warn, "cut"}, {NoteType::info, "done"}};
    EXPECT_EQ(xml::write(encode(command)),
              "<command xmlns='http://jabber.org/protocol/commands' node='n' sessionid='s' status='completed'>"
              "<note type='warn'>cut</note><note type='info'>done</note></command>");
    EXPECT_EQ(decode_command(encode(command)).value(), command);
}

TEST(Adhoc, EveryWordOfTheStandardIsReadAndWritten) {
    const auto again = [](AdhocCommand command) { return xml::write(encode(command)); };
    AdhocCommand command;
    command.node = "n";
    for (const auto& [action, word] : std::vector<std::pair<CommandAction, std::string>>{{CommandAction::execute, "execute"},
                                                                                         {CommandAction::complete, "complete"},
                                                                                         {CommandAction::cancel, "cancel"},
                                                                                         {CommandAction::next, "next"},
                                                                                         {CommandAction::prev, "prev"}}) {
        EXPECT_EQ(read("node='n' action='" + word + "'").value().action, action);
        command.action = action;
        EXPECT_NE(again(command).find(" action='" + word + "'"), std::string::npos);
    }
    for (const auto& [status, word] : std::vector<std::pair<CommandStatus, std::string>>{{CommandStatus::executing, "executing"},
                                                                                         {CommandStatus::completed, "completed"},
                                                                                         {CommandStatus::canceled, "canceled"}}) {
        EXPECT_EQ(read("node='n' status='" + word + "'").value().status, status);
        command.status = status;
        EXPECT_NE(again(command).find(" status='" + word + "'"), std::string::npos);
    }
    for (const auto& [type, word] : std::vector<std::pair<NoteType, std::string>>{
             {NoteType::info, "info"}, {NoteType::warn, "warn"}, {NoteType::error, "error"}}) {
        EXPECT_EQ(read("node='n'", "<note type='" + word + "'/>").value().notes.at(0).type, type);
        command.notes = {{type, "x"}};
        EXPECT_NE(again(command).find("<note type='" + word + "'>"), std::string::npos);
    }
}

TEST(Adhoc, TheDefaultActionIsTheFirst) {
    const auto command = read("node='n' status='executing'", "<actions execute='complete'><prev/><complete/></actions>").value();
    EXPECT_EQ(command.allowed, (std::vector{CommandAction::complete, CommandAction::prev}));
}

TEST(Adhoc, WhatCannotBeReadIsRefused) {
    const auto code = [](const Result<AdhocCommand>& result) { return result ? Code::unavailable : result.error().code; };
    EXPECT_EQ(code(read("")), Code::malformed);
    EXPECT_EQ(code(read("node=''")), Code::malformed);
    EXPECT_EQ(code(read("node='n' action='dance'")), Code::malformed);
    EXPECT_EQ(code(read("node='n' status='dance'")), Code::malformed);
    EXPECT_EQ(code(read("node='n'", "<note type='dance'/>")), Code::malformed);
    EXPECT_EQ(code(read("node='n'", "<x xmlns='jabber:x:data' type='dance'/>")), Code::malformed);
    EXPECT_EQ(code(read("node='" + std::string(257, 'n') + "'")), Code::too_large);
    EXPECT_EQ(code(read("node='n' sessionid='" + std::string(257, 's') + "'")), Code::too_large);
    EXPECT_EQ(code(decode_command(xml::Element("urn:x", "command"))), Code::malformed);
}

}  // namespace stox::xmpp
