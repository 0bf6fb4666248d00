#include "mapping/sip/dialog_table.h"

#include <algorithm>

namespace stox::sip {

namespace {

constexpr std::size_t kRemembered = 64;

DialogId id_of(const Request& request) { return {request.call_id, request.to.tag, request.from.tag}; }

}  // namespace

bool DialogTable::has_room(const std::string& peer) const {
    const auto found = per_peer_.find(peer);
    return entries_.size() < limits_.in_all && (found == per_peer_.end() || found->second < limits_.per_peer);
}

bool DialogTable::add(const DialogRef& dialog, const std::string& peer, UsageKey usage) {
    auto [at, is_new] = entries_.try_emplace(dialog->id, Entry{dialog, peer, {}});
    if (is_new) ++per_peer_[peer];
    auto& usages = at->second.usages;
    if (std::ranges::find(usages, usage) != usages.end()) return true;
    if (usages.size() >= kMaxUsages) return false;
    usages.push_back(usage);
    return true;
}

void DialogTable::remove(const DialogId& id, UsageKey usage, bool call) {
    const auto at = entries_.find(id);
    if (at == entries_.end()) return;
    std::erase(at->second.usages, usage);
    if (call) ended_.push_back(id);
    if (ended_.size() > kRemembered) ended_.pop_front();
    if (!at->second.usages.empty()) return;
    const auto peer = per_peer_.find(at->second.peer);
    if (--peer->second == 0) per_peer_.erase(peer);
    entries_.erase(at);
}

DialogTable::Admission DialogTable::admit(const Request& request) {
    auto* entry = find(id_of(request));
    const bool ack = request.method == "ACK";
    if (!entry) return ack ? Admission(Ignore{}) : Admission(Refuse{481});
    if (ack) return entry;
    switch (entry->dialog->receive_cseq(request.cseq)) {
        case Dialog::Order::next:
            return entry;
        case Dialog::Order::stale:
            return Refuse{500};
        case Dialog::Order::invalid:
            break;
    }
    return Refuse{400};
}

DialogTable::Entry* DialogTable::find(const DialogId& id) {
    const auto at = entries_.find(id);
    return at == entries_.end() ? nullptr : &at->second;
}

const DialogTable::Entry* DialogTable::find(const DialogId& id) const {
    const auto at = entries_.find(id);
    return at == entries_.end() ? nullptr : &at->second;
}

std::vector<const DialogTable::Entry*> DialogTable::of_call_id(const std::string& call_id) const {
    std::vector<const Entry*> found;
    for (auto at = entries_.lower_bound({call_id, "", ""}); at != entries_.end() && at->first.call_id == call_id; ++at)
        found.push_back(&at->second);
    return found;
}

}  // namespace stox::sip
