#include "sip/request_fields.h"

#include "sip/encode.h"

#include <sofia-sip/sip_header.h>
#include <sofia-sip/su_string.h>
#include <sofia-sip/url.h>

namespace stox::sip {

namespace {

/// Fills one message; the first thing that is not taken ends it.
class Fields {
public:
    explicit Fields(nta_agent_t* agent) : message_(nta_msg_create(agent, 0)) {}

    su_home_t* home() const { return msg_home(message_.get()); }
    void add(msg_hclass_t* kind, const std::string& text) {
        good_ = good_ && sip_add_make(message_.get(), sip_object(message_.get()), kind, text.c_str()) >= 0;
    }
    void add_if_any(msg_hclass_t* kind, const std::string& text) {
        if (!text.empty()) add(kind, text);
    }
    /// Made in home().
    void insert(void* header) {
        auto* made = static_cast<msg_header_t*>(header);
        good_ = good_ && made && msg_header_insert(message_.get(), msg_object(message_.get()), made) >= 0;
    }
    void add_lines(const std::string& lines) {
        if (lines.empty()) return;
        good_ = good_ && msg_header_add_str(message_.get(), msg_object(message_.get()), lines.c_str()) >= 0;
    }
    Message take() { return good_ ? std::move(message_) : nullptr; }

private:
    Message message_;
    bool good_ = true;
};

/// Parsed, `%3B` has become `;`, which is another user.   (RFC 3261 §19.1.4, CORE-27)
void restore_user(su_home_t* home, const Uri& uri, url_t& parsed) {
    const bool is_dialled = uri.scheme == Scheme::sip || uri.scheme == Scheme::sips;
    if (parsed.url_user && is_dialled) parsed.url_user = su_strdup(home, uri.user.c_str());
}

}  // namespace

Message request_fields(nta_agent_t* agent, nta_leg_t* leg, const std::string& user_agent, const Request& request) {
    if (!check_writable(request)) return nullptr;
    Fields fields(agent);
    auto* home = fields.home();
    // Parsed first: the creation of a request ends the process when it is given text that is no URL.
    url_t* url = url_make(home, request.uri.to_string().c_str());
    sip_to_t* to = url ? sip_to_make(home, name_addr_value(request.to).c_str()) : nullptr;
    if (!to) return nullptr;
    restore_user(home, request.uri, *url);
    restore_user(home, request.to.uri, *to->a_url);

    fields.add(sip_from_class, name_addr_value(request.from));
    fields.insert(to);
    fields.add(sip_call_id_class, request.call_id);
    fields.add(sip_cseq_class, std::to_string(request.cseq) + ' ' + request.method);
    fields.add(sip_max_forwards_class, std::to_string(request.max_forwards));
    fields.add_if_any(sip_route_class, name_addr_list(request.routes));
    fields.add_if_any(sip_contact_class, name_addr_list(request.contacts));
    fields.add_if_any(sip_user_agent_class, user_agent);
    fields.add_lines(header_lines(request.headers));
    fields.add_if_any(sip_content_type_class, header_value(request.content_type));
    if (!request.body.empty())
        fields.insert(sip_payload_create(home, request.body.data(), static_cast<isize_t>(request.body.size())));
    auto message = fields.take();
    const auto& method = request.method;
    const auto* target = reinterpret_cast<const url_string_t*>(url);
    if (!message || nta_msg_request_complete(message.get(), leg, sip_method_code(method.c_str()), method.c_str(), target) < 0)
        return nullptr;
    return message;
}

}  // namespace stox::sip
