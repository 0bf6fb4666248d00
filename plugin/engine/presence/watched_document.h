#pragma once
// What NOTIFY shows a contact of the user it watches.   (PRES-52, PRES-60, PRES-61)

#include "plugin/engine/state.h"

namespace stox::engine {

/// A document with those, for that contact. Its time is later than that of the one before.   (PRES-61)
std::optional<WatchedDocument> write_document(State& state, Watcher& watcher, const presence::Presentity& shown, TimePoint now);
void carry_document(const std::optional<WatchedDocument>& document, sip::Notification& notification);

/// What is known, as that subscription has not been told it yet.
sip::Notification active_notification(State& state, Watcher& watcher, sip::UsageKey usage, TimePoint now);
/// The same for all of them; who has gone stands in this one document.   (PRES-52)
sip::Notification news_notification(State& state, Watcher& watcher, TimePoint now);
void terminate(sip::Notification& notification, std::string_view reason, std::optional<std::chrono::seconds> retry_after = {});

}  // namespace stox::engine
