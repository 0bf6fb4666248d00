// Ad-hoc commands: who sees them, who runs them, what comes of it.

#include "mapping/xmpp/adhoc.h"
#include "mapping/xmpp/namespaces.h"
#include "plugin/engine/admin_desk.h"
#include "plugin/engine/user_rates.h"
#include "tests/engine/rig.h"

#include <gtest/gtest.h>

#include <array>

namespace {

using namespace stox;
using namespace stox::engine;
using namespace stox::engine::test;
using std::chrono::seconds;

const xmpp::Jid kAdmin{"romeo", "montague.test", "garden"}, kOther{"mercutio", "montague.test", "street"};

xmpp::Iq iq_from(const xmpp::Jid& from, xmpp::IqType type, xml::Element payload) {
    xmpp::Iq iq;
    iq.from = from;
    iq.to = {{}, "capulet.test", {}};
    iq.id = "q1";
    iq.type = type;
    iq.payload = std::move(payload);
    return iq;
}

xmpp::Iq list(const xmpp::Jid& from) {
    xml::Element query(std::string(xmpp::ns::kDiscoItems), "query");
    query.set("node", xmpp::ns::kCommands);
    return iq_from(from, xmpp::IqType::get, std::move(query));
}

xmpp::Iq execute(const xmpp::Jid& from, const std::string& word, const std::string& session = {},
                 std::optional<xmpp::DataForm> form = {}, xmpp::CommandAction action = xmpp::CommandAction::execute) {
    xmpp::AdhocCommand command;
    command.node = "urn:stox:admin#" + word;
    command.session_id = session;
    command.action = action;
    command.form = std::move(form);
    return iq_from(from, xmpp::IqType::set, xmpp::encode(command));
}

xmpp::DataForm filled_in(const std::vector<std::pair<std::string, std::string>>& fields) {
    xmpp::DataForm form;
    form.type = xmpp::FormType::submit;
    for (const auto& [var, value] : fields) form.fields.push_back({var, {}, {}, false, {value}, {}});
    form.set_form_type("urn:stox:admin#x");
    return form;
}

/// Says yes to whom the rig's server knows as an administrator.
struct Office : Rig {
    explicit Office(config::DomainOptions options = default_options()) : Rig(std::move(options)) {}

    xmpp::Jid server_admin = kAdmin, domain_admin{};
    std::vector<Authorize> asked{};
    std::vector<Administer> orders{};

    Office& say(xmpp::Stanza stanza) {
        stanzas.clear();
        orders.clear();
        take(engine.handle(StanzaIn{std::move(stanza), {}}, now));
        return *this;
    }
    Office& done(AdminOutcome outcome) {
        const auto id = orders.at(0).id;
        stanzas.clear();
        take(engine.handle(Administered{id, std::move(outcome)}, now));
        return *this;
    }
    void take(std::vector<Action> actions) {
        for (auto& action : actions) {
            if (auto* question = std::get_if<Authorize>(&action)) {
                asked.push_back(*question);
                const bool domain = question->scope == AdminScope::domain && question->who == domain_admin;
                if (answers_questions)
                    take(engine.handle(Authorized{question->id, question->who == server_admin || domain}, now));
            } else if (auto* order = std::get_if<Administer>(&action)) {
                orders.push_back(*order);
            } else if (auto* stanza = std::get_if<SendStanza>(&action)) {
                stanzas.push_back(std::move(stanza->stanza));
            } else if (auto* log = std::get_if<Log>(&action)) {
                logs.push_back(*log);
            }
        }
    }
    const xmpp::Iq& reply() const { return std::get<xmpp::Iq>(stanzas.at(0)); }
    xmpp::AdhocCommand command() const { return xmpp::decode_command(*reply().payload).value(); }
    std::size_t listed() const { return reply().payload->children.size(); }

