#pragma once
// One SIP contact's subscription to one XMPP user. Whether the contact may see the user is between the user and us, and lasts;
// the SUBSCRIBE dialogs of the contact's phones come and go.   (RFC 8048 §5.3)
//
// The dialog layer answers refreshes and bounds lifetimes; who uses this gives each input and does what comes out, in order. What
// is known of the user is with whoever does it: this says when it is told.

#include "mapping/core/utc_time.h"
#include "mapping/presence/watcher_endings.h"
#include "mapping/sip/dialog_action.h"

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace stox::presence {

using TimePoint = std::chrono::steady_clock::time_point;

namespace watcher {

// ---- What is to be done ----

/// The first NOTIFY of a subscription: without a document while it is pending, or nothing is known.   (PRES-31, PRES-35)
struct Grant {
    sip::UsageKey usage;
    bool active = false;
};
/// What that subscription stands for is told anew.   (PRES-36)
struct Repeat {
    sip::UsageKey usage;
    bool active = false;
};
/// A poll whose answer has to be found out is answered 200, and its NOTIFY follows with Answer.
struct Accept {
    sip::UsageKey poll;
};
/// The one NOTIFY of a poll: terminated for time, and the document if one is known.   (PRES-40)
struct Answer {
    sip::UsageKey poll;
    bool tells = false;  ///< what is known; else nothing, as to everybody who may see nothing
};
/// To all subscriptions: what is known now, in one document.
struct Publish {};
/// Active from now on, to all subscriptions; with a document if one is known.
struct Activate {};
/// The last NOTIFY of that subscription.
struct Terminate {
    sip::UsageKey usage;
    std::string_view reason;
    std::optional<std::chrono::seconds> retry_after{};
};
/// The last word of one that ended by itself: the user is shown as closed.   (PRES-37)
struct SayClosed {
    sip::UsageKey usage;
};
struct AskUser {};          ///< `subscribe` to the user, from the contact, both bare
struct ProbeUser {};        ///< `probe`, the same
struct TellUnavailable {};  ///< the contact to the user, unless it is shown to be there otherwise   (PRES-37, PRES-39)
struct Keep {};             ///< the authorisation is to outlive the process
struct Erase {};            ///< there is none any more
using Act = std::variant<Grant, Repeat, Accept, Answer, Publish, Activate, Terminate, SayClosed, AskUser, ProbeUser,
                         TellUnavailable, Keep, Erase>;

// ---- States and events ----

struct None {};  ///< nobody was asked; whoever keeps the relation may let it go
struct Asked {   ///< the user has not answered
    UtcTime at{};
};
struct Granted {};
struct Refused {  ///< the user said no, and is not asked again before that time
    UtcTime until{};
};
using State = std::variant<None, Asked, Granted, Refused>;

struct Watch {
    sip::UsageKey usage;
    UtcTime utc;
};
struct Poll {
    sip::UsageKey usage;
};
struct Refreshed {
    sip::UsageKey usage;
    UtcTime utc;
};
struct Left {  ///< a subscription ended by itself or by the contact
    sip::UsageKey usage;
    bool wants_word;  ///< and a last NOTIFY is owed
};
struct Approved {};
struct Denied {
    UtcTime utc;
};
// An error answered what we sent.
struct Failed {  ///< for good
    WatcherEnding ending;
};
struct Interrupted {  ///< it may pass
    WatcherEnding ending;
};
struct Told {};        ///< more is known of the user
struct PublishDue {};  ///< of what was held back
struct ProbeDue {};    ///< nothing came by itself
struct PollDue {
    sip::UsageKey poll;
};
struct StreamLost {};
struct StreamBack {};
struct GaveUp {};     ///< the user never answered, or said no long ago, and nobody waits
struct Forgotten {};  ///< that they said no
struct Dropped {      ///< what was said holds no more, and nobody has said no: the next SUBSCRIBE asks
    std::string_view reason;
};
using Event = std::variant<Watch, Poll, Refreshed, Left, Approved, Denied, Failed, Interrupted, Told, PublishDue, ProbeDue,
                           PollDue, StreamLost, StreamBack, GaveUp, Forgotten, Dropped>;

struct Parts {
    std::set<sip::UsageKey> watching{};
    std::map<sip::UsageKey, TimePoint> polls{};  ///< accepted, with the time of their answer
    bool stream_up = false;
    bool known = false;                     ///< the user's state, since the stream is up
    bool unsent = false;                    ///< the question waits for the stream
    std::optional<TimePoint> ask_after{};   ///< it did not reach the user, and may after that
    std::optional<TimePoint> published{};   ///< the latest document that was no subscription's first
    std::optional<TimePoint> publish_at{};  ///< something is held back until then
    std::optional<TimePoint> probe_at{};
    std::optional<TimePoint> probed{};
    std::optional<TimePoint> give_up_at{};  ///< the question, or the answer no
    State state{};
};

}  // namespace watcher

class WatcherRelation {
public:
    using Actions = std::vector<watcher::Act>;

    static constexpr std::chrono::seconds kGap{5};            ///< between two documents about one user   (PRES-92)
    static constexpr std::chrono::milliseconds kGather{200};  ///< the resources of a user tell one after the other
    static constexpr std::chrono::seconds kProbeAfter{1};     ///< an approval without presence   (PRES-33)
    static constexpr std::chrono::seconds kProbeGap{30};
    static constexpr std::chrono::seconds kPollAnswer{2};  ///< PRES-40
    static constexpr std::chrono::seconds kAskAfterFailure{300};
    static constexpr std::chrono::days kAskAgain{1};     ///< PRES-32
    static constexpr std::chrono::days kPendingFor{30};  ///< PRES-43
    static constexpr std::chrono::days kRefusedFor{1};   ///< a phone that asks again and again is not the user's to answer

    explicit WatcherRelation(bool stream_up) { parts_.stream_up = stream_up; }
    /// As it was kept, without subscriptions.
    WatcherRelation(watcher::State kept, bool stream_up, TimePoint now, UtcTime utc);

    // ---- The SIP side ----

    void watch(sip::UsageKey usage, TimePoint now, UtcTime utc, Actions& out);
    void poll(sip::UsageKey usage, TimePoint now, Actions& out);
    void refreshed(sip::UsageKey usage, TimePoint now, UtcTime utc, Actions& out);
    /// A subscription is over: left or lapsed, so that a last word is owed, or refused by the contact. Also of one that this
    /// ended.
    void ended(sip::UsageKey usage, bool wants_word, TimePoint now, Actions& out);

    // ---- The XMPP side ----

    void approved(TimePoint now, Actions& out);
    void denied(TimePoint now, UtcTime utc, Actions& out);
    /// A server takes back what was granted, or what was said is to be forgotten: nobody has said no, and who comes again asks.
    /// reason   that subscriptions end for
    void dropped(std::string_view reason, TimePoint now, Actions& out);
    /// An error answered the question or the probe.
    void failed(xmpp::Condition condition, TimePoint now, Actions& out);
    /// Presence of a resource of the user: false, it may not be shown, so do not keep it.
    bool told(TimePoint now, Actions& out);
    void stream_lost(TimePoint now, Actions& out);
    void stream_back(TimePoint now, Actions& out);

    void tick(TimePoint now, Actions& out);
    std::optional<TimePoint> next_timeout() const;

    const watcher::State& state() const { return parts_.state; }
    /// All there is of it, for who compares one with another.
    const watcher::Parts& parts() const { return parts_; }
    bool is_refused() const { return std::holds_alternative<watcher::Refused>(parts_.state); }
    bool is_granted() const { return std::holds_alternative<watcher::Granted>(parts_.state); }
    /// Since when the user has been asked; nothing: they have answered, or nobody asked.
    std::optional<UtcTime> asked() const;
    /// The same, or since when they have said no: the contact may not see them.
    std::optional<UtcTime> stranger_since() const;
    /// What was told stands for what is.
    bool is_known() const { return parts_.known; }
    const std::set<sip::UsageKey>& watching() const { return parts_.watching; }
    /// Nothing is left that anybody would have to remember.
    bool is_over() const {
        return std::holds_alternative<watcher::None>(parts_.state) && parts_.watching.empty() && parts_.polls.empty();
    }

private:
    void step(const watcher::Event& event, TimePoint now, Actions& out);
    /// A day after they said no, who waits may ask.
    void forget_refusal(TimePoint now, UtcTime utc, Actions& out);

    watcher::Parts parts_;
};

}  // namespace stox::presence
