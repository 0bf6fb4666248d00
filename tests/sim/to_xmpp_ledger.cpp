#include "tests/sim/to_xmpp_ledger.h"

#include "tests/sim/broken.h"

#include <algorithm>

namespace stox::sim {

void ToXmppLedger::request(std::uint64_t transaction, const std::string& text, const std::string& pair,
                           const std::set<std::string>& disk) {
    transactions_[transaction] = text;
    auto& message = messages_[text];
    message.pair = pair;
    // Its client tries again what was not accepted, or does not know.
    if (message.open == 0 && !message.accepted && !message.restored) {
        // The row of the one that was refused may not be erased yet: a restart finds that one, at its place.
        message.stale = !disk.contains(text) ? 0 : message.stale ? message.stale : message.order;
        message.order = ++order_;
        message.delivered_before = message.delivered_before || message.covered;
        message.refusal_known = message.covered = message.turned_away = false;
    }
    ++message.open;
}

void ToXmppLedger::answered(std::uint64_t transaction, int status, const std::set<std::string>& disk) {
    const auto found = transactions_.find(transaction);
    require(found != transactions_.end(), "an answer to no request", std::to_string(transaction));
    const auto& text = found->second;
    require(answered_.insert(transaction).second, "a request answered twice", text);
    require(!abandoned_.contains(transaction), "an answer to a request of an earlier life", text);
    auto& message = of(text);
    --message.open;
    if (status != 482) message.turned_away = !is_success(status);
    if (!is_success(status)) return;
    const bool is_ours = disk.contains(text) || message.arrived == message.order;
    require(is_ours || message.delivered_before, "accepted and not on the disk", text);
    // The engine knows it as a copy of what the server has.
    if (!is_ours) message.arrived = message.order, message.covered = true;
    require(!message.refusal_known || message.restored, "accepted although the server had refused it", text);
    message.accepted = true;
}

void ToXmppLedger::written(const std::string& text, const std::string& id, const std::set<std::string>& disk) {
    auto& message = of(text);
    require(disk.contains(text), "on the stream before it is on the disk", text);
    require(message.id.empty() || message.id == id, "one message with two stanza ids", text);
    require(!message.covered || message.may_repeat, "sent again although the server has it", text);
    message.id = id;
    message.refusal_known = false;
}

std::uint64_t ToXmppLedger::handled(const std::string& text, bool refused) {
    auto& message = of(text);
    if (std::exchange(message.arrived, message.order) == message.order) {
        ++copies_;
    } else if (!message.turned_away) {
        auto& last = last_arrived_[message.pair];
        require(message.order > last, "overtaken by a later one", text);
        const bool may_be_older = message.stale && message.restored;
        last = may_be_older ? std::max(last, message.stale) : message.order;
    }
    message.refused = refused;
    message.there = !refused;
    return message.order;
}

void ToXmppLedger::refusal_arrived(const std::string& text) {
    auto& message = of(text);
    message.refusal_known = true;
    message.covered = false;
}

void ToXmppLedger::covered(const std::string& text, std::uint64_t copy) {
    auto& message = of(text);
    if (message.refusal_known || message.order != copy) return;
    message.covered = true;
    message.may_repeat = false;
}

void ToXmppLedger::lost_by_server(const std::string& text) { of(text).there = false; }

void ToXmppLedger::crashed(const std::set<std::string>& disk) {
    for (const auto& [transaction, text] : transactions_)
        if (!answered_.contains(transaction)) abandoned_.insert(transaction);
    for (auto& [text, message] : messages_) {
        message.open = 0;
        const bool kept = disk.contains(text);
        require(kept || !message.accepted || message.covered || message.refusal_known, "accepted and lost by a crash", text);
        message.restored = kept;
        message.may_repeat = message.may_repeat || kept;
        // The memory of what was refused is gone; so is the id, unless its row is there still.
        if (!kept && !message.accepted) message.id.clear();
    }
}

void ToXmppLedger::stopped(const std::set<std::string>& disk) const {
    for (const auto& [text, message] : messages_)
        require(!message.there || !disk.contains(text), "delivered and kept by a stop that took its time", text);
}

void ToXmppLedger::close() const {
    for (const auto& [transaction, text] : transactions_)
        require(answered_.contains(transaction) || abandoned_.contains(transaction), "a request never answered", text);
    for (const auto& [text, message] : messages_)
        require(!message.accepted || message.there || message.refused || message.covered, "accepted and never delivered", text);
}

std::size_t ToXmppLedger::lost_covered() const {
    return static_cast<std::size_t>(std::ranges::count_if(messages_, [](const auto& one) {
        return one.second.accepted && one.second.covered && !one.second.there && !one.second.refused;
    }));
}

std::size_t ToXmppLedger::refused_after_all() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(messages_, [](const auto& one) { return one.second.accepted && one.second.refused; }));
}

}  // namespace stox::sim
