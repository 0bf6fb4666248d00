#include "mapping/presence/contact_relation.h"

#include "mapping/presence/contact_endings.h"
#include "mapping/presence/contact_table.h"

#include <algorithm>

namespace stox::presence {

using namespace contact;
using std::chrono::seconds;

ContactRelation::ContactRelation(Authorization authorization, std::optional<TimePoint> assumed) {
    parts_.authorization = authorization;
    parts_.assumed = assumed;
    parts_.state = Idle{};
}

void ContactRelation::subscribe(TimePoint now, Actions& out) { step(Subscribe{}, now, out); }
void ContactRelation::unsubscribe(TimePoint now, Actions& out) { step(Unsubscribe{}, now, out); }
void ContactRelation::online(TimePoint now, Actions& out) { step(Online{}, now, out); }
void ContactRelation::offline(TimePoint now, Actions& out) { step(Offline{}, now, out); }
void ContactRelation::turn(TimePoint now, Actions& out) { step(Turn{}, now, out); }
void ContactRelation::pretend(TimePoint now, Actions& out) { step(Pretend{}, now, out); }
void ContactRelation::withdraw(TimePoint now, Actions& out) { step(Withdraw{}, now, out); }

void ContactRelation::forget(TimePoint now, Actions& out) {
    if (expendable_since()) step(Forget{}, now, out);
}

std::optional<TimePoint> ContactRelation::expendable_since() const {
    const bool rests = std::holds_alternative<Idle>(parts_.state) || std::holds_alternative<Wanted>(parts_.state);
    return rests ? parts_.assumed : std::nullopt;
}

void ContactRelation::probe(TimePoint now, Actions& out) {
    const bool waits = !parts_.settled && parts_.not_before > now && parts_.authorization == Authorization::granted;
    const bool may_poll = !parts_.rarely && (!parts_.polled || now - *parts_.polled >= kPollGap);
    if (waits && may_poll && std::holds_alternative<Idle>(parts_.state)) return step(ProbeInWait{}, now, out);
    step(Probe{}, now, out);
}

void ContactRelation::notified(std::string_view value, std::string_view reason, std::optional<seconds> retry_after, TimePoint now,
                               const Below& below, Actions& out) {
    const auto standing = standing_of(value, parts_.authorization == Authorization::granted);
    if (standing == Standing::pending) return step(NotifiedPending{}, now, out);
    if (standing == Standing::active) return step(NotifiedActive{}, now, out);
    if (std::holds_alternative<Polling>(parts_.state)) return step(PollAnswered{}, now, out);
    step(ending(reason, retry_after, now, below), now, out);
}

Event ContactRelation::ending(std::string_view reason, std::optional<seconds> retry_after, TimePoint now,
                              const Below& below) const {
    const auto how = ending_of(reason);
    const auto said = retry_after ? std::optional(std::min<seconds>(*retry_after, kMostRetryAfter)) : std::nullopt;
    const auto after = [](seconds wait) { return Dropped{wait, wait > kShownFor}; };
    switch (how.follow) {
        case Ending::Follow::refused:
            return Refused{};
        case Ending::Follow::settled:
            return Settled{};
        case Ending::Follow::at_once:
            return at_once(now, below);
        case Ending::Follow::later:
            return after(std::max(said.value_or(how.wait), back_off(now, below)));
        case Ending::Follow::back_off:
            break;
    }
    return after(std::max(said.value_or(seconds(0)), back_off(now, below)));
}

void ContactRelation::failed(int status, std::optional<seconds> retry_after, bool can_follow, TimePoint now, const Below& below,
                             Actions& out) {
    const auto said = std::min<seconds>(retry_after.value_or(seconds(0)), kMostRetryAfter);
    const auto after = [](seconds wait) { return Dropped{wait, true}; };
    switch (failure_of(status)) {
        case Failure::refused:
            return step(Refused{}, now, out);
        case Failure::unable:
            if (!parts_.assumed) return step(Refused{}, now, out);
            return step(Dropped{kNoPresence, true, true}, now, out);
        case Failure::absent:
            if (parts_.authorization == Authorization::pending) return step(Refused{}, now, out);
            if (!is_assumed_for(kNobodyThere, now)) break;
            step(Dropped{back_off(now, below), false}, now, out);
            return step(Forget{}, now, out);
        case Failure::lost:
            return step(at_once(now, below), now, out);
        case Failure::credentials:
            return step(after(std::max<seconds>(seconds(60 + below(61)), back_off(now, below))), now, out);
        case Failure::moved:
            if (can_follow && !parts_.redirected && std::holds_alternative<Trying>(parts_.state))
                return step(Redirected{}, now, out);
            break;
        case Failure::transient:
            break;
    }
    step(after(std::max(said, back_off(now, below))), now, out);
}

void ContactRelation::ended(bool silent, TimePoint now, const Below& below, Actions& out) {
    step(silent ? Dropped{back_off(now, below), true} : at_once(now, below), now, out);
}

/// Unless it has just begun: who ends it each time is not asked each time.
Dropped ContactRelation::at_once(TimePoint now, const Below& below) const {
    const bool quick = parts_.started && now - *parts_.started < kQuick;
    return {quick ? back_off(now, below) : seconds(0), false};
}

/// Between the time and twice the time, so that what failed together is not tried together.
seconds ContactRelation::back_off(TimePoint now, const Below& below) const {
    constexpr unsigned kDoublings = 8;  // as many as there is room for under the most
    const auto failures = stood(parts_, now) ? 0 : parts_.failures;
    const seconds least = kFirstBackOff * (1u << std::min(failures, kDoublings));
    const auto spread = seconds(below(static_cast<unsigned>(least.count()) + 1));
    return std::min<seconds>(least + spread, kMostBackOff);
}

void ContactRelation::tick(TimePoint now, Actions& out) {
    // What was due while it was not looked at comes together.
    for (auto due = next_timeout(); due && *due <= now; due = next_timeout()) {
        if (!std::holds_alternative<Idle>(parts_.state))
            step(Away{}, now, out);
        else if (is_assumed_for(kAssumedFor, now))
            step(Forget{}, now, out);
        else
            step(Due{}, now, out);
    }
}

std::optional<TimePoint> ContactRelation::next_timeout() const {
    if (const auto* idle = std::get_if<Idle>(&parts_.state)) {
        const auto until = idle->until;
        const auto forget = parts_.assumed ? std::optional(*parts_.assumed + kAssumedFor) : std::nullopt;
        return until && forget ? std::min(until, forget) : until ? until : forget;
    }
    const bool stands = std::holds_alternative<Pending>(parts_.state) || std::holds_alternative<Active>(parts_.state);
    return stands ? parts_.away_at : std::nullopt;
}

ContactRelation::Look ContactRelation::look() const {
    if (std::holds_alternative<Pretended>(parts_.state)) return Look::pretended;
    if (std::holds_alternative<Leaving>(parts_.state)) return Look::ending;
    if (parts_.authorization == Authorization::granted) return Look::granted;
    return std::holds_alternative<Pending>(parts_.state) ? Look::pending : Look::waiting;
}

std::string_view to_string(ContactRelation::Look look) {
    switch (look) {
        case ContactRelation::Look::waiting:
            return "waiting";
        case ContactRelation::Look::pending:
            return "pending";
        case ContactRelation::Look::granted:
            return "granted";
        case ContactRelation::Look::pretended:
            return "static";
        case ContactRelation::Look::ending:
            break;
    }
    return "ending";
}

bool ContactRelation::has_usage() const {
    return std::visit(
        [](const auto& state) {
            using One = std::decay_t<decltype(state)>;
            return !(std::is_same_v<One, None> || std::is_same_v<One, Idle> || std::is_same_v<One, Pretended> ||
                     std::is_same_v<One, Wanted> || std::is_same_v<One, PollWanted>);
        },
        parts_.state);
}

bool ContactRelation::waits_for_turn() const {
    return std::holds_alternative<Wanted>(parts_.state) || std::holds_alternative<PollWanted>(parts_.state);
}

void ContactRelation::step(const Event& event, TimePoint now, Actions& out) {
    Scope scope{parts_, now, out};
    contact::step(scope, event);
}

}  // namespace stox::presence
