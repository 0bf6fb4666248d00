// What notifiers say of contacts.

#include "mapping/error_table.h"
#include "mapping/presence/contact_endings.h"
#include "mapping/sip/event_package.h"
#include "mapping/sip/header_values.h"
#include "plugin/engine/addressing.h"
#include "plugin/engine/destination.h"
#include "plugin/engine/moved.h"
#include "plugin/engine/peers.h"
#include "plugin/engine/presence/contact_work.h"
#include "plugin/engine/presence/watch_contacts.h"

namespace stox::engine {

namespace {

sip::Response response(int status) {
    sip::Response made;
    made.status = status;
    return made;
}

std::optional<std::chrono::seconds> retry_after(const sip::Response& response) {
    const auto number = sip::leading_number(response.header("Retry-After"));
    return number ? std::optional(std::chrono::seconds(*number)) : std::nullopt;
}

/// "application/pidf+xml" is of "Application/PIDF+xml;charset=utf-8".
bool is_of(std::string_view type, std::string_view wanted) {
    type = type.substr(0, type.find(';'));
    while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.remove_suffix(1);
    return sip::same_token(type, wanted);
}

sip::Response takes_only(std::string_view type) {
    auto refusal = response(415);
    refusal.headers = {{"Accept", std::string(type)}};
    return refusal;
}

/// A whole document that does not follow the one before says all the same; of changes alone, the ones that are missing count.
void line_notified(State& state, Contact& contact, const sip::Notified& news, TimePoint now, Actions& out) {
    const auto* value = news.notify.header("Subscription-State");
    bool gap = false;
    if (state.contacts.calls) {
        const auto taken = contact.line->dialogs.take(*state.contacts.calls);
        gap = taken == presence::DialogList::Outcome::taken_with_gap && !state.contacts.calls->is_full;
    }
    if (news.state.phase == sip::SubscriptionPhase::terminated) state.contacts.set_line_usage(contact, sip::UsageKey::none);
    drive_line(state, contact, now, out, [&](auto& relation, auto& acts) {
        relation.notified(value ? *value : "", news.state.reason, news.state.retry_after, now, dice(state), acts);
        // Only a new subscription brings the whole state.
        if (!gap || !relation.has_usage()) return;
        relation.withdraw(now, acts);
        relation.online(now, acts);
    });
    state.contacts.calls.reset();
    settle(state, contact, now, out);
}

/// False: it is about no line.
bool line_news(State& state, const sip::Action& news, TimePoint now, Actions& out) {
    if (const auto* notification = std::get_if<sip::Notified>(&news)) {
        auto* contact = state.contacts.find_line(notification->subscription);
        if (contact) line_notified(state, *contact, *notification, now, out);
        return contact;
    }
    const auto* failure = std::get_if<sip::Failed>(&news);
    const auto* end = std::get_if<sip::SubscriptionEnded>(&news);
    auto* contact = failure ? state.contacts.find_line(failure->usage)
                    : end   ? state.contacts.find_line(end->subscription)
                            : nullptr;
    if (!contact) return false;
    state.contacts.set_line_usage(*contact, sip::UsageKey::none);
    drive_line(state, *contact, now, out, [&](auto& relation, auto& acts) {
        if (failure)
            relation.failed(failure->response.status, retry_after(failure->response), false, now, dice(state), acts);
        else
            relation.ended(end->cause == sip::SubscriptionEnded::Cause::unanswered, now, dice(state), acts);
    });
    settle(state, *contact, now, out);
    return true;
}

std::optional<sip::Response> unreadable(Code code) { return response(code == Code::too_large ? 413 : 400); }

/// Where a redirection leads, if the same peer goes there.   (PRES-17)
std::optional<sip::Uri> new_way(const State& state, const Contact& contact, const sip::Response& response) {
    if (response.contacts.empty() || response.status / 100 != 3) return std::nullopt;
    const auto way = destination(state, contact.contact);
    const auto* to = std::get_if<Destination>(&way);
    const auto& uri = response.contacts.front().uri;
    const bool is_sip = uri.scheme == sip::Scheme::sip || uri.scheme == sip::Scheme::sips;
    return to && is_sip && select_peer(state.options, uri) == to->peer ? std::optional(uri) : std::nullopt;
}

void failed(State& state, Contact& contact, const sip::Response& response, TimePoint now, Actions& out) {
    contact.redirected = new_way(state, contact, response);
    const bool can_follow = contact.redirected.has_value();
    const auto number = contact.number;
    const auto failure = presence::failure_of(response.status);
    contact.moved.reset();
    if (failure == presence::Failure::moved)
        contact.moved = to_stanza_error(response.status, response.reason, new_address(state.options, response));
    if (failure == presence::Failure::refused || failure == presence::Failure::unable)
        out.push_back(line(Level::info, {}, "presence refused",
                           {{"from", contact.user.to_string()},
                            {"to", contact.contact.to_string()},
                            {"status", std::to_string(response.status)}}));
    drive(state, contact, now, out, [&](auto& relation, auto& acts) {
        relation.failed(response.status, retry_after(response), can_follow, now, dice(state), acts);
    });
    // Whoever asks there now does not have to be told where.
    if (auto* still = state.contacts.find(number); still && still->relation.waits_for_turn()) still->moved.reset();
}

void notified(State& state, Contact& contact, const sip::Notified& news, TimePoint now, Actions& out) {
    const auto* value = news.notify.header("Subscription-State");
    if (news.state.phase == sip::SubscriptionPhase::terminated) state.contacts.set_usage(contact, sip::UsageKey::none);
    contact.redirected.reset();
    drive(state, contact, now, out, [&](auto& relation, auto& acts) {
        relation.notified(value ? *value : "", news.state.reason, news.state.retry_after, now, dice(state), acts);
    });
    state.contacts.document.reset();
}

void ended(State& state, Contact& contact, const sip::SubscriptionEnded& news, TimePoint now, Actions& out) {
    const bool silent = news.cause == sip::SubscriptionEnded::Cause::unanswered;
    drive(state, contact, now, out, [&](auto& relation, auto& acts) { relation.ended(silent, now, dice(state), acts); });
}

}  // namespace

std::optional<sip::Response> refuse_notify(State& state, const sip::Request& notify) {
    state.contacts.document.reset();
    state.contacts.calls.reset();
    const auto event = sip::EventPackage::read(notify.header("Event"));
    // Without a dialog or for another event, the dialog layer has the better answer.
    if (notify.method != "NOTIFY" || !event || !state.dialogs.peer_of(notify)) return std::nullopt;
    const bool is_line = event.value().name == kDialogPackage && state.contacts.asks_for_calls();
    if (notify.body.empty() || !(is_line || event.value().name == "presence")) return std::nullopt;
    const auto type = is_line ? presence::kDialogInfoType : presence::kPidfType;
    if (!is_of(notify.content_type, type)) return takes_only(type);
    if (is_line) {
        auto calls = presence::read_dialog_info(notify.body);
        if (!calls) return unreadable(calls.error().code);
        state.contacts.calls = std::move(calls).value();
        return std::nullopt;
    }
    const auto* language = notify.header("Content-Language");
    auto document = presence::read_pidf(notify.body, language ? *language : "", state.utc);
    if (document) {
        state.contacts.document = std::move(document).value();
        return std::nullopt;
    }
    // Tuples without names teach nothing, and are no fault of the form.
    if (document.error().code == Code::incomplete) return std::nullopt;
    return unreadable(document.error().code);
}

bool contact_news(State& state, const sip::Action& news, TimePoint now, Actions& out) {
    if (line_news(state, news, now, out)) return true;
    if (const auto* notification = std::get_if<sip::Notified>(&news)) {
        auto* contact = state.contacts.find(notification->subscription);
        if (contact) notified(state, *contact, *notification, now, out);
        return contact;
    }
    if (const auto* failure = std::get_if<sip::Failed>(&news)) {
        auto* contact = state.contacts.find(failure->usage);
        if (!contact) return false;
        state.contacts.set_usage(*contact, sip::UsageKey::none);
        failed(state, *contact, failure->response, now, out);
        return true;
    }
    if (const auto* end = std::get_if<sip::SubscriptionEnded>(&news)) {
        auto* contact = state.contacts.find(end->subscription);
        if (!contact) return false;
        state.contacts.set_usage(*contact, sip::UsageKey::none);
        ended(state, *contact, *end, now, out);
        return true;
    }
    return false;
}

}  // namespace stox::engine
