#pragma once
// What the parts of tell_watchers share: an input for one relation, and everything that comes of it done.

#include "plugin/engine/state.h"

namespace stox::engine {

inline constexpr std::string_view kAskAnew = "deactivated";  ///< who waits comes again at once   (RFC 6665 §4.1.3)

/// What the relation asked for is done: NOTIFYs, stanzas, rows. The watcher may be gone afterwards.
void carry_out(State& state, Watcher& watcher, const presence::WatcherRelation::Actions& acts, TimePoint now, Actions& out);

/// work  (relation, acts)
template <class Work>
void drive(State& state, Watcher& watcher, TimePoint now, Actions& out, Work work) {
    presence::WatcherRelation::Actions acts;
    work(watcher.relation, acts);
    carry_out(state, watcher, acts, now, out);
}

/// A relation without dialogs whose user has not agreed makes room; what was said of it is remembered.
void let_go(State& state, Watcher& watcher, TimePoint now, Actions& out);

}  // namespace stox::engine
