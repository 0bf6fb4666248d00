#include "plugin/engine/presence/watchers.h"

namespace stox::engine {

namespace {

std::pair<std::string, std::string> key_of(const xmpp::Jid& user, const xmpp::Jid& contact) {
    return {user.bare().to_string(), contact.bare().to_string()};
}

template <class Name>
void count_down(std::map<Name, std::size_t>& counts, const Name& name) {
    const auto count = counts.find(name);
    if (count != counts.end() && --count->second == 0) counts.erase(count);
}

template <class Name>
std::size_t count_of(const std::map<Name, std::size_t>& counts, const Name& name) {
    const auto count = counts.find(name);
    return count == counts.end() ? 0 : count->second;
}

}  // namespace

Watcher* Watchers::find(const xmpp::Jid& user, const xmpp::Jid& contact) {
    const auto found = watchers_.find(key_of(user, contact));
    return found == watchers_.end() ? nullptr : &found->second;
}

Watcher* Watchers::find(std::uint64_t number) {
    const auto found = numbers_.find(number);
    return found == numbers_.end() ? nullptr : found->second;
}

Watcher* Watchers::find(sip::UsageKey usage) {
    const auto found = usages_.find(usage);
    return found == usages_.end() ? nullptr : found->second.watcher;
}

Watcher& Watchers::add(const xmpp::Jid& user, const xmpp::Jid& contact, presence::WatcherRelation relation) {
    const auto [place, is_new] =
        watchers_.try_emplace(key_of(user, contact), Watcher{last_number_ + 1, user.bare(), contact.bare(), std::move(relation)});
    if (is_new) {
        numbers_.emplace(++last_number_, &place->second);
        ++per_user_[place->first.first];
    }
    return place->second;
}

void Watchers::remove(Watcher& watcher) {
    set_due(watcher, {});
    uncount(watcher);
    while (!watcher.usages.empty()) remove_usage(*watcher.usages.begin());
    numbers_.erase(watcher.number);
    const auto key = key_of(watcher.user, watcher.contact);
    count_down(per_user_, key.first);
    watchers_.erase(key);
}

void Watchers::add_usage(Watcher& watcher, sip::UsageKey usage, const std::string& peer) {
    add_loose_usage(watcher.user, watcher.contact, usage, peer);
    usages_.at(usage).watcher = &watcher;
    watcher.usages.insert(usage);
}

void Watchers::add_loose_usage(const xmpp::Jid& user, const xmpp::Jid& contact, sip::UsageKey usage, const std::string& peer) {
    auto pair = key_of(user, contact);
    ++per_peer_[peer];
    ++per_author_[pair.second];
    ++per_pair_[pair];
    usages_.emplace(usage, Usage{nullptr, peer, std::move(pair)});
}

void Watchers::remove_usage(sip::UsageKey usage) {
    const auto found = usages_.find(usage);
    if (found == usages_.end()) return;
    auto& [watcher, peer, pair] = found->second;
    count_down(per_pair_, pair);
    if (watcher) watcher->usages.erase(usage);
    if (watcher && watcher->document) watcher->document->told.erase(usage);
    ending_.emplace(usage, Ending{std::move(pair.second), std::move(peer)});
    usages_.erase(found);
}

void Watchers::forget_over(TimePoint now, const std::function<bool(sip::UsageKey)>& is_over) {
    if (looked_ && now < *looked_ + kLookGap) return;
    looked_ = now;
    std::erase_if(ending_, [&](const auto& entry) {
        const auto& [usage, of] = entry;
        if (!is_over(usage)) return false;
        count_down(per_peer_, of.peer);
        count_down(per_author_, of.author);
        return true;
    });
}

std::size_t Watchers::usages_of_peer(const std::string& peer) const { return count_of(per_peer_, peer); }

std::size_t Watchers::usages_of_author(const xmpp::Jid& contact) const {
    return count_of(per_author_, contact.bare().to_string());
}

std::size_t Watchers::usages_of_pair(const xmpp::Jid& user, const xmpp::Jid& contact) const {
    return count_of(per_pair_, key_of(user, contact));
}

std::size_t Watchers::watchers_of(const xmpp::Jid& user) const { return count_of(per_user_, user.bare().to_string()); }

std::vector<Watcher*> Watchers::all() {
    std::vector<Watcher*> all;
    all.reserve(watchers_.size());
    for (auto& [key, watcher] : watchers_) all.push_back(&watcher);
    return all;
}

std::array<Watchers::Group, 4> Watchers::groups(const Watcher& watcher, const std::string& peer) {
    return {Group{Whose::author, watcher.contact.to_string()}, Group{Whose::peer, peer},
            Group{Whose::user, watcher.user.to_string()}, Group{Whose::everybody, {}}};
}

void Watchers::uncount(Watcher& watcher) {
    if (!watcher.stranger) return;
    const auto before = *std::exchange(watcher.stranger, std::nullopt);
    for (const auto& group : groups(watcher, before.peer)) {
        const auto found = strangers_.find(group);
        found->second.idle.erase({before.since, watcher.number});
        if (--found->second.all == 0) strangers_.erase(found);
    }
}

void Watchers::settle(Watcher& watcher) {
    const auto since = watcher.relation.stranger_since();
    const auto now = since ? std::optional(Watcher::Stranger{*since, watcher.usages.empty(), watcher.peer}) : std::nullopt;
    if (watcher.stranger == now) return;
    uncount(watcher);
    watcher.stranger = now;
    if (!now) return;
    for (const auto& group : groups(watcher, now->peer)) {
        auto& strangers = strangers_[group];
        ++strangers.all;
        if (now->idle) strangers.idle.emplace(now->since, watcher.number);
    }
}

std::size_t Watchers::strangers(Whose whose, const std::string& name) const {
    const auto found = strangers_.find({whose, name});
    return found == strangers_.end() ? 0 : found->second.all;
}

Watcher* Watchers::oldest_idle_stranger(Whose whose, const std::string& name) {
    const auto found = strangers_.find({whose, name});
    if (found == strangers_.end() || found->second.idle.empty()) return nullptr;
    return find(found->second.idle.begin()->second);
}

void Watchers::remember(const xmpp::Jid& user, const xmpp::Jid& contact, presence::watcher::State state) {
    remembered_[user.bare().to_string() + ' ' + contact.bare().to_string()] = state;
}

std::optional<presence::watcher::State> Watchers::take_remembered(const xmpp::Jid& user, const xmpp::Jid& contact) {
    const auto key = user.bare().to_string() + ' ' + contact.bare().to_string();
    const auto* found = remembered_.find(key);
    if (!found) return std::nullopt;
    const auto state = *found;
    remembered_.erase(key);
    return state;
}

void Watchers::set_due(Watcher& watcher, std::optional<TimePoint> due) {
    if (watcher.due == due) return;
    if (watcher.due) dues_.erase({*watcher.due, watcher.number});
    watcher.due = due;
    if (due) dues_.emplace(*due, watcher.number);
}

Watcher* Watchers::take_due(TimePoint now) {
    if (dues_.empty() || dues_.begin()->first > now) return nullptr;
    auto* watcher = find(dues_.begin()->second);
    set_due(*watcher, {});
    return watcher;
}

std::optional<TimePoint> Watchers::first_due() const {
    if (!cancelled.empty()) return TimePoint{};
    auto first = return_at;
    if (!dues_.empty() && (!first || dues_.begin()->first < *first)) first = dues_.begin()->first;
    return first;
}

}  // namespace stox::engine
