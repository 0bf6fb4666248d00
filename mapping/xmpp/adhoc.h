#pragma once
// Ad-hoc commands (XEP-0050) as values.

#include "mapping/core/result.h"
#include "mapping/xml/element.h"
#include "mapping/xmpp/data_form.h"

#include <optional>
#include <string>
#include <vector>

namespace stox::xmpp {

enum class CommandAction { execute, complete, cancel, next, prev };
enum class CommandStatus { executing, completed, canceled };
enum class NoteType { info, warn, error };

struct CommandNote {
    NoteType type = NoteType::info;
    std::string text;

    friend bool operator==(const CommandNote&, const CommandNote&) = default;
};

struct AdhocCommand {
    static constexpr std::size_t kMaxId = 256;    ///< octets of a node and of a session id that is read
    static constexpr std::size_t kMaxNotes = 16;  ///< that are read

    std::string node;
    std::string session_id;  ///< empty in the request that begins
    /// Of a request; absent: execute, which in a session means its default.   (§3.4)
    std::optional<CommandAction> action;
    std::optional<CommandStatus> status;   ///< of an answer
    std::vector<CommandAction> allowed{};  ///< of an answer with status executing: what may come next, the default first
    std::vector<CommandNote> notes{};
    std::optional<DataForm> form;

    friend bool operator==(const AdhocCommand&, const AdhocCommand&) = default;
};

/// errors  malformed: no command, no node, an action or a status that the standard does not have, a form that cannot be read;
///         too_large: over a limit
Result<AdhocCommand> decode_command(const xml::Element& element);

xml::Element encode(const AdhocCommand& command);

}  // namespace stox::xmpp
