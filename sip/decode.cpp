#include "sip/decode.h"

#include "sip/sofia_handles.h"

#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/url.h>

#include <array>
#include <cctype>

namespace stox::sip {

namespace {

std::string text(const char* chars) { return chars ? chars : std::string(); }

/// What the encoders want beyond the length that they give.
constexpr std::size_t kSpare = 16;

/// By the encoder's length, in a buffer with room to spare: the encoder leaves gaps where a part would just fit, and
/// sip_header_as_string() leaves a value of 128 octets or more without its end.
std::string value_of(const void* header) {
    std::string value(256, '\0');
    while (true) {
        const auto size =
            msg_header_field_e(value.data(), static_cast<isize_t>(value.size()), static_cast<const msg_header_t*>(header), 0);
        if (size < 0) return {};
        const auto length = static_cast<std::size_t>(size);
        const bool fits = length + kSpare <= value.size();
        value.resize(fits ? length : length + kSpare);
        if (fits) return value;
    }
}

Result<Uri> uri_of(const url_t& url) {
    char written[512];
    if (const auto size = url_e(written, sizeof written, &url);
        size >= 0 && static_cast<std::size_t>(size) + kSpare < sizeof written)
        return Uri::parse({written, static_cast<std::size_t>(size)});
    Home home;
    return Uri::parse(text(url_as_string(home.get(), &url)));
}

/// RFC 3261 §25.1: the quotes of a quoted-string go, and one backslash before each quoted pair.
std::string unquote(std::string_view quoted) {
    if (quoted.size() < 2 || quoted.front() != '"' || quoted.back() != '"') return std::string(quoted);
    std::string plain;
    for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
        if (quoted[i] == '\\' && i + 2 < quoted.size()) ++i;
        plain += quoted[i];
    }
    return plain;
}

UriParameter parameter_of(std::string_view written) {
    const auto equals = written.find('=');
    UriParameter parameter;
    parameter.name = written.substr(0, equals);
    for (auto& c : parameter.name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (equals != written.npos) parameter.value = std::string(written.substr(equals + 1));
    return parameter;
}

/// `parameters` ends with null, or is null itself; `address` is empty.
Result<void> read(const char* display, const url_t& url, const msg_param_t* parameters, NameAddr& address) {
    auto uri = uri_of(url);
    if (!uri) return uri.error();
    address.uri = std::move(uri).value();
    if (display) address.display_name = unquote(display);
    for (; parameters && *parameters; ++parameters) {
        auto parameter = parameter_of(*parameters);
        if (parameter.name == "tag")
            address.tag = parameter.value.value_or(std::string());
        else
            address.parameters.push_back(std::move(parameter));
    }
    return ok();
}

Result<void> read(const sip_addr_t& from, NameAddr& address) { return read(from.a_display, *from.a_url, from.a_params, address); }

/// One that is no address we know is left out: the guard refused what must not be there.
void append(const char* display, const url_t& url, const msg_param_t* parameters, std::vector<NameAddr>& all) {
    if (!read(display, url, parameters, all.emplace_back())) all.pop_back();
}

/// Each of a list of headers, in order.
std::vector<NameAddr> contacts_of(const sip_contact_t* contact) {
    std::vector<NameAddr> all;
    for (; contact; contact = contact->m_next) append(contact->m_display, *contact->m_url, contact->m_params, all);
    return all;
}

std::vector<NameAddr> routes_of(const sip_route_t* route) {
    std::vector<NameAddr> all;
    for (; route; route = route->r_next) append(route->r_display, *route->r_url, route->r_params, all);
    return all;
}

/// Headers that have a field of their own or belong to the transaction.
bool is_own_field(const sip_header_t* header) {
    static const std::array classes{
        sip_request_class,     sip_status_class,    sip_via_class,          sip_from_class,           sip_to_class,
        sip_call_id_class,     sip_cseq_class,      sip_max_forwards_class, sip_content_length_class, sip_content_type_class,
        sip_payload_class,     sip_separator_class, sip_error_class,        sip_contact_class,        sip_route_class,
        sip_record_route_class};
    for (const auto* known : classes)
        if (header->sh_class->hc_hash == known->hc_hash) return true;
    return false;
}

/// Everything else, in the order of the message.
std::vector<Header> other_headers(const sip_t& message) {
    std::vector<Header> headers;
    const auto* first = message.sip_request ? reinterpret_cast<const sip_header_t*>(message.sip_request)
                                            : reinterpret_cast<const sip_header_t*>(message.sip_status);
    for (const auto* header = first; header; header = reinterpret_cast<const sip_header_t*>(header->sh_succ)) {
        if (is_own_field(header)) continue;
        if (header->sh_class->hc_hash == sip_unknown_class->hc_hash)
            headers.push_back({text(header->sh_unknown->un_name), text(header->sh_unknown->un_value)});
        else if (header->sh_class->hc_name)
            headers.push_back({text(header->sh_class->hc_name), value_of(header)});
    }
    return headers;
}

template <class Message>
void copy_content(const sip_t& from, Message& to) {
    to.contacts = contacts_of(from.sip_contact);
    to.record_routes = routes_of(reinterpret_cast<const sip_route_t*>(from.sip_record_route));
    if (from.sip_content_type) to.content_type = value_of(from.sip_content_type);
    if (from.sip_payload && from.sip_payload->pl_data) to.body.assign(from.sip_payload->pl_data, from.sip_payload->pl_len);
    to.headers = other_headers(from);
}

}  // namespace

Result<void> decode_request(const sip_s& message, Request& request) {
    request.method = text(message.sip_request->rq_method_name);
    auto uri = uri_of(*message.sip_request->rq_url);
    if (!uri) {
        const auto type = message.sip_request->rq_url->url_type;
        return fail(type == url_unknown || type == url_http || type == url_https || type == url_mailto ? Code::unsupported
                                                                                                       : Code::malformed,
                    "Request-URI: " + uri.error().detail);
    }
    request.uri = std::move(uri).value();
    if (auto from = read(*message.sip_from, request.from); !from) return fail(Code::malformed, "From: " + from.error().detail);
    if (auto to = read(*message.sip_to, request.to); !to) return fail(Code::malformed, "To: " + to.error().detail);
    request.call_id = text(message.sip_call_id->i_id);
    request.cseq = message.sip_cseq->cs_seq;
    if (message.sip_max_forwards) request.max_forwards = static_cast<unsigned>(message.sip_max_forwards->mf_count);
    request.routes = routes_of(message.sip_route);
    copy_content(message, request);
    return ok();
}

Response decode_response(const sip_s& message) {
    Response response;
    response.status = message.sip_status->st_status;
    response.reason = text(message.sip_status->st_phrase);
    if (message.sip_to) response.to_tag = text(message.sip_to->a_tag);
    copy_content(message, response);
    return response;
}

}  // namespace stox::sip
