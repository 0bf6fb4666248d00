#include "sip/response_fields.h"

#include "sip/encode.h"

#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_util.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace stox::sip {

namespace {

/// What nta acts on when it stands in a response. All else it need not understand, and to parse it costs more than to send it.
bool is_read_by_nta(std::string_view name) {
    constexpr std::array<std::string_view, 3> kRead{"require", "rseq", "timestamp"};
    return std::ranges::any_of(kRead, [name](std::string_view read) { return is_named(name, read); });
}

/// As it stands. False: no memory.
bool add_unread(msg_t* message, std::string_view name, std::string_view value) {
    auto* header = msg_header_alloc(msg_home(message), sip_unknown_class, static_cast<isize_t>(name.size() + value.size() + 2));
    if (!header) return false;
    auto& unknown = *reinterpret_cast<sip_unknown_t*>(header);
    auto* text = reinterpret_cast<char*>(&unknown + 1);  // the room that was asked for
    unknown.un_name = text;
    text = std::ranges::copy(name, text).out;
    *text++ = '\0';
    unknown.un_value = text;
    text = std::ranges::transform(value, text, printable).out;
    *text = '\0';
    return msg_header_insert(message, msg_object(message), header) >= 0;
}

bool add(msg_t* message, const Header& header) {
    if (!is_header_of_callers(header.name)) return true;
    if (!is_read_by_nta(header.name)) return add_unread(message, header.name, header.value);
    return msg_header_add_str(message, msg_object(message), header_lines({header}).c_str()) >= 0;
}

}  // namespace

Message response_fields(nta_agent_t* agent, const std::string& server, const Response& response) {
    const auto contacts = are_writable(response.contacts) ? name_addr_list(response.contacts) : std::string();
    const auto content_type = header_value(response.content_type);
    Message message(nta_msg_create(agent, 0));
    bool added =
        sip_add_tl(message.get(), sip_object(message.get()), TAG_IF(!contacts.empty(), SIPTAG_CONTACT_STR(contacts.c_str())),
                   TAG_IF(!content_type.empty(), SIPTAG_CONTENT_TYPE_STR(content_type.c_str())), TAG_END()) >= 0;
    if (added && !server.empty()) added = add_unread(message.get(), "Server", server);
    for (const auto& header : response.headers) added = added && add(message.get(), header);
    if (!added) return nullptr;
    if (!response.body.empty()) {
        const auto size = static_cast<isize_t>(response.body.size());
        auto* payload = sip_payload_create(msg_home(message.get()), response.body.data(), size);
        msg_header_insert(message.get(), msg_object(message.get()), reinterpret_cast<msg_header_t*>(payload));
    }
    return message;
}

}  // namespace stox::sip
