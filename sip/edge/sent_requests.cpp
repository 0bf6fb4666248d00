#include "sip/edge/sent_requests.h"

namespace stox::sip {

namespace {

/// The branch is what nobody else knows; so all of it must lie in what is compared.
bool holds_a_branch(std::string_view start) {
    const auto branch = start.find(";branch=z9hG4bK");
    return branch != start.npos && start.find_first_of(";,\r\n", branch + 1) != start.npos;
}

}  // namespace

void SentRequests::sent(const stox::Endpoint& to, std::string_view datagram, Time now) {
    std::string start(datagram.substr(0, kQuoted));
    if (!holds_a_branch(start)) return;
    const auto [entry, added] = by_start_.insert_or_assign(std::move(start), Sent{to, now});
    if (!added) return;  // sent again: it keeps its place among those to be forgotten
    order_.push_back(&entry->first);
    if (order_.size() <= kRemembered) return;
    by_start_.erase(by_start_.find(*order_.front()));
    order_.pop_front();
}

bool SentRequests::quotes_one(const stox::Endpoint& to, std::string_view quoted, Time now) const {
    const auto found = by_start_.find(std::string(quoted.substr(0, kQuoted)));
    return found != by_start_.end() && found->second.to == to && now - found->second.at < kLived;
}

}  // namespace stox::sip
