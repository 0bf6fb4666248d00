#include "plugin/engine/presence/watched_document.h"

#include "mapping/presence/pidf.h"
#include "plugin/engine/addressing.h"

#include <algorithm>

namespace stox::engine {

std::optional<WatchedDocument> write_document(State& state, Watcher& watcher, const presence::Presentity& shown, TimePoint now) {
    auto uri = user_uri(state.options, watcher.user);
    if (!uri) return std::nullopt;
    presence::PidfSubject subject{{}, uri.value()};
    auto entity = uri.value();
    entity.scheme = sip::Scheme::pres;
    subject.entity = entity.to_string();
    auto written = presence::write_pidf(shown, subject, state.utc_at(now), watcher.stamp);
    watcher.stamp = written.stamp;
    WatchedDocument made{std::move(written.document)};
    if (!written.content_language.empty()) made.headers = {{"Content-Language", written.content_language}};
    return made;
}

void carry_document(const std::optional<WatchedDocument>& document, sip::Notification& notification) {
    if (!document) return;
    notification.type = presence::kPidfType;
    notification.body = document->body;
    notification.headers = document->headers;
}

sip::Notification active_notification(State& state, Watcher& watcher, sip::UsageKey usage, TimePoint now) {
    sip::Notification made;
    made.own_words = true;
    if (!watcher.relation.is_known()) return made;
    auto& document = watcher.document;
    if (!document || document->told.contains(usage)) {
        auto shown = watcher.known;
        presence::forget_unavailable(shown);
        document = write_document(state, watcher, shown, now);
    }
    if (document) document->told.insert(usage);
    carry_document(document, made);
    return made;
}

sip::Notification news_notification(State& state, Watcher& watcher, TimePoint now) {
    sip::Notification made;
    made.own_words = true;
    if (!watcher.relation.is_known()) return made;
    watcher.document = write_document(state, watcher, watcher.known, now);
    carry_document(watcher.document, made);
    const auto& all = watcher.known.resources;
    if (!std::ranges::all_of(all, &presence::ResourcePresence::is_available)) {
        watcher.document.reset();
        presence::forget_unavailable(watcher.known);
    } else if (watcher.document) {
        watcher.document->told = watcher.relation.watching();
    }
    return made;
}

void terminate(sip::Notification& notification, std::string_view reason, std::optional<std::chrono::seconds> retry_after) {
    notification.state = {sip::SubscriptionPhase::terminated, {}, std::string(reason), retry_after};
}

}  // namespace stox::engine
