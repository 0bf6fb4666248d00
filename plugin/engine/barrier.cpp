#include "plugin/engine/barrier.h"

#include <algorithm>
#include <iterator>

namespace stox::engine {

void Barrier::sent(std::string ping_id, TimePoint deadline) {
    ping_ = std::move(ping_id);
    deadline_ = deadline;
    for (auto& held : held_) held.covered = true;
}

std::vector<Held> Barrier::release_covered() {
    ping_.reset();
    const auto first_uncovered = std::ranges::find_if_not(held_, &Held::covered);
    std::vector<Held> released(std::move_iterator(held_.begin()), std::move_iterator(first_uncovered));
    held_.erase(held_.begin(), first_uncovered);
    return released;
}

std::vector<Held> Barrier::release_all() {
    ping_.reset();
    std::vector<Held> released(std::move_iterator(held_.begin()), std::move_iterator(held_.end()));
    held_.clear();
    return released;
}

std::optional<Held> Barrier::take(std::string_view stanza_id, const xmpp::Jid& from) {
    const auto found = std::ranges::find_if(held_, [&](const Held& held) {
        return held.stanza_id == stanza_id && held.to.local == from.local && held.to.domain == from.domain;
    });
    if (found == held_.end()) return std::nullopt;
    std::optional<Held> taken(std::move(*found));
    held_.erase(found);
    return taken;
}

std::size_t Barrier::held_from(std::string_view peer) const {
    return static_cast<std::size_t>(std::ranges::count(held_, peer, &Held::peer));
}

}  // namespace stox::engine
