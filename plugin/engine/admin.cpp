#include "plugin/engine/admin.h"

#include "mapping/xmpp/adhoc.h"
#include "mapping/xmpp/disco.h"
#include "mapping/xmpp/namespaces.h"
#include "plugin/engine/admin_orders.h"
#include "plugin/engine/log.h"
#include "plugin/engine/views_form.h"
#include "plugin/engine/views_text.h"

#include <algorithm>
#include <utility>

namespace stox::engine {

namespace {

using Ask = AdminDesk::Ask;
using Purpose = AdminDesk::Purpose;
using xmpp::Condition, xmpp::ErrorType;

constexpr std::string_view kVia = "xmpp";
/// Octets of a reply in a chat.
constexpr std::size_t kMostChat = 16'384;

const xmpp::Jid& asker(const Ask& ask) {
    return std::visit([](const auto& one) -> const xmpp::Jid& { return one.from; }, ask.asked);
}

void refuse(const xmpp::Stanza& asked, ErrorType type, Condition condition, std::string text, Actions& out) {
    xmpp::StanzaError error;
    error.type = type;
    error.condition = condition;
    if (!text.empty()) error.text = std::move(text);
    if (auto reply = xmpp::make_error(asked, std::move(error))) out.push_back(SendStanza{std::move(*reply)});
}

void answer(const xmpp::Stanza& asked, xml::Element payload, Actions& out) {
    const auto& iq = std::get<xmpp::Iq>(asked);
    xmpp::Iq result;
    result.from = iq.to;
    result.to = iq.from;
    result.id = iq.id;
    result.type = xmpp::IqType::result;
    result.payload = std::move(payload);
    out.push_back(SendStanza{std::move(result)});
}

void say(State& state, const xmpp::Stanza& asked, std::string text, Actions& out) {
    const auto& question = std::get<xmpp::Message>(asked);
    xmpp::Message reply;
    reply.from = question.to;
    reply.to = question.from;
    reply.id = state.ids.wire_id();
    reply.type = question.type;
    reply.thread = question.thread;
    reply.lang = "en";
    while (!text.empty() && text.back() == '\n') text.pop_back();
    reply.bodies = {{std::move(text), {}}};
    out.push_back(SendStanza{std::move(reply)});
}

// Who may

std::string node_of(const Ask& ask) { return ask.command ? ask.command->node() : std::string(xmpp::ns::kCommands); }

void authorize(AdminId id, const Ask& ask, Actions& out) { out.push_back(Authorize{id, asker(ask), node_of(ask), ask.scope}); }

void allow(State& state, AdminId id, Ask ask, TimePoint now, Actions& out);

void put(State& state, Ask ask, TimePoint now, Actions& out) {
    if (!state.signal_rates.take(asker(ask).local + '@' + asker(ask).domain, now))
        return refuse(ask.asked, ErrorType::wait, Condition::resource_constraint, "You ask faster than this gateway allows.", out);
    // What is theirs nobody has to be asked about.
    if (ask.scope == AdminScope::user) return allow(state, AdminId{}, std::move(ask), now, out);
    if (state.desk.asks.size() >= AdminDesk::kAsks)
        return refuse(ask.asked, ErrorType::wait, Condition::resource_constraint, "Too many commands at once; please try again.",
                      out);
    ask.until = now + AdminDesk::kAuthorization;
    const AdminId id{state.next_number()};
    authorize(id, ask, out);
    state.desk.asks.emplace(id, std::move(ask));
}

// Forms

xmpp::DataForm form_of(const AdminCommand& command) {
    xmpp::DataForm form;
    form.title = command.title;
    for (const auto& argument : command.arguments) {
        xmpp::FormField field;
        field.var = argument.name;
        field.label = argument.title;
        field.required = argument.preset.empty();
        field.type = argument.choices.empty() ? xmpp::FieldType::text_single : xmpp::FieldType::list_single;
        if (!argument.preset.empty()) field.values = {std::string(argument.preset)};
        for (const auto choice : argument.choices) field.options.push_back({std::string(choice), std::string(choice)});
        form.fields.push_back(std::move(field));
    }
    form.set_form_type(command.node());
    return form;
}

AdminArguments arguments_of(const xmpp::DataForm& form) {
    AdminArguments arguments;
    for (const auto& field : form.fields)
        if (field.var != xmpp::DataForm::kFormType && !field.var.empty() && !field.values.empty())
            arguments.emplace(field.var, field.values.front());
    return arguments;
}

// Sessions

AdminDesk::Session* find_session(AdminDesk& desk, const std::string& id, const xmpp::Jid& owner, const AdminCommand* command,
                                 TimePoint now) {
    std::erase_if(desk.sessions, [now](const auto& session) { return session.until <= now; });
    const auto found = std::ranges::find_if(desk.sessions, [&](const auto& session) {
        return session.id == id && session.owner == owner && session.command == command;
    });
    return found == desk.sessions.end() ? nullptr : &*found;
}

void end_session(AdminDesk& desk, const std::string& id) {
    std::erase_if(desk.sessions, [&](const auto& session) { return session.id == id; });
}

/// Of a form that everybody may have nothing is remembered: else many of them would push out those of administrators.
std::string begin_session(State& state, const xmpp::Jid& owner, const AdminCommand& command, TimePoint now) {
    if (command.scope == AdminScope::user) return state.ids.wire_id();
    auto& sessions = state.desk.sessions;
    if (sessions.size() >= AdminDesk::kSessions) sessions.pop_front();
    sessions.push_back({state.ids.wire_id(), owner, &command, now + AdminDesk::kSession});
    return sessions.back().id;
}

/// problem  of what was filled in before; empty: nothing was
void ask_to_fill_in(const Ask& ask, std::string session, std::string problem, Actions& out) {
    xmpp::AdhocCommand reply;
    reply.node = ask.command->node();
    reply.session_id = std::move(session);
    reply.status = xmpp::CommandStatus::executing;
    reply.allowed = {xmpp::CommandAction::complete};
    if (!problem.empty()) reply.notes = {{xmpp::NoteType::error, std::move(problem)}};
    reply.form = form_of(*ask.command);
    answer(ask.asked, xmpp::encode(reply), out);
}

// What comes of it

void complete(const Ask& ask, const AdminOutcome& outcome, const std::string& session, Actions& out) {
    xmpp::AdhocCommand reply;
    reply.node = ask.command->node();
    reply.session_id = session;
    reply.status = xmpp::CommandStatus::completed;
    if (!outcome.note.empty()) reply.notes.push_back({outcome.done ? xmpp::NoteType::info : xmpp::NoteType::error, outcome.note});
    if (!outcome.tables.empty()) {
        auto [form, left_out] = to_form(outcome.tables);
        form.title = ask.command->title;
        form.set_form_type(reply.node);
        if (left_out > 0)
            reply.notes.push_back(
                {xmpp::NoteType::warn, std::to_string(left_out) + " more rows were left out: too long for one answer"});
        if (outcome.tables.size() == 1 && outcome.tables.front().rows.empty())
            reply.notes.push_back({xmpp::NoteType::info, "None."});
        reply.form = std::move(form);
    }
    answer(ask.asked, xmpp::encode(reply), out);
}

void finish(State& state, const Ask& ask, const AdminOutcome& outcome, Actions& out) {
    if (ask.purpose == Purpose::status)
        return say(state, ask.asked, outcome.done ? to_text(outcome.tables, kMostChat) : outcome.note, out);
    const auto asked = xmpp::decode_command(*std::get<xmpp::Iq>(ask.asked).payload);
    const auto session = asked ? asked.value().session_id : std::string();
    complete(ask, outcome, session.empty() ? state.ids.wire_id() : session, out);
}

void run(State& state, AdminId id, Ask ask, AdminOrder order, TimePoint now, Actions& out) {
    const auto who = asker(ask).to_string();
    if (ask.scope == AdminScope::user) {
        order.arguments.insert_or_assign("user", asker(ask).bare().to_string());
        return finish(state, ask, administer(state, order), out);
    }
    if (ask.command->of_engine) {
        const auto outcome = administer(state, order);
        out.push_back(
            Log{Level::info, {}, {}, audit_line(*ask.command, order.arguments, who, kVia, outcome.done ? "done" : "failed"), true});
        return finish(state, ask, outcome, out);
    }
    ask.until = now + AdminDesk::kWork;
    ask.order = order;
    state.desk.asks.emplace(id, std::move(ask));
    out.push_back(Administer{id, std::move(order), who});
}

// When it is known that they may

/// is_admin  of ask.scope; everybody has their own
void list_commands(const State& state, const Ask& ask, bool is_admin, Actions& out) {
    xmpp::DiscoItems items{std::string(xmpp::ns::kCommands), {}};
    const auto add = [&](const AdminCommand& command) {
        items.items.push_back({state.options.domain, command.node(), std::string(command.title)});
    };
    for (const auto& command : admin_commands())
        if (is_admin && (ask.scope == AdminScope::worker || command.scope == AdminScope::domain)) add(command);
    for (const auto& command : own_commands()) add(command);
    answer(ask.asked, xmpp::encode(items), out);
}

void describe(const Ask& ask, Actions& out) {
    xmpp::DiscoInfo info;
    info.node = node_of(ask);
    info.identities = {{"automation",
                        ask.command ? "command-node" : "command-list",
                        ask.command ? std::string(ask.command->title) : std::string("Administration"),
                        {}}};
    info.features = {std::string(xmpp::ns::kCommands)};
    if (ask.command) info.features.emplace_back(xmpp::ns::kDataForms);
    answer(ask.asked, xmpp::encode(info), out);
}

void help(State& state, const Ask& ask, Actions& out) {
    std::string text = "status: how this gateway is.\nEverything else is a command of " + state.options.domain +
                       " (in your client: execute command), or a word behind stoxctl:";
    for (const auto& command : admin_commands()) text += '\n' + std::string(command.word) + ": " + std::string(command.title);
    say(state, ask.asked, std::move(text), out);
}

void run_command(State& state, AdminId id, Ask ask, TimePoint now, Actions& out) {
    const auto asked = xmpp::decode_command(*std::get<xmpp::Iq>(ask.asked).payload).value();
    const auto& session = asked.session_id;
    if (ask.scope != AdminScope::user && !session.empty() && !find_session(state.desk, session, asker(ask), ask.command, now))
        return refuse(ask.asked, ErrorType::modify, Condition::bad_request, "This command is over; please begin again.", out);
    const bool has_form = !ask.command->arguments.empty();
    const bool filled_in = has_form && asked.form && asked.form->type == xmpp::FormType::submit;
    if (has_form && !filled_in) {
        auto opened = session.empty() ? begin_session(state, asker(ask), *ask.command, now) : session;
        return ask_to_fill_in(ask, std::move(opened), {}, out);
    }
    auto order = read_order(*ask.command, filled_in ? arguments_of(*asked.form) : AdminArguments());
    if (!order) {
        auto opened = session.empty() ? begin_session(state, asker(ask), *ask.command, now) : session;
        return ask_to_fill_in(ask, std::move(opened), order.error().detail, out);
    }
    end_session(state.desk, session);
    run(state, id, std::move(ask), std::move(order).value(), now, out);
}

void allow(State& state, AdminId id, Ask ask, TimePoint now, Actions& out) {
    switch (ask.purpose) {
        case Purpose::list:
            return list_commands(state, ask, true, out);
        case Purpose::info:
            return describe(ask, out);
        case Purpose::help:
            return help(state, ask, out);
        case Purpose::status:
            return run(state, id, std::move(ask), AdminOrder{AdminVerb::overview}, now, out);
        case Purpose::command:
            return run_command(state, id, std::move(ask), now, out);
    }
}

void deny(State& state, const Ask& ask, Actions& out) {
    switch (ask.purpose) {
        case Purpose::list:
            return list_commands(state, ask, false, out);
        case Purpose::help:
        case Purpose::status:
            return say(state, ask.asked,
                       "Hello. I carry messages between chat and telephones: write to a contact at " + state.options.domain +
                           ", not to me. How I am only administrators may ask.",
                       out);
        case Purpose::info:
        case Purpose::command:
            break;
    }
    if (ask.purpose == Purpose::command)
        out.push_back(Log{Level::warn, {}, {}, audit_line(*ask.command, {}, asker(ask).to_string(), kVia, "forbidden")});
    refuse(ask.asked, ErrorType::auth, Condition::forbidden, "Only administrators may do this.", out);
}

/// The command that a stanza is about, or why it is refused.
void command_asked(State& state, const xmpp::Iq& in, TimePoint now, Actions& out) {
    const auto asked = xmpp::decode_command(*in.payload);
    if (!asked || in.type != xmpp::IqType::set)
        return refuse(in, ErrorType::modify, Condition::bad_request, "This cannot be understood.", out);
    const auto* command = find_admin_node(asked.value().node);
    if (!command) return refuse(in, ErrorType::cancel, Condition::item_not_found, "There is no such command.", out);
    const auto& session = asked.value().session_id;
    const auto action = asked.value().action;
    // There is one form and nothing before or behind it.
    if (action == xmpp::CommandAction::next || action == xmpp::CommandAction::prev)
        return refuse(in, ErrorType::modify, Condition::bad_request, "This cannot be understood.", out);
    if (action != xmpp::CommandAction::cancel)
        return put(state, {in, Purpose::command, command, command->scope, {}, {}}, now, out);
    // Whoever has the session was an administrator, and ends it.
    if (command->scope != AdminScope::user && !find_session(state.desk, session, in.from, command, now))
        return refuse(in, ErrorType::modify, Condition::bad_request, "This command is over; please begin again.", out);
    end_session(state.desk, session);
    xmpp::AdhocCommand reply;
    reply.node = asked.value().node;
    reply.session_id = session;
    reply.status = xmpp::CommandStatus::canceled;
    answer(in, xmpp::encode(reply), out);
}

std::string word_of(const xmpp::Message& in) {
    if (in.bodies.empty() || in.bodies.front().text.size() > 16) return {};
    std::string word;
    for (const char c : in.bodies.front().text)
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t') word += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return word;
}

}  // namespace

bool is_about_commands(const xmpp::Iq& in) {
    if (!in.to.local.empty() || !in.payload) return false;
    const auto& payload = *in.payload;
    if (payload.is(xmpp::ns::kCommands, "command")) return true;
    if (in.type != xmpp::IqType::get) return false;
    const auto* node = payload.attribute("node");
    if (!node) return false;
    if (payload.is(xmpp::ns::kDiscoItems, "query")) return *node == xmpp::ns::kCommands;
    return payload.is(xmpp::ns::kDiscoInfo, "query") && (*node == xmpp::ns::kCommands || find_admin_node(*node));
}

void commands_asked(State& state, const xmpp::Iq& in, TimePoint now, Actions& out) {
    const auto& payload = *in.payload;
    if (payload.is(xmpp::ns::kCommands, "command")) return command_asked(state, in, now, out);
    // Who administers the server sees everything; whoever does not is asked for once more, as one who has the domain.
    if (payload.is(xmpp::ns::kDiscoItems, "query"))
        return put(state, {in, Purpose::list, nullptr, AdminScope::worker, {}, {}}, now, out);
    const auto* command = find_admin_node(*payload.attribute("node"));
    put(state, {in, Purpose::info, command, command ? command->scope : AdminScope::domain, {}, {}}, now, out);
}

bool words_asked(State& state, const xmpp::Message& in, TimePoint now, Actions& out) {
    const auto word = word_of(in);
    if (in.type == xmpp::MessageType::groupchat || (word != "help" && word != "status")) return false;
    const bool is_help = word == "help";
    put(state, {in, is_help ? Purpose::help : Purpose::status, &admin_command(AdminVerb::overview), AdminScope::domain, {}, {}},
        now, out);
    return true;
}

void authorized(State& state, const Authorized& in, TimePoint now, Actions& out) {
    const auto found = state.desk.asks.find(in.id);
    if (found == state.desk.asks.end() || found->second.order) return;
    auto ask = std::move(found->second);
    state.desk.asks.erase(found);
    if (in.allowed) return allow(state, in.id, std::move(ask), now, out);
    if (ask.purpose != Purpose::list || ask.scope == AdminScope::domain) return deny(state, ask, out);
    ask.scope = AdminScope::domain;
    put(state, std::move(ask), now, out);
}

void administered(State& state, const Administered& in, TimePoint, Actions& out) {
    const auto found = state.desk.asks.find(in.id);
    if (found == state.desk.asks.end() || !found->second.order) return;
    const auto ask = std::move(found->second);
    state.desk.asks.erase(found);
    finish(state, ask, in.outcome, out);
}

void admin_tick(State& state, TimePoint now, Actions& out) {
    auto& asks = state.desk.asks;
    for (auto next = asks.begin(); next != asks.end();) {
        if (next->second.until > now) {
            ++next;
            continue;
        }
        const auto ask = std::move(next->second);
        next = asks.erase(next);
        if (!ask.order)
            deny(state, ask, out);
        else
            refuse(ask.asked, ErrorType::wait, Condition::remote_server_timeout,
                   "The command was given, but nobody says what became of it.", out);
    }
}

}  // namespace stox::engine