    bool answers_questions = true;
};

TEST(Admin, AdministratorsSeeTheirCommandsAndNobodyElseAny) {
    Office office;
    office.domain_admin = {"benvolio", "montague.test", "x"};
    const auto own = own_commands().size();
    EXPECT_EQ(office.say(list(kAdmin)).listed(), admin_commands().size() + own);
    const auto of_domain = std::ranges::count(admin_commands(), AdminScope::domain, &AdminCommand::scope);
    EXPECT_EQ(office.say(list(office.domain_admin)).listed(), static_cast<std::size_t>(of_domain) + own);
    EXPECT_LT(static_cast<std::size_t>(of_domain), admin_commands().size());
    EXPECT_EQ(office.say(list(kOther)).listed(), own) << "what is theirs alone";
    EXPECT_EQ(office.reply().type, xmpp::IqType::result);
    const auto questions = office.asked.size();
    office.say(list({"tybalt", "elsewhere.test", "x"}));
    EXPECT_EQ(office.error().condition, xmpp::Condition::forbidden);
    EXPECT_EQ(office.asked.size(), questions) << "of a stranger nobody is asked";
}

xmpp::Iq execute_own(const xmpp::Jid& from, const std::string& word, std::optional<xmpp::DataForm> form = {},
                     const std::string& session = {}) {
    xmpp::AdhocCommand command;
    command.node = "urn:stox:own#" + word;
    command.session_id = session;
    command.form = std::move(form);
    return iq_from(from, xmpp::IqType::set, xmpp::encode(command));
}

void watch(Office& office, const xmpp::Jid& user, const char* contact) {
    xmpp::Presence subscribe;
    subscribe.from = user;
    subscribe.to = {contact, "capulet.test", {}};
    subscribe.type = xmpp::PresenceType::subscribe;
    office.say(subscribe);
}

TEST(Admin, EverybodySeesAndEndsTheirOwnSubscriptions) {
    Office office;
    watch(office, kOther, "juliet");
    watch(office, kAdmin, "nurse");
    const auto contacts = [&](const xmpp::Jid& who) {
        office.say(execute_own(who, "subscriptions"));
        EXPECT_EQ(office.command().status, xmpp::CommandStatus::completed);
        std::string text;
        const auto done = office.command();
        for (const auto& item : done.form->items)
            for (const auto& field : item)
                if (field.var == "contact") text += field.values.front() + ' ';
        return text;
    };
    EXPECT_EQ(contacts(kOther), "juliet@capulet.test ");
    EXPECT_EQ(contacts(kAdmin), "nurse@capulet.test ") << "an administrator's own, too";
    office.say(execute_own(kOther, "cancel-subscription"));
    EXPECT_EQ(office.command().status, xmpp::CommandStatus::executing);
    ASSERT_EQ(office.command().form->fields.size(), 2u) << "FORM_TYPE and the contact: nobody says whose";
    const auto session = office.command().session_id;
    const auto cancel = [&](const std::vector<std::pair<std::string, std::string>>& fields) {
        office.say(execute_own(kOther, "cancel-subscription", filled_in(fields), session));
        return office.command();
    };
    EXPECT_EQ(cancel({{"contact", "nurse@capulet.test"}}).notes.front().type, xmpp::NoteType::error);
    EXPECT_EQ(cancel({{"contact", "nurse@capulet.test"}, {"user", kAdmin.bare().to_string()}}).status,
              xmpp::CommandStatus::executing)
        << "no such field";
    EXPECT_EQ(cancel({{"contact", "juliet@capulet.test"}}).notes.front().type, xmpp::NoteType::info);
    office.pass(std::chrono::milliseconds(0));
    EXPECT_EQ(contacts(kOther), "");
    EXPECT_EQ(contacts(kAdmin), "nurse@capulet.test ");
    EXPECT_TRUE(office.asked.empty()) << "nobody is asked who administers";
    office.say(execute_own({"tybalt", "elsewhere.test", "x"}, "subscriptions"));
    EXPECT_EQ(office.error().condition, xmpp::Condition::forbidden) << "strangers have nothing here";
}

TEST(Admin, OwnCommandsPushOutNoFormOfAnAdministrator) {
    Office office;
    office.say(execute(kAdmin, "user-limit"));
    const auto session = office.command().session_id;
    for (std::size_t n = 0; n < 2 * AdminDesk::kSessions; ++n) {
        office.now += std::chrono::milliseconds(100);
        office.say(execute_own(kOther, "cancel-subscription"));
    }
    office.say(execute(kAdmin, "user-limit", session, filled_in({{"user", "romeo@montague.test"}, {"per_second", "1"}})));
    EXPECT_EQ(office.command().status, xmpp::CommandStatus::completed);
}

TEST(Admin, WhoIsNoAdministratorRunsNothing) {
    Office office;
    for (const auto& command : admin_commands()) {
        office.say(execute(kOther, std::string(command.word)));
        EXPECT_EQ(office.error().condition, xmpp::Condition::forbidden) << command.word;
        EXPECT_TRUE(office.orders.empty()) << command.word;
        EXPECT_TRUE(office.logged("audit command=" + std::string(command.word) +
                                  " who=mercutio@montague.test/street via=xmpp result=forbidden"));
        EXPECT_TRUE(std::ranges::none_of(office.logs, &Log::audit)) << "many users could fill the log with it";
    }
    office.domain_admin = kOther;
    EXPECT_TRUE(office.say(execute(kOther, "peers")).command().form);
    office.say(execute(kOther, "stop"));
    EXPECT_EQ(office.error().condition, xmpp::Condition::forbidden) << "a domain's administrator does not have the server";
}

TEST(Admin, TheHostIsAskedAboutTheFullJid) {
    Office office;
    office.say(execute(kAdmin, "ban"));
    ASSERT_EQ(office.asked.size(), 1u);
    EXPECT_EQ(office.asked.at(0).who, kAdmin);
    EXPECT_EQ(office.asked.at(0).node, "urn:stox:admin#ban");
    EXPECT_EQ(office.asked.at(0).scope, AdminScope::worker);
}

TEST(Admin, WithoutAWordOfTheHostNobodyIsAnAdministrator) {
    Office office;
    office.answers_questions = false;
    office.say(execute(kAdmin, "peers"));
    EXPECT_TRUE(office.stanzas.empty());
    office.pass(seconds(2) - std::chrono::milliseconds(1));
    EXPECT_TRUE(office.stanzas.empty());
    office.pass(std::chrono::milliseconds(1));
    EXPECT_EQ(office.error().condition, xmpp::Condition::forbidden);
    office.feed(Authorized{office.asked.at(0).id, true});
    EXPECT_TRUE(office.stanzas.empty()) << "too late";
}

TEST(Admin, QuestionsAreBounded) {
    Office office;
    office.answers_questions = false;
    for (std::size_t n = 0; n < AdminDesk::kAsks; ++n) office.say(execute(kAdmin, "peers"));
    EXPECT_TRUE(office.stanzas.empty());
    office.say(execute(kAdmin, "peers"));
    EXPECT_EQ(office.error().condition, xmpp::Condition::resource_constraint);
    EXPECT_EQ(office.asked.size(), AdminDesk::kAsks);
}

TEST(Admin, WhoAsksTooFastIsNotHeardAndNotWrittenDown) {
    auto options = Rig::default_options();
    options.user_rate = 3;
    Office office(options);
    for (int i = 0; i < 3; ++i) {
        office.say(execute(kOther, "peers"));
        EXPECT_TRUE(office.logged("result=forbidden"));
    }
    const auto asked = office.asked.size();
    office.say(execute(kOther, "peers"));
    EXPECT_EQ(office.asked.size(), asked) << "the server is not asked about it either";
    EXPECT_EQ(office.error().condition, xmpp::Condition::resource_constraint);
    office.say(execute(kAdmin, "peers"));
    EXPECT_TRUE(office.logged("result=done")) << "each has a share of their own";
}

TEST(Admin, ACommandWithoutArgumentsCompletesAtOnce) {
    Office office;
    const auto command = office.say(execute(kAdmin, "peers")).command();
    EXPECT_EQ(command.status, xmpp::CommandStatus::completed);
    EXPECT_EQ(command.node, "urn:stox:admin#peers");
    EXPECT_FALSE(command.session_id.empty());
    EXPECT_EQ(*command.form->value("FORM_TYPE"), "urn:stox:admin#peers");
    ASSERT_EQ(command.form->items.size(), 1u);
    EXPECT_EQ(command.form->items.at(0).at(1).values.at(0), "phones");
    EXPECT_TRUE(office.logged("audit command=peers who=romeo@montague.test/garden via=xmpp result=done"));
    EXPECT_TRUE(office.orders.empty()) << "the engine knows its peers";
    EXPECT_EQ(office.say(execute(kAdmin, "peers", {}, filled_in({{"x", "y"}}))).command().status, xmpp::CommandStatus::completed)
        << "a form that nobody asked for";
}

TEST(Admin, WhatIsTheWorkersGoesThereAndComesBack) {
    Office office;
    office.say(execute(kAdmin, "overview"));
    ASSERT_EQ(office.orders.size(), 1u);
    EXPECT_EQ(office.orders.at(0).order.verb, AdminVerb::overview);
    EXPECT_EQ(office.orders.at(0).who, "romeo@montague.test/garden");
    EXPECT_TRUE(office.stanzas.empty());
    const auto command = office.done({true, "a note", {to_table(std::vector<WorkerRow>(1))}}).command();
    EXPECT_EQ(command.status, xmpp::CommandStatus::completed);
    EXPECT_EQ(command.notes.at(0), (xmpp::CommandNote{xmpp::NoteType::info, "a note"}));
    EXPECT_TRUE(command.form->value("pid"));

    office.say(execute(kAdmin, "reload"));
    EXPECT_EQ(office.done({false, "no", {}}).command().notes.at(0).type, xmpp::NoteType::error);
    office.say(execute(kAdmin, "reload"));
    office.pass(AdminDesk::kWork);
    EXPECT_EQ(office.error().condition, xmpp::Condition::remote_server_timeout);
}

TEST(Admin, OneFormThenTheEnd) {
    Office office;
    const auto form = office.say(execute(kAdmin, "ban")).command();
    EXPECT_EQ(form.status, xmpp::CommandStatus::executing);
    EXPECT_EQ(form.allowed, std::vector{xmpp::CommandAction::complete});
    EXPECT_TRUE(office.orders.empty());
    EXPECT_TRUE(form.form->fields.at(1).required);
    EXPECT_EQ(*form.form->value("minutes"), "60");

    office.say(execute(kAdmin, "ban", form.session_id, filled_in({{"source", "192.0.2.1"}}), xmpp::CommandAction::complete));
    ASSERT_EQ(office.orders.size(), 1u);
    EXPECT_EQ(office.orders.at(0).order.text("source"), "192.0.2.1");
    EXPECT_EQ(office.orders.at(0).order.number("minutes"), 60u);
    EXPECT_EQ(office.asked.size(), 2u) << "they may have lost the right meanwhile";
    EXPECT_EQ(office.done({true, "done", {}}).command().session_id, form.session_id);
    office.say(execute(kAdmin, "ban", form.session_id, filled_in({{"source", "192.0.2.1"}}), xmpp::CommandAction::complete));
    EXPECT_EQ(office.error().condition, xmpp::Condition::bad_request) << "the session is over";
    EXPECT_TRUE(office.orders.empty());
}

TEST(Admin, AFormThatWasFilledInWronglyComesBackWithWhatIsWrong) {
    Office office;
    const auto session = office.say(execute(kAdmin, "ban")).command().session_id;
    for (const auto& [fields, problem] : std::vector<std::pair<std::vector<std::pair<std::string, std::string>>, std::string>>{
             {{}, "source is missing"},
             {{{"source", "nowhere"}}, "source is no IP address"},
             {{{"source", "192.0.2.1"}, {"minutes", "0"}}, "minutes is a number from 1 to 1440"},
             {{{"source", "192.0.2.1"}, {"what", "x"}}, "what is no argument of this command"}}) {
        const auto again =
            office.say(execute(kAdmin, "ban", session, filled_in(fields), xmpp::CommandAction::complete)).command();
        EXPECT_EQ(again.status, xmpp::CommandStatus::executing);
        EXPECT_EQ(again.session_id, session);
        EXPECT_EQ(again.notes.at(0), (xmpp::CommandNote{xmpp::NoteType::error, problem}));
        EXPECT_TRUE(office.orders.empty());
    }
    office.say(execute(kAdmin, "ban", session, filled_in({{"source", "2001:db8::1"}}), xmpp::CommandAction::complete));
    EXPECT_EQ(office.orders.size(), 1u);
}

TEST(Admin, ASessionIsItsOwnersForATimeAndCanBeCanceled) {
    Office office;
    office.domain_admin = kOther;
    const auto session = office.say(execute(kAdmin, "trace")).command().session_id;
    const auto form = filled_in({{"match", "juliet@capulet.test"}});
    office.say(execute(kOther, "trace", session, form, xmpp::CommandAction::complete));
    EXPECT_EQ(office.error().condition, xmpp::Condition::bad_request) << "somebody else's";
    office.say(execute(kAdmin, "ban", session, form, xmpp::CommandAction::complete));
    EXPECT_EQ(office.error().condition, xmpp::Condition::bad_request) << "of another command";
    const auto canceled = office.say(execute(kAdmin, "trace", session, {}, xmpp::CommandAction::cancel)).command();
    EXPECT_EQ(canceled.status, xmpp::CommandStatus::canceled);
    office.say(execute(kAdmin, "trace", session, {}, xmpp::CommandAction::cancel));
    EXPECT_EQ(office.error().condition, xmpp::Condition::bad_request);

    const auto late = office.say(execute(kAdmin, "trace")).command().session_id;
    office.pass(AdminDesk::kSession);
    office.say(execute(kAdmin, "trace", late, form, xmpp::CommandAction::complete));
    EXPECT_EQ(office.error().condition, xmpp::Condition::bad_request) << "too late";
    const auto first = office.say(execute(kAdmin, "trace")).command().session_id;
    for (std::size_t n = 0; n < AdminDesk::kSessions; ++n) office.say(execute(kAdmin, "trace"));
    office.say(execute(kAdmin, "trace", first, form, xmpp::CommandAction::complete));
    EXPECT_EQ(office.error().condition, xmpp::Condition::bad_request) << "forgotten for newer ones";
}

TEST(Admin, WhatIsNoCommandIsRefused) {
    Office office;
    office.say(execute(kAdmin, "dance"));
    EXPECT_EQ(office.error().condition, xmpp::Condition::item_not_found);
    office.say(execute(kAdmin, "peers", {}, {}, xmpp::CommandAction::next));
    EXPECT_EQ(office.error().condition, xmpp::Condition::bad_request);
    auto as_get = execute(kAdmin, "peers");
    as_get.type = xmpp::IqType::get;
    office.say(as_get);
    EXPECT_EQ(office.error().condition, xmpp::Condition::bad_request);
    auto to_contact = execute(kAdmin, "peers");
    to_contact.to.local = "juliet";
    office.say(to_contact);
    EXPECT_EQ(office.error().condition, xmpp::Condition::service_unavailable);
    EXPECT_TRUE(office.asked.empty());
}

TEST(Admin, AnAnswerFitsIntoAStanza) {
    auto options = Rig::default_options();
    const auto peer = options.peers.front();
    options.peers.clear();
    for (unsigned n = 0; n < 2'000; ++n) {
        options.peers.push_back(peer);
        options.peers.back().name = std::string(200, 'p') + std::to_string(n);
    }
    Office office(options);
    const auto command = office.say(execute(kAdmin, "peers")).command();
    EXPECT_LT(command.form->items.size(), 2'000u);
    EXPECT_EQ(command.notes.at(0).type, xmpp::NoteType::warn);
    EXPECT_NE(command.notes.at(0).text.find("left out"), std::string::npos);
}

xmpp::Message word(const xmpp::Jid& from, const std::string& body) {
    auto message = message_stanza("w1", body);
    message.from = from;
    message.to = {{}, "capulet.test", {}};
    return message;
}

TEST(Admin, HelpAndStatusInAChat) {
    Office office;
    const auto reply = [&] { return std::get<xmpp::Message>(office.stanzas.at(0)); };
    office.say(word(kAdmin, " Help\n"));
    for (const auto& command : admin_commands()) EXPECT_NE(reply().bodies.at(0).text.find(command.word), std::string::npos);
    EXPECT_EQ(reply().to, kAdmin);
    EXPECT_EQ(reply().type, xmpp::MessageType::chat);
    office.say(word(kAdmin, "status"));
    EXPECT_EQ(office.orders.at(0).order.verb, AdminVerb::overview);
    office.done({true, {}, {to_table(std::vector<WorkerRow>(1))}});
    EXPECT_TRUE(reply().bodies.at(0).text.starts_with("Worker\n"));
    for (const char* text : {"help", "status"}) {
        office.say(word(kOther, text));
        EXPECT_TRUE(reply().bodies.at(0).text.starts_with("Hello."));
        EXPECT_TRUE(office.orders.empty());
    }
    office.say(word(kAdmin, "anything else"));
    EXPECT_EQ(office.error().condition, xmpp::Condition::service_unavailable);
}

TEST(Admin, ADrainedDomainTakesNothingNew) {
    Rig rig;
    EXPECT_TRUE(rig.engine.administer(read_order(admin_command(AdminVerb::drain), AdminArguments{}).value()).done);
    EXPECT_EQ(rig.request(message_request()).answer().status, 503);
    EXPECT_EQ(rig.stanza(message_stanza()).error().condition, xmpp::Condition::resource_constraint);
    EXPECT_TRUE(rig.sent.empty());
    EXPECT_EQ(rig.engine.domain_row().state, "draining");
    rig.engine.administer(read_order(admin_command(AdminVerb::drain), AdminArguments{{"state", "off"}}).value());
    EXPECT_EQ(rig.stanza(message_stanza("m2")).sent.size(), 1u);
    EXPECT_EQ(rig.engine.domain_row().state, "up");
}

TEST(Admin, AUserMayHaveALimitOfTheirOwn) {
    Rig rig;
    const auto limit = [&](const std::string& user, const std::string& rate) {
        const auto order = read_order(admin_command(AdminVerb::user_limit), AdminArguments{{"user", user}, {"per_second", rate}});
        return rig.engine.administer(order.value()).done;
    };
    EXPECT_TRUE(limit("romeo@montague.test/garden", "1"));
    EXPECT_EQ(rig.stanza(message_stanza("m1")).sent.size(), 1u);
    EXPECT_EQ(rig.stanza(message_stanza("m2")).error().condition, xmpp::Condition::resource_constraint);
    EXPECT_TRUE(limit("juliet", "1"));
    EXPECT_EQ(rig.request(message_request()).answer().status, 0);
    EXPECT_EQ(rig.request(message_request()).answer().status, 503);
    EXPECT_TRUE(limit("Romeo@MONTAGUE.test", "default")) << "the same user, however it is typed";
    EXPECT_TRUE(rig.stanza(message_stanza("m3")).stanzas.empty()) << "waits for its turn, not refused";
    EXPECT_TRUE(limit("juliet", "blocked"));
    EXPECT_EQ(rig.request(message_request()).answer().status, 403);
    auto escaped = message_request();
    escaped.from.uri = uri("sip:jul%69et@" + escaped.from.uri.host);
    EXPECT_EQ(rig.request(escaped).answer().status, 403)
        << "the same user, however it is written";
    EXPECT_FALSE(limit("juliet@capulet.test", "blocked")) << "a contact's JID is nobody's name on the SIP side";
    EXPECT_TRUE(limit("juliet", "0"));
    EXPECT_EQ(rig.request(message_request()).answer().status, 0);
    EXPECT_TRUE(limit("romeo@montague.test", "blocked"));
    EXPECT_EQ(rig.stanza(message_stanza("m4")).error().condition, xmpp::Condition::forbidden);
    EXPECT_TRUE(limit("romeo@montague.test", "default"));
    for (unsigned n = 1; n < UserRates::kExceptions; ++n) EXPECT_TRUE(limit("user" + std::to_string(n), "5"));
    EXPECT_FALSE(limit("one-more", "5"));
    EXPECT_FALSE(limit("romeo&juliet@montague.test", "5"));
    EXPECT_FALSE(limit("sip:", "5"));
    EXPECT_TRUE(limit("user1", "6"));
}

TEST(Admin, MessagesAreCountedWhenTheyArriveOrFail) {
    Rig rig;
    rig.stanza(message_stanza("m1"));
    EXPECT_EQ(rig.engine.domain_row().transactions, 1u);
    rig.sip_response(rig.sent.at(0).transaction, 200);
    rig.stanza(message_stanza("m2"));
    rig.sip_response(rig.sent.at(0).transaction, 404);
    rig.request(message_request());
    EXPECT_EQ(rig.engine.domain_row().to_xmpp_total, 0u);
    rig.answer_ping();  // of what its author was told about m2
    rig.answer_ping();
    const auto row = rig.engine.domain_row();
    EXPECT_EQ(row.to_sip_total, 1u);
    EXPECT_EQ(row.to_xmpp_total, 1u);
    EXPECT_EQ(row.failed_total, 1u);
}

/// "word Title, scope, who does it: argument|Title|kind|preset|choices"
std::string described(const AdminCommand& command) {
    static constexpr std::array kKinds{"source", "user", "match", "minutes", "rate", "choice"};
    static constexpr std::array kScopes{", domain", ", worker", ", user"};
    std::string text = std::string(command.word) + ' ' + std::string(command.title) +
                       kScopes[static_cast<std::size_t>(command.scope)] + (command.of_engine ? ", engine" : "");
    for (const auto& [name, title, kind, preset, choices] : command.arguments) {
        text += ": " + std::string(name) + '|' + std::string(title) + '|' + kKinds[static_cast<std::size_t>(kind)] + '|' +
                std::string(preset);
        for (const auto choice : choices) text += '|' + std::string(choice);
    }
    return text;
}

using Described = std::vector<std::pair<AdminVerb, std::string>>;

void expect_commands(std::span<const AdminCommand> commands, const Described& expected) {
    ASSERT_EQ(commands.size(), expected.size());
    for (std::size_t n = 0; n < expected.size(); ++n) {
        EXPECT_EQ(commands[n].verb, expected[n].first);
        EXPECT_EQ(described(commands[n]), expected[n].second);
    }
}

TEST(Admin, TheTableOfCommands) {
    const Described expected{
        {AdminVerb::overview, "overview Overview, domain"},
        {AdminVerb::domains, "domains Domains, worker"},
        {AdminVerb::peers, "peers Peers, domain, engine"},
        {AdminVerb::errors, "errors Last errors, domain"},
        {AdminVerb::limits, "limits Limits, domain, engine"},
        {AdminVerb::counters, "counters Counters, worker"},
        {AdminVerb::user_limit,
         "user-limit Limit a user, domain, engine: user|JID, SIP URI or number|user|: "
         "per_second|Messages a second; 0: no limit; blocked: nothing at all; default: as configured|rate|"},
        {AdminVerb::drain, "drain Take nothing new, domain, engine: state|Take nothing new|choice|on|on|off"},
        {AdminVerb::trace,
         "trace Trace a JID, source or call, domain: match|JID, source or Call-ID|match|: minutes|For so many "
         "minutes|minutes|10"},
        {AdminVerb::traces, "traces Traces, domain"},
        {AdminVerb::bans, "bans Banned sources, worker"},
        {AdminVerb::ban,
         "ban Ban a source, worker: source|Address of the source|source|: minutes|For so many minutes|minutes|60"},
        {AdminVerb::unban, "unban Hear a banned source again, worker: source|Address of the source|source|"},
        {AdminVerb::log_level, "log-level Log level, worker: level|Log level|choice||error|warn|info|debug"},
        {AdminVerb::subscriptions,
         "subscriptions Presence subscriptions, domain, engine: user|JID of the user; all: everybody|user|all"},
        {AdminVerb::cancel_subscription,
         "cancel-subscription End a presence subscription, domain, engine: user|JID of the user|user|: contact|JID of the "
         "contact|user|"},
        {AdminVerb::reload, "reload Read the configuration again, worker"},
        {AdminVerb::stop, "stop Stop until the next reload, worker"}};
    expect_commands(admin_commands(), expected);
}

TEST(Admin, TheTableOfWhatIsEverybodys) {
    expect_commands(own_commands(), {{AdminVerb::subscriptions, "subscriptions My presence subscriptions, user, engine"},
                                     {AdminVerb::cancel_subscription,
                                      "cancel-subscription End one of my presence subscriptions, user, engine: "
                                      "contact|JID of the contact|user|"}});
}

TEST(Admin, WordsOfACommandLineAreTheSameArguments) {
    const auto& ban = admin_command(AdminVerb::ban);
    EXPECT_EQ(read_order(ban, std::vector<std::string>{"192.0.2.1", "5"}).value().number("minutes"), 5u);
    EXPECT_EQ(read_order(ban, std::vector<std::string>{"192.0.2.1"}).value().number("minutes"), 60u);
    EXPECT_FALSE(read_order(ban, std::vector<std::string>{}));
    EXPECT_FALSE(read_order(ban, std::vector<std::string>{"192.0.2.1", "5", "6"}));
    EXPECT_FALSE(read_order(admin_command(AdminVerb::log_level), std::vector<std::string>{"loud"}));
    EXPECT_FALSE(read_order(admin_command(AdminVerb::trace), std::vector<std::string>{"a b c"}));
    EXPECT_EQ(find_admin_command("status"), find_admin_command("overview"));
    EXPECT_FALSE(find_admin_command("dance"));
}

TEST(Admin, TheAuditLineIsHarmless) {
    const auto line = audit_line(admin_command(AdminVerb::trace), {{"match", "a\"b"}}, "ro meo@x\n", "xmpp", "done");
    EXPECT_EQ(line, R"(audit command=trace who="ro meo@x\x0a" via=xmpp result=done match="a\"b")");
}

}  // namespace
