#include "plugin/engine/receipts.h"

namespace stox::engine {

std::vector<std::string> Receipts::add(Entry entry) {
    std::vector<std::string> forgotten;
    while (entries_.size() >= kRows) forgotten.push_back(remove(entries_.begin()->first).key);
    put(++last_, std::move(entry));
    return forgotten;
}

void Receipts::put_back(Before before) {
    const auto there = entries_.find(before.number);
    if (there != entries_.end() && there->second.row.report && before.entry.row.report) {
        // Put back already, as it was before something else was told: what either is asked for is asked for.
        auto& asked = *before.entry.row.report;
        const auto& as_well = *there->second.row.report;
        asked.positive = asked.positive || as_well.positive;
        asked.negative = asked.negative || as_well.negative;
        asked.display = asked.display || as_well.display;
    }
    put(before.number, std::move(before.entry));
}

void Receipts::put(Number number, Entry entry) {
    if (entry.row.from_sip)
        by_stanza_.insert_or_assign(entry.row.stanza_id, number);
    else
        by_imdn_.insert_or_assign(entry.row.imdn_id, number);
    entries_.insert_or_assign(number, std::move(entry));
}

std::vector<std::string> Receipts::clear() {
    std::vector<std::string> keys;
    for (auto& [number, entry] : entries_) keys.push_back(std::move(entry.key));
    entries_.clear();
    by_imdn_.clear();
    by_stanza_.clear();
    return keys;
}

std::optional<Receipts::Number> Receipts::find_sent(const std::string& imdn_id, const xmpp::Jid& contact) const {
    const auto found = by_imdn_.find(imdn_id);
    if (found == by_imdn_.end()) return std::nullopt;
    return entries_.at(found->second).row.contact.bare() == contact.bare() ? std::optional(found->second) : std::nullopt;
}

std::optional<Receipts::Number> Receipts::find_received(const std::string& stanza_id, const xmpp::Jid& user,
                                                        const xmpp::Jid& contact) const {
    const auto found = by_stanza_.find(stanza_id);
    if (found == by_stanza_.end()) return std::nullopt;
    const auto& row = entries_.at(found->second).row;
    const bool theirs = row.user.bare() == user.bare() && row.contact.bare() == contact.bare();
    return theirs ? std::optional(found->second) : std::nullopt;
}

std::vector<Receipts::Number> Receipts::unseen_before(Number number) const {
    std::vector<Number> older;
    const auto newest = entries_.find(number);
    if (newest == entries_.end()) return older;
    // A bounded look back: a marker is about what stands on the screen.
    constexpr std::size_t kLookBack = 1'000;
    std::size_t looked = 0;
    for (auto entry = newest; entry != entries_.begin() && older.size() < kOlder && looked < kLookBack; ++looked) {
        --entry;
        const auto& row = entry->second.row;
        if (row.from_sip && row.report && row.report->display && row.user.bare() == newest->second.row.user.bare() &&
            row.contact.bare() == newest->second.row.contact.bare())
            older.push_back(entry->first);
    }
    return older;
}

Receipts::Entry Receipts::remove(Number number) {
    auto node = entries_.extract(number);
    auto& entry = node.mapped();
    auto& names = entry.row.from_sip ? by_stanza_ : by_imdn_;
    const auto name = names.find(entry.row.from_sip ? entry.row.stanza_id : entry.row.imdn_id);
    if (name != names.end() && name->second == number) names.erase(name);
    return std::move(entry);
}

std::vector<std::string> Receipts::forget_old(UtcTime now) {
    std::vector<std::string> forgotten;
    while (!entries_.empty() && entries_.begin()->second.row.since + kLongest < now)
        forgotten.push_back(remove(entries_.begin()->first).key);
    return forgotten;
}

}  // namespace stox::engine
