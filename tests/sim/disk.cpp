#include "tests/sim/disk.h"

#include <algorithm>
#include <array>

namespace stox::sim {

using namespace engine;

bool is_delivered(const Record& record) {
    const auto* inbox = std::get_if<InboxRow>(&record.value);
    return inbox && inbox->delivered;
}

engine::Committed Disk::commit(const Commit& commit) {
    const bool grows = std::ranges::any_of(commit.changes, [](const auto& change) { return change.value.has_value(); });
    if (full_ && grows) {
        undecided_.push_back(commit);
        return {commit.commit, fail(Code::unavailable, "disk full")};
    }
    undecided_.clear();
    apply(commit);
    return {commit.commit, ok()};
}

void Disk::crash(std::mt19937_64& random) {
    for (const auto& commit : std::exchange(undecided_, {}))
        if (random() % 2) apply(commit);
}

void Disk::apply(const Commit& commit) {
    for (const auto& change : commit.changes) {
        const auto known = std::ranges::find_if(
            records_, [&](const Record& record) { return record.collection == change.collection && record.key == change.key; });
        if (change.value && known != records_.end())
            known->value = *change.value, known->lives = 0;
        else if (change.value)
            records_.push_back({change.collection, change.key, *change.value, 0});
        else if (known != records_.end())
            records_.erase(known);
        if (change.value)
            places_.emplace(change.collection, change.key);
        else
            places_.erase({change.collection, change.key});
    }
}

std::set<std::string> Disk::names(Collection collection) const {
    std::set<std::string> all;
    for (const auto& record : records_)
        if (record.collection == collection && !is_delivered(record)) all.insert(name_of(record));
    return all;
}

std::string name_of(const Record& record) {
    if (const auto* inbox = std::get_if<InboxRow>(&record.value)) return inbox->delivered ? inbox->request_key : inbox->stanza.bodies.front().text;
    if (const auto* outbox = std::get_if<OutboxRow>(&record.value)) return outbox->stanza.id;
    if (const auto* contact = std::get_if<ContactRow>(&record.value))
        return "to_sip " + contact->user.to_string() + ' ' + contact->contact.to_string() +
               (contact->granted ? " granted" : " asks");
    if (const auto* watcher = std::get_if<WatcherRow>(&record.value)) {
        constexpr std::array kSaid{" granted", " pending", " refused"};  // as WatcherRow::Said
        return "to_xmpp " + watcher->user.to_string() + ' ' + watcher->contact.to_string() +
               kSaid[static_cast<std::size_t>(watcher->said)];
    }
    return std::get<ReceiptRow>(record.value).stanza_id;
}

}  // namespace stox::sim
