#include "plugin/engine/sip_checks.h"

#include "mapping/im/body.h"
#include "mapping/sip/header_values.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace stox::engine {

namespace {

constexpr std::string_view kAllow = "MESSAGE, OPTIONS, SUBSCRIBE, NOTIFY, PUBLISH";
constexpr std::string_view kAllowEvents = "presence";
constexpr std::array<std::string_view, 5> kServed{"MESSAGE", "OPTIONS", "SUBSCRIBE", "NOTIFY", "PUBLISH"};
constexpr std::array<std::string_view, 7> kKnown{"BYE", "INFO", "INVITE", "PRACK", "REFER", "REGISTER", "UPDATE"};

bool one_of(const auto& methods, std::string_view method) { return std::ranges::find(methods, method) != methods.end(); }

Refusal refuse(int status, std::string why, std::vector<sip::Header> headers = {}) {
    sip::Response response;
    response.status = status;
    response.headers = std::move(headers);
    return {std::move(response), std::move(why)};
}

std::string all_values(const sip::Request& request, std::string_view name) {
    std::string all;
    for (const auto& header : request.headers)
        if (sip::same_token(header.name, name)) all += (all.empty() ? "" : ", ") + header.value;
    return all;
}

/// Outside any dialog: 405 for what others serve and we do not, 501 for what nobody has heard of.
std::optional<Refusal> check_method(const sip::Request& request) {
    if (request.method == "REGISTER") return refuse(403, "no registrar");
    if (!one_of(kServed, request.method)) {
        if (!one_of(kKnown, request.method)) return refuse(501, "unknown method", {{"Allow", std::string(kAllow)}});
        return refuse(405, "method not served", {{"Allow", std::string(kAllow)}});
    }
    // What is about a subscription can begin with SUBSCRIBE alone.   (RFC 6665 §4.1.3)
    if (request.method == "NOTIFY") return refuse(481, "no such dialog");
    return std::nullopt;
}

std::optional<Refusal> check_target(const sip::Request& request, int no_user) {
    if (request.uri.scheme == sip::Scheme::sips || request.to.uri.scheme == sip::Scheme::sips)
        return refuse(416, "sips cannot be promised on the XMPP side");
    if (request.uri.has_headers) return refuse(400, "headers in the Request-URI");
    if (request.uri.user.empty() && request.method != "OPTIONS") return refuse(no_user, "no user in the Request-URI");
    return std::nullopt;
}

/// We serve no method that any extension would change.
std::optional<Refusal> check_extensions(const sip::Request& request) {
    auto required = all_values(request, "Require");
    if (required.empty()) return std::nullopt;
    return refuse(420, "extension required", {{"Unsupported", std::move(required)}});
}

}  // namespace

std::optional<Refusal> check_inside(const sip::Request& request, bool has_dialog) {
    if (!one_of(kServed, request.method) && !one_of(kKnown, request.method))
        return refuse(501, "unknown method", {{"Allow", std::string(kAllow)}});
    if (request.max_forwards == 0) return refuse(483, "Max-Forwards is 0");
    if (auto refusal = check_extensions(request)) return refusal;
    if (!has_dialog) return refuse(481, "no such dialog");
    return std::nullopt;
}

std::optional<Refusal> check_request(const sip::Request& request, bool may_speak, int no_user) {
    // OPTIONS delivers nothing, and proxies probe with a From of their own making.
    if (request.method != "OPTIONS" && !may_speak) {
        auto refusal = refuse(403, "the peer may not speak for this author");
        refusal.security = true;
        return refusal;
    }
    if (auto refusal = check_method(request)) return refusal;
    if (auto refusal = check_target(request, no_user)) return refusal;
    if (request.max_forwards == 0 && request.method != "OPTIONS") return refuse(483, "Max-Forwards is 0");
    // Whoever has no branch left may not be forwarded, and what becomes of it on the XMPP side would be.   (RFC 5393 §5.3.3)
    if (const auto* breadth = request.header("Max-Breadth"); breadth && sip::read_number(*breadth) == 0u)
        if (request.method != "OPTIONS") return refuse(440, "Max-Breadth is 0");
    return check_extensions(request);
}

sip::Response not_served() {
    sip::Response response;
    response.status = 405;
    response.headers = {{"Allow", std::string(kAllow)}};
    return response;
}

sip::Response capabilities() {
    sip::Response response;
    response.status = 200;
    response.headers = {{"Allow", std::string(kAllow)},
                        {"Allow-Events", std::string(kAllowEvents)},
                        {"Accept", std::string(im::kAccept)},
                        {"Accept-Encoding", std::string(im::kAcceptEncoding)}};
    return response;
}

sip::Response unsupported_media() {
    sip::Response response;
    response.status = 415;
    response.headers = {{"Accept", std::string(im::kAccept)}, {"Accept-Encoding", std::string(im::kAcceptEncoding)}};
    return response;
}

sip::Response try_later(config::PeerKind kind, unsigned retry_after_s) {
    sip::Response response;
    response.status = kind == config::PeerKind::phone ? 480 : 503;
    response.headers = {{"Retry-After", std::to_string(retry_after_s)}};
    return response;
}

}  // namespace stox::engine
