#include "mapping/xmpp/adhoc.h"

#include "mapping/xmpp/namespaces.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace stox::xmpp {

namespace {

// In the order of the enumerations.
constexpr std::array<std::string_view, 5> kActions{"execute", "complete", "cancel", "next", "prev"};
constexpr std::array<std::string_view, 3> kStatuses{"executing", "completed", "canceled"};
constexpr std::array<std::string_view, 3> kNotes{"info", "warn", "error"};

/// An attribute that names one of a closed set; nothing: it is not there.
template <class Enum, std::size_t N>
Result<std::optional<Enum>> read(const xml::Element& element, std::string_view attribute,
                                 const std::array<std::string_view, N>& names) {
    const auto* text = element.attribute(attribute);
    if (!text) return std::optional<Enum>();
    const auto found = std::ranges::find(names, std::string_view(*text));
    if (found == names.end()) return fail(Code::malformed, "an unknown " + std::string(attribute));
    return std::optional(static_cast<Enum>(found - names.begin()));
}

Result<std::string> read_id(const xml::Element& element, std::string_view attribute) {
    const auto* text = element.attribute(attribute);
    if (!text) return std::string();
    if (text->size() > AdhocCommand::kMaxId) return fail(Code::too_large, std::string(attribute) + " is too long");
    return *text;
}

void read_actions(const xml::Element& element, AdhocCommand& command) {
    const auto* preferred = element.attribute("execute");
    for (const auto& node : element.children) {
        const auto* child = std::get_if<xml::Element>(&node);
        if (!child || child->ns != ns::kCommands) continue;
        const auto found = std::ranges::find(kActions, std::string_view(child->name));
        if (found == kActions.end()) continue;
        const auto action = static_cast<CommandAction>(found - kActions.begin());
        if (std::ranges::find(command.allowed, action) != command.allowed.end()) continue;
        const bool first = preferred && *preferred == child->name;
        command.allowed.insert(first ? command.allowed.begin() : command.allowed.end(), action);
    }
}

xml::Element command_element(std::string_view name) { return {std::string(ns::kCommands), std::string(name)}; }

template <class Enum, std::size_t N>
std::string_view name_of(const std::array<std::string_view, N>& names, Enum value) {
    return names[static_cast<std::size_t>(value)];
}

}  // namespace

Result<AdhocCommand> decode_command(const xml::Element& element) {
    if (!element.is(ns::kCommands, "command")) return fail(Code::malformed, "no command");
    AdhocCommand command;
    BOOST_OUTCOME_TRY(node, read_id(element, "node"));
    command.node = std::move(node);
    if (command.node.empty()) return fail(Code::malformed, "a command without a node");
    BOOST_OUTCOME_TRY(session, read_id(element, "sessionid"));
    command.session_id = std::move(session);
    BOOST_OUTCOME_TRY(action, read<CommandAction>(element, "action", kActions));
    command.action = action;
    BOOST_OUTCOME_TRY(status, read<CommandStatus>(element, "status", kStatuses));
    command.status = status;
    if (const auto* actions = element.child(ns::kCommands, "actions")) read_actions(*actions, command);
    for (const auto& one : element.children) {
        const auto* child = std::get_if<xml::Element>(&one);
        if (!child || !child->is(ns::kCommands, "note")) continue;
        if (command.notes.size() == AdhocCommand::kMaxNotes) return fail(Code::too_large, "too many notes");
        BOOST_OUTCOME_TRY(type, read<NoteType>(*child, "type", kNotes));
        command.notes.push_back({type.value_or(NoteType::info), child->text()});
    }
    if (const auto* form = element.child(ns::kDataForms, "x")) {
        BOOST_OUTCOME_TRY(decoded, decode_data_form(*form));
        command.form = std::move(decoded);
    }
    return command;
}

xml::Element encode(const AdhocCommand& command) {
    auto element = command_element("command");
    element.set("node", command.node);
    if (!command.session_id.empty()) element.set("sessionid", command.session_id);
    if (command.action) element.set("action", name_of(kActions, *command.action));
    if (command.status) element.set("status", name_of(kStatuses, *command.status));
    if (!command.allowed.empty()) {
        auto& actions = element.add(command_element("actions"));
        actions.set("execute", name_of(kActions, command.allowed.front()));
        for (const auto action : command.allowed) actions.add(command_element(name_of(kActions, action)));
    }
    if (command.form) element.add(encode(*command.form));
    for (const auto& note : command.notes)
        element.add(command_element("note")).set("type", name_of(kNotes, note.type)).add_text(note.text);
    return element;
}

}  // namespace stox::xmpp
