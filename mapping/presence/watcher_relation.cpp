#include "mapping/presence/watcher_relation.h"

#include "mapping/presence/watcher_table.h"

#include <algorithm>

namespace stox::presence {

using namespace watcher;

namespace {

/// The clock may have been set back since.
void clamp(State& state, UtcTime utc) {
    if (auto* asked = std::get_if<Asked>(&state)) asked->at = std::min(asked->at, utc);
    if (auto* refused = std::get_if<Refused>(&state))
        refused->until = std::min(refused->until, utc + WatcherRelation::kRefusedFor);
}

}  // namespace

WatcherRelation::WatcherRelation(watcher::State kept, bool stream_up, TimePoint now, UtcTime utc) {
    parts_.stream_up = stream_up;
    clamp(kept, utc);
    parts_.state = kept;
    const auto give_up = [&](UtcTime at) {
        parts_.give_up_at = now + std::max<TimePoint::duration>(at - utc, std::chrono::seconds(0));
    };
    // Whether the question reached the user before we ended, nobody knows; the next SUBSCRIBE of another day asks again.
    if (const auto* asked = std::get_if<Asked>(&kept)) give_up(asked->at + kPendingFor);
    if (const auto* refused = std::get_if<Refused>(&kept)) give_up(refused->until);
}

void WatcherRelation::step(const Event& event, TimePoint now, Actions& out) {
    Scope scope{parts_, now, out};
    watcher::step(scope, event);
    if (std::holds_alternative<None>(parts_.state) || is_granted()) parts_.give_up_at.reset();
}

void WatcherRelation::watch(sip::UsageKey usage, TimePoint now, UtcTime utc, Actions& out) {
    forget_refusal(now, utc, out);
    step(Watch{usage, utc}, now, out);
}
void WatcherRelation::forget_refusal(TimePoint now, UtcTime utc, Actions& out) {
    clamp(parts_.state, utc);
    if (const auto* refused = std::get_if<Refused>(&parts_.state); refused && refused->until <= utc) step(Forgotten{}, now, out);
}
void WatcherRelation::poll(sip::UsageKey usage, TimePoint now, Actions& out) { step(Poll{usage}, now, out); }
void WatcherRelation::refreshed(sip::UsageKey usage, TimePoint now, UtcTime utc, Actions& out) {
    if (!parts_.watching.contains(usage)) return;
    forget_refusal(now, utc, out);
    step(Refreshed{usage, utc}, now, out);
}
void WatcherRelation::ended(sip::UsageKey usage, bool wants_word, TimePoint now, Actions& out) {
    step(Left{usage, wants_word}, now, out);
}
void WatcherRelation::approved(TimePoint now, Actions& out) { step(Approved{}, now, out); }
void WatcherRelation::denied(TimePoint now, UtcTime utc, Actions& out) { step(Denied{utc}, now, out); }
void WatcherRelation::dropped(std::string_view reason, TimePoint now, Actions& out) { step(Dropped{reason}, now, out); }
void WatcherRelation::stream_lost(TimePoint now, Actions& out) { step(StreamLost{}, now, out); }
void WatcherRelation::stream_back(TimePoint now, Actions& out) { step(StreamBack{}, now, out); }

void WatcherRelation::failed(xmpp::Condition condition, TimePoint now, Actions& out) {
    const auto ending = ending_of(condition);
    if (ending.for_good)
        step(Failed{ending}, now, out);
    else
        step(Interrupted{ending}, now, out);
}

bool WatcherRelation::told(TimePoint now, Actions& out) {
    step(Told{}, now, out);
    return is_granted();
}

void WatcherRelation::tick(TimePoint now, Actions& out) {
    const auto due = [&](const std::optional<TimePoint>& at) { return at && *at <= now; };
    if (due(parts_.publish_at)) step(PublishDue{}, now, out);
    if (due(parts_.probe_at)) step(ProbeDue{}, now, out);
    std::vector<sip::UsageKey> polls;
    for (const auto& [poll, at] : parts_.polls)
        if (at <= now) polls.push_back(poll);
    for (const auto poll : polls) step(PollDue{poll}, now, out);
    if (!due(parts_.give_up_at)) return;
    parts_.give_up_at = now + kAskAgain;  // somebody waits still
    if (parts_.watching.empty()) step(GaveUp{}, now, out);
}

std::optional<TimePoint> WatcherRelation::next_timeout() const {
    auto next = parts_.give_up_at;
    const auto sooner = [&next](const std::optional<TimePoint>& at) {
        if (at && (!next || *at < *next)) next = at;
    };
    sooner(parts_.publish_at);
    sooner(parts_.probe_at);
    for (const auto& [poll, at] : parts_.polls) sooner(at);
    return next;
}

std::optional<UtcTime> WatcherRelation::asked() const {
    const auto* asked = std::get_if<Asked>(&parts_.state);
    return asked ? std::optional(asked->at) : std::nullopt;
}

std::optional<UtcTime> WatcherRelation::stranger_since() const {
    if (const auto* refused = std::get_if<Refused>(&parts_.state)) return refused->until - kRefusedFor;
    return asked();
}

}  // namespace stox::presence
