#include "mapping/sip/dialog.h"

#include <algorithm>
#include <array>

namespace stox::sip {

namespace {

constexpr std::size_t kMaxRoutes = 32;
constexpr std::uint32_t kEndOfCseq = 1u << 31;  // RFC 3261 §8.1.1.5

/// The URI to reach the peer at, or null.
const Uri* target_of(const std::vector<NameAddr>& contacts, bool secure) {
    if (contacts.empty()) return nullptr;
    const auto& uri = contacts.front().uri;
    if (uri.has_headers || uri.host.empty()) return nullptr;
    const bool fits = uri.scheme == Scheme::sips || (uri.scheme == Scheme::sip && !secure);
    return fits ? &uri : nullptr;
}

bool usable(const std::vector<NameAddr>& routes) {
    return routes.size() <= kMaxRoutes && std::ranges::all_of(routes, [](const NameAddr& route) {
               return (route.uri.scheme == Scheme::sip || route.uri.scheme == Scheme::sips) && !route.uri.has_headers;
           });
}

/// Request-URI and Route for a target behind a route set; a first route without ;lr is a strict router.   (RFC 3261 §12.2.1.1)
void route(Request& request, const Uri& target, const std::vector<NameAddr>& route_set) {
    request.uri = target;
    request.routes = route_set;
    if (!route_set.empty() && !route_set.front().uri.parameter("lr")) {
        request.uri = route_set.front().uri;
        request.routes.erase(request.routes.begin());
        request.routes.push_back({{}, target, {}});
    }
    // Has no place in a Request-URI (RFC 3261 §19.1.1).
    std::erase_if(request.uri.parameters, [](const UriParameter& parameter) { return parameter.name == "method"; });
}

Request inside(const Dialog& dialog, std::string_view method, std::uint32_t cseq) {
    Request request;
    request.method = method;
    request.from = dialog.local;
    request.to = dialog.remote;
    request.call_id = dialog.id.call_id;
    request.cseq = cseq;
    route(request, dialog.remote_target, dialog.route_set);
    return request;
}

// RFC 5057 §5.1, table 1.
constexpr std::array kDestroysDialog{404, 410, 416, 482, 483, 484, 485, 502, 604};
static_assert(std::ranges::is_sorted(kDestroysDialog));

}  // namespace

bool destroys_dialog(int status) { return std::ranges::binary_search(kDestroysDialog, status); }

Result<Dialog> Dialog::as_uac(const Request& request, const Response& response) {
    const bool secure = request.uri.scheme == Scheme::sips;
    const auto* target = target_of(response.contacts, secure);
    if (!target) return fail(Code::malformed, "no Contact to reach the peer at");
    if (!usable(response.record_routes)) return fail(Code::too_large, "Record-Route");
    Dialog dialog;
    dialog.id = {request.call_id, request.from.tag, response.to_tag};
    dialog.state = response.status < 200 ? DialogState::early : DialogState::confirmed;
    dialog.caller = true;
    dialog.secure = secure;
    dialog.local = request.from;
    dialog.remote = request.to;
    dialog.remote.tag = response.to_tag;
    if (!request.contacts.empty()) dialog.contact = request.contacts.front();
    dialog.remote_target = *target;
    dialog.route_set.assign(response.record_routes.rbegin(), response.record_routes.rend());
    dialog.local_cseq = request.cseq;
    return dialog;
}

Result<Dialog> Dialog::as_uas(const Request& request, std::string local_tag, NameAddr contact, bool over_tls) {
    const bool secure = over_tls && request.uri.scheme == Scheme::sips;
    const auto* target = target_of(request.contacts, secure);
    if (!target) return fail(Code::malformed, "no Contact to reach the peer at");
    if (!usable(request.record_routes)) return fail(Code::too_large, "Record-Route");
    Dialog dialog;
    dialog.id = {request.call_id, std::move(local_tag), request.from.tag};
    dialog.secure = secure;
    dialog.local = request.to;
    dialog.local.tag = dialog.id.local_tag;
    dialog.remote = request.from;
    dialog.contact = std::move(contact);
    dialog.remote_target = *target;
    dialog.route_set = request.record_routes;
    dialog.remote_cseq = request.cseq;
    return dialog;
}

Request Dialog::request(std::string_view method) { return inside(*this, method, ++local_cseq); }

Request Dialog::ack(std::uint32_t invite_cseq) const { return inside(*this, "ACK", invite_cseq); }

Dialog::Order Dialog::receive_cseq(std::uint32_t cseq) {
    if (cseq >= kEndOfCseq) return Order::invalid;
    if (remote_cseq && cseq <= *remote_cseq) return Order::stale;
    remote_cseq = cseq;
    return Order::next;
}

bool Dialog::refresh_target(const std::vector<NameAddr>& contacts) {
    const auto* target = target_of(contacts, secure);
    if (target) remote_target = *target;
    return target != nullptr;
}

bool Dialog::confirm(const Response& response) {
    state = DialogState::confirmed;
    if (usable(response.record_routes)) route_set.assign(response.record_routes.rbegin(), response.record_routes.rend());
    return refresh_target(response.contacts);
}

}  // namespace stox::sip
