#pragma once
// What XMPP extensions put beside the body of a message, read once; and those elements as we write them.

#include "mapping/xmpp/stanza.h"

#include <optional>
#include <string>
#include <string_view>

namespace stox::im {

/// XEP-0085
enum class ChatState { active, composing, paused, inactive, gone };

struct Extensions {
    bool wants_receipt = false;              ///< XEP-0184 request
    bool is_markable = false;                ///< XEP-0333
    std::optional<std::string> received{};   ///< XEP-0184: id of the message that arrived
    std::optional<std::string> displayed{};  ///< XEP-0333: id of the newest message that was seen
    std::optional<ChatState> state{};        ///< XEP-0085
    std::optional<std::string> corrects{};   ///< XEP-0308: id of the message that this one replaces
    std::optional<std::string> retracts{};   ///< XEP-0424: id of the message that is taken back
    bool is_encrypted = false;               ///< end to end, so that the body is a hint at most (IM-27)
    bool is_copy = false;                    ///< a carbon or a result of an archive: somebody else's message (IM-18)

    friend bool operator==(const Extensions&, const Extensions&) = default;
};

Extensions read_extensions(const xmpp::Message& message);

xml::Element receipt_request();
xml::Element receipt(std::string_view id);
xml::Element markable();
xml::Element displayed_marker(std::string_view id);
xml::Element chat_state(ChatState state);

}  // namespace stox::im
