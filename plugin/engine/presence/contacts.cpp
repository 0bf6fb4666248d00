#include "plugin/engine/presence/contacts.h"

namespace stox::engine {

namespace {

std::pair<std::string, std::string> key_of(const xmpp::Jid& user, const xmpp::Jid& contact) {
    return {user.bare().to_string(), contact.bare().to_string()};
}

}  // namespace

Contacts::Full Contacts::is_full(const xmpp::Jid& user, std::size_t per_user, std::size_t in_all) const {
    const auto known = users_.find(user.bare().to_string());
    if (known != users_.end() && known->second.contacts >= per_user) return Full::user;
    return contacts_.size() >= in_all ? Full::domain : Full::no;
}

Contact* Contacts::find(const xmpp::Jid& user, const xmpp::Jid& contact) {
    const auto found = contacts_.find(key_of(user, contact));
    return found == contacts_.end() ? nullptr : &found->second;
}

Contact* Contacts::find(std::uint64_t number) {
    const auto found = numbers_.find(number);
    return found == numbers_.end() ? nullptr : found->second;
}

Contact* Contacts::find(sip::UsageKey usage) {
    const auto found = usages_.find(usage);
    return found == usages_.end() ? nullptr : found->second;
}

Contact* Contacts::find_line(sip::UsageKey usage) {
    const auto found = lines_.find(usage);
    return found == lines_.end() ? nullptr : found->second;
}

Contact& Contacts::add(const xmpp::Jid& user, const xmpp::Jid& contact) {
    const auto [place, is_new] =
        contacts_.try_emplace(key_of(user, contact), Contact{++last_number_, user.bare(), contact.bare()});
    if (is_new) {
        numbers_.emplace(place->second.number, &place->second);
        watching_.emplace(place->first.second, place->second.number);
        ++users_[place->first.first].contacts;
    }
    return place->second;
}

void Contacts::remove(Contact& contact) {
    set_due(contact, {});
    if (contact.expendable) expendable_.erase({*contact.expendable, contact.number});
    set_usage(contact, sip::UsageKey::none);
    if (contact.line) set_line_usage(contact, sip::UsageKey::none);
    numbers_.erase(contact.number);
    const auto key = key_of(contact.user, contact.contact);
    watching_.erase({key.second, contact.number});
    if (const auto known = users_.find(key.first); known != users_.end() && --known->second.contacts == 0) users_.erase(known);
    contacts_.erase(key);
}

void Contacts::set_usage(Contact& contact, sip::UsageKey usage) {
    if (contact.usage != sip::UsageKey::none) usages_.erase(contact.usage);
    contact.usage = usage;
    if (usage != sip::UsageKey::none) usages_.emplace(usage, &contact);
}

void Contacts::set_line_usage(Contact& contact, sip::UsageKey usage) {
    auto& now = contact.line->usage;
    if (now != sip::UsageKey::none) lines_.erase(now);
    now = usage;
    if (usage != sip::UsageKey::none) lines_.emplace(usage, &contact);
}

void Contacts::set_due(Contact& contact, std::optional<TimePoint> due) {
    if (contact.due == due) return;
    if (contact.due) dues_.erase({*contact.due, contact.number});
    contact.due = due;
    if (due) dues_.emplace(*due, contact.number);
}

void Contacts::count_expendable(Contact& contact) {
    const auto since = contact.relation.expendable_since();
    if (contact.expendable == since) return;
    if (contact.expendable) expendable_.erase({*contact.expendable, contact.number});
    contact.expendable = since;
    if (since) expendable_.emplace(*since, contact.number);
}

Contact* Contacts::oldest_expendable() { return expendable_.empty() ? nullptr : find(expendable_.begin()->second); }

Contact* Contacts::take_due(TimePoint now) {
    if (dues_.empty() || dues_.begin()->first > now) return nullptr;
    auto* contact = find(dues_.begin()->second);
    set_due(*contact, {});
    return contact;
}

std::vector<Contact*> Contacts::of(const xmpp::Jid& user) {
    std::vector<Contact*> found;
    const auto bare = user.bare().to_string();
    for (auto one = contacts_.lower_bound({bare, {}}); one != contacts_.end() && one->first.first == bare; ++one)
        found.push_back(&one->second);
    return found;
}

std::vector<Contact*> Contacts::watching(const std::string& contact) {
    std::vector<Contact*> found;
    for (auto one = watching_.lower_bound({contact, 0}); one != watching_.end() && one->first == contact; ++one)
        found.push_back(numbers_.at(one->second));
    return found;
}

std::vector<Contact*> Contacts::all() {
    std::vector<Contact*> found;
    for (auto& [key, contact] : contacts_) found.push_back(&contact);
    return found;
}

void Contacts::forget_resources() {
    for (auto& [name, user] : users_) user.resources.clear();
}

std::optional<TimePoint> Contacts::first_due() const {
    return dues_.empty() ? std::nullopt : std::optional(dues_.begin()->first);
}

Contacts::User* Contacts::user(const xmpp::Jid& bare) {
    const auto found = users_.find(bare.bare().to_string());
    return found == users_.end() ? nullptr : &found->second;
}

}  // namespace stox::engine
