#include "plugin/engine/journal.h"

#include <algorithm>

namespace stox::engine {

namespace {

sip::NameAddr address(const sip::Uri& uri, const std::string& tag = {}) { return {.display_name = {}, .uri = uri, .tag = tag}; }

/// Without what a Request-URI may not hold: a method parameter and headers.   (RFC 3261 §19.1.1, table 1)
sip::Uri as_request_uri(sip::Uri uri) {
    std::erase_if(uri.parameters, [](const auto& parameter) { return parameter.name == "method"; });
    uri.has_headers = false;
    return uri;
}

void set_way(const JournalRow& row, sip::Request& request) {
    for (const auto& route : row.route_set) request.routes.push_back(address(route));
    const bool strict = !row.route_set.empty() && !row.route_set.front().parameter("lr");
    request.uri = as_request_uri(strict ? row.route_set.front() : row.remote_target);
    if (!strict) return;
    request.routes.erase(request.routes.begin());
    request.routes.push_back(address(row.remote_target));
}

}  // namespace

Adoption adopt(const JournalRow& row) {
    sip::Request bye;
    bye.method = "BYE";
    bye.from = address(row.local_uri, row.local_tag);
    bye.to = address(row.remote_uri, row.remote_tag);
    bye.call_id = row.call_id;
    bye.cseq = std::min(row.local_cseq, kMaxCseq - kAdoptedCseqLeap) + kAdoptedCseqLeap;
    set_way(row, bye);
    return {std::move(bye), row.transport, row.peer, {row.peer_jid, row.sid}, row.trace};
}

}  // namespace stox::engine
