// What a session does because time has passed.

#include "mapping/sip/session.h"

#include <algorithm>

namespace stox::sip {

using namespace session;

void Session::tick(Context& context) {
    Scope scope{parts_, context};
    const auto now = context.now;
    if (const auto* leaving = std::get_if<Leaving>(&parts_.life); leaving && leaving->deadline <= now)
        step(scope, LifeEvent(ByeDone{}));
    if (const auto* awaited = std::get_if<AckAwaited>(&parts_.server); awaited && awaited->deadline <= now) {
        step(scope, ServerEvent(AckMissing{}));
        step(scope, LifeEvent(HangUp{EndCause::no_ack}));
    } else if (awaited && awaited->repeat_at <= now) {
        step(scope, ServerEvent(RepeatDue{}));
    }
    if (const auto due = answer_due(); due && *due <= now) step(scope, ServerEvent(AnswerOverdue{}));
    tick_client(context);
    if (!confirmed()) return;
    if (const auto end = parts_.timer.end_due(); end && *end <= now) {
        hang_up(EndCause::session_expired, {}, context);
    } else if (const auto due = parts_.timer.refresh_due(); due && *due <= now) {
        auto change = refresh();
        if (!change) return;
        parts_.timer.refreshing();
        step(scope, to_event(std::move(*change), 0));
    }
}

void Session::tick_client(Context& context) {
    Scope scope{parts_, context};
    const auto now = context.now;
    if (const auto* inviting = std::get_if<ReInviting>(&parts_.client); inviting && inviting->deadline <= now) {
        if (!inviting->cancelled) {
            step(scope, ClientEvent(CancelDue{}));
        } else {
            step(scope, ClientEvent(Refused{make_response(parts_, 408)}));
            step(scope, LifeEvent(HangUp{EndCause::peer_lost}));
        }
    } else if (const auto* owed = std::get_if<AckOwed>(&parts_.client); owed && owed->deadline <= now) {
        step(scope, ClientEvent(AckOverdue{}));
    } else if (const auto* wait = std::get_if<GlareWait>(&parts_.client); wait && wait->until <= now) {
        const bool can = can_modify(wait->modify.method == "UPDATE", describes_session(wait->modify.description.type));
        if (can)
            step(scope, to_event(wait->modify, wait->tries));
        else if (wait->tries < kMaxTries && (early() || confirmed()))
            step(scope, ClientEvent(Glare{}));
        else
            step(scope, ClientEvent(Refused{make_response(parts_, 491)}));
    }
}

/// When the application must have answered a request of the peer.
std::optional<TimePoint> Session::answer_due() const {
    if (const auto* invited = std::get_if<ReInvited>(&parts_.server)) return invited->deadline;
    if (const auto* updated = std::get_if<Updated>(&parts_.server)) return updated->deadline;
    return std::nullopt;
}

/// The refresh that can be sent now: UPDATE where the peer takes it, else a re-INVITE that changes nothing.   (RFC 4028 §7.4)
std::optional<Modify> Session::refresh() const {
    if (!confirmed() || !std::holds_alternative<Quiet>(parts_.client)) return std::nullopt;
    Modify change{parts_.peer_updates ? "UPDATE" : "INVITE", {}, {}, true};
    if (!parts_.peer_updates && parts_.last_sent) change.description = *parts_.last_sent;
    const bool can = can_modify(parts_.peer_updates, !change.description.type.empty());
    return can ? std::optional(std::move(change)) : std::nullopt;
}

std::optional<TimePoint> Session::next_timeout() const {
    auto next = TimePoint::max();
    const auto sooner = [&next](TimePoint at) { next = std::min(next, at); };
    if (const auto* leaving = std::get_if<Leaving>(&parts_.life)) sooner(leaving->deadline);
    if (const auto* awaited = std::get_if<AckAwaited>(&parts_.server)) sooner(std::min(awaited->deadline, awaited->repeat_at));
    if (const auto due = answer_due()) sooner(*due);
    if (const auto* inviting = std::get_if<ReInviting>(&parts_.client)) sooner(inviting->deadline);
    if (const auto* owed = std::get_if<AckOwed>(&parts_.client)) sooner(owed->deadline);
    if (const auto* wait = std::get_if<GlareWait>(&parts_.client); wait && !over()) sooner(wait->until);
    if (confirmed()) {
        if (const auto end = parts_.timer.end_due()) sooner(*end);
        if (const auto due = parts_.timer.refresh_due(); due && refresh()) sooner(*due);
    }
    return next == TimePoint::max() ? std::nullopt : std::optional(next);
}

bool Session::over() const {
    const bool owes_ack = std::holds_alternative<ReInviting>(parts_.client) || std::holds_alternative<AckOwed>(parts_.client);
    return std::holds_alternative<Over>(parts_.life) && !owes_ack;
}

}  // namespace stox::sip
