#include "sip/edge/sent_requests.h"

#include <utility>

namespace stox::sip {

namespace {

/// Method and branch, since CANCEL has that of its INVITE. The branch is what nobody else knows, so all of it must lie in what is
/// compared. Empty: it does not.
std::string name_of(std::string_view start) {
    const auto at = start.find(";branch=z9hG4bK");
    const auto end = at == start.npos ? at : start.find_first_of(";,\r\n", at + 1);
    if (end == start.npos) return {};
    return std::string(start.substr(0, start.find(' '))).append(start, at, end - at);
}

}  // namespace

void SentRequests::sent(const stox::Endpoint& to, std::string_view datagram, Time now) {
    const auto start = datagram.substr(0, kQuoted);
    auto name = name_of(start);
    if (name.empty()) return;
    const auto [entry, added] = by_name_.insert_or_assign(std::move(name), Sent{to, now, std::string(start)});
    if (!added) return;  // sent again: it keeps its place among those to be forgotten
    order_.push_back(&entry->first);
    if (order_.size() <= kRemembered) return;
    by_name_.erase(by_name_.find(*order_.front()));
    order_.pop_front();
}

bool SentRequests::quotes_one(const stox::Endpoint& to, std::string_view quoted, Time now) const {
    const auto start = quoted.substr(0, kQuoted);
    const auto found = by_name_.find(name_of(start));
    return found != by_name_.end() && found->second.start == start && found->second.to == to && now - found->second.at < kLived;
}

}  // namespace stox::sip
