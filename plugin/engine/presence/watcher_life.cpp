// What happens to those who watch users with the stream, the domain's options, its start and its end.

#include "plugin/engine/presence/tell_watchers.h"
#include "plugin/engine/presence/watched_document.h"
#include "plugin/engine/presence/watcher_work.h"

namespace stox::engine {

namespace {

namespace watcher = presence::watcher;

constexpr std::chrono::seconds kComeBack{10};          // after a graceful stop
constexpr std::size_t kAtOnce = 50;                    // relations that a new stream is told of in one turn ...
constexpr std::chrono::milliseconds kReturnEvery{50};  // ... and how soon the next ones follow

}  // namespace

void watchers_stream_up(State& state, TimePoint now) {
    auto& watchers = state.watchers;
    watchers.returning.clear();
    for (const auto* watcher : watchers.all()) watchers.returning.push_back(watcher->number);
    if (!watchers.returning.empty()) watchers.return_at = now;
}

void watchers_stream_down(State& state, TimePoint now, Actions& out) {
    state.watchers.returning.clear();
    state.watchers.return_at.reset();
    for (auto* watcher : state.watchers.all())
        drive(state, *watcher, now, out, [&](auto& relation, auto& acts) { relation.stream_lost(now, acts); });
}

namespace {

void go_on_returning(State& state, TimePoint now, Actions& out) {
    auto& watchers = state.watchers;
    for (std::size_t told = 0; told < kAtOnce && !watchers.returning.empty(); ++told) {
        auto* watcher = watchers.find(watchers.returning.front());
        watchers.returning.pop_front();
        if (!watcher) continue;
        drive(state, *watcher, now, out, [&](auto& relation, auto& acts) { relation.stream_back(now, acts); });
    }
    watchers.return_at = watchers.returning.empty() ? std::nullopt : std::optional(now + kReturnEvery);
}

}  // namespace

void watchers_tick(State& state, TimePoint now, Actions& out) {
    for (const auto number : std::exchange(state.watchers.cancelled, {})) {
        auto* watcher = state.watchers.find(number);
        if (!watcher) continue;
        drive(state, *watcher, now, out, [&](auto& relation, auto& acts) { relation.dropped(kAskAnew, now, acts); });
    }
    if (state.watchers.return_at && *state.watchers.return_at <= now) go_on_returning(state, now, out);
    while (auto* watcher = state.watchers.take_due(now))
        drive(state, *watcher, now, out, [&](auto& relation, auto& acts) { relation.tick(now, acts); });
}

void watchers_configure(State& state, TimePoint now, Actions& out) {
    const bool off = state.options.presence.mode == config::PresenceMode::off;
    for (auto* watcher : state.watchers.all()) watcher->document.reset();  // users may have other addresses now
    for (const auto usage :
         state.watchers.usages([&](const std::string& peer) { return off || !state.options.find_peer(peer); })) {
        auto* watcher = state.watchers.find(usage);
        sip::Notification last;
        terminate(last, "noresource");
        state.dialogs.publish(usage, std::move(last), state.ways(now, out));
        state.watchers.remove_usage(usage);
        if (!watcher) continue;
        drive(state, *watcher, now, out, [&](auto& relation, auto& acts) { relation.ended(usage, false, now, acts); });
    }
}

void watchers_leave(State& state, bool for_good, TimePoint now, Actions& out) {
    const auto ways = state.ways(now, out);
    for (const auto usage : state.watchers.usages([](const std::string&) { return true; })) {
        sip::Notification last;
        terminate(last, for_good ? "noresource" : "probation", for_good ? std::nullopt : std::optional(kComeBack));
        state.dialogs.publish(usage, std::move(last), ways);
        if (!state.watchers.find(usage)) state.watchers.remove_usage(usage);
    }
    for (auto* watcher : state.watchers.all()) {
        if (for_good && !watcher->key.empty()) state.commits.erase(Collection::watchers, watcher->key, now);
        state.watchers.remove(*watcher);
    }
    state.watchers.return_at.reset();
}

namespace {

watcher::State state_of(const WatcherRow& row) {
    switch (row.said) {
        case WatcherRow::Said::granted:
            return watcher::Granted{};
        case WatcherRow::Said::asked:
            return watcher::Asked{row.at};
        case WatcherRow::Said::refused:
            return watcher::Refused{row.at};
    }
    return watcher::None{};
}

/// The contact came before the store was read, and the user was asked: what they said before holds.
void restore_into(State& state, Watcher& watcher, const WatcherRow& row, TimePoint now, Actions& out) {
    if (row.said != WatcherRow::Said::granted || !watcher.relation.asked()) return;
    drive(state, watcher, now, out, [&](auto& relation, auto& acts) { relation.approved(now, acts); });
}

}  // namespace

void restore_watcher(State& state, std::string key, WatcherRow row, TimePoint now, Actions& out) {
    if (auto* watcher = state.watchers.find(row.user, row.contact)) {
        restore_into(state, *watcher, row, now, out);
        return state.commits.erase(Collection::watchers, std::move(key), now);
    }
    presence::WatcherRelation relation(state_of(row), state.stream_up, now, state.utc_at(now));
    auto& watcher = state.watchers.add(row.user, row.contact, std::move(relation));
    watcher.key = std::move(key);
    watcher.peer = std::move(row.peer);
    state.watchers.settle(watcher);
    state.watchers.set_due(watcher, watcher.relation.next_timeout());
}

}  // namespace stox::engine
