#pragma once
// One XMPP user's subscription to one SIP contact. On the XMPP side it lasts until somebody ends it; on the other it is made of
// SUBSCRIBE dialogs that come and go.   (RFC 8048 §5.2)
//
// The dialog layer refreshes, answers challenges and bounds the wait for a NOTIFY; who uses this gives each input and does what
// comes out, in order. There is never more than one dialog: nothing is begun before the end of what was begun last was told.

#include <chrono>
#include <functional>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

namespace stox::presence {

using TimePoint = std::chrono::steady_clock::time_point;

/// Whether the user may see the contact, as far as it was told.
enum class Authorization { pending, granted };

/// What is to be done. What is known of the contact, and what of it was shown, is with whoever does it.
enum class ContactAct {
    queue,              ///< a SUBSCRIBE waits: turn() when it may go
    start_subscribe,    ///< in a new dialog
    start_poll,         ///< the same with Expires: 0
    end_subscribe,      ///< Expires: 0 in the dialog
    tell_subscribed,    ///< to the user, from the contact, both bare
    tell_unsubscribed,  ///< the same
    tell_presence,      ///< what this input says becomes known, and is told
    tell_unavailable,   ///< nothing is known any more: each resource that was shown is withdrawn
    answer_probe,       ///< all that is known is told; if nothing is, what comes next is told whole
    keep,               ///< the authorisation is to outlive the process
    erase,              ///< there is none any more
};

namespace contact {

struct None {};                      ///< no relation; whoever keeps it may let it go
struct Idle {                        ///< no dialog
    std::optional<TimePoint> until;  ///< then a SUBSCRIBE is wanted; none: not before something happens
};
struct Pretended {};   ///< is shown as available without any SUBSCRIBE   (PRES-29)
struct Wanted {};      ///< a SUBSCRIBE waits for its turn
struct PollWanted {};  ///< the same with Expires: 0
struct Trying {};      ///< SUBSCRIBE sent, no NOTIFY yet
struct Pending {};
struct Active {};
struct Polling {};    ///< SUBSCRIBE with Expires: 0 sent
struct Lapsing {};    ///< dialog being ended, for the user is away
struct Leaving {};    ///< dialog being ended, for the user unsubscribed
struct Returning {};  ///< the same, but the user has asked again meanwhile
using State =
    std::variant<None, Idle, Pretended, Wanted, PollWanted, Trying, Pending, Active, Polling, Lapsing, Leaving, Returning>;

struct Subscribe {};
struct Unsubscribe {};
struct Probe {};
struct ProbeInWait {};  ///< a probe while a SUBSCRIBE is not wanted before some time, and who asks may know
struct Online {};
struct Offline {};
struct Due {};
struct Away {};  ///< the user has been offline for long enough
struct Turn {};
struct Pretend {};
struct Withdraw {};
struct Forget {};  ///< nobody has confirmed what the roster alone says, for too long or when there is no room for it
struct NotifiedPending {};
struct NotifiedActive {};
struct PollAnswered {};
struct Redirected {};
// How what was begun ended.
struct Refused {};  ///< for good
struct Dropped {    ///< a SUBSCRIBE is wanted again
    std::chrono::seconds wait;
    bool hides;           ///< what is shown meanwhile would be stale
    bool rarely = false;  ///< nor does a probe ask before
};
struct Settled {};  ///< the state will not change
using Event = std::variant<Subscribe, Unsubscribe, Probe, ProbeInWait, Online, Offline, Due, Away, Turn, Pretend, Withdraw,
                           Forget, NotifiedPending, NotifiedActive, PollAnswered, Redirected, Refused, Dropped, Settled>;

struct Parts {
    Authorization authorization = Authorization::pending;
    /// Granted by the roster's word alone, since then: the contact has not said so yet, or has come to doubt it.
    std::optional<TimePoint> assumed{};
    bool online = false;      ///< the user has an available resource, as far as is known
    bool settled = false;     ///< what was last told stays true
    bool redirected = false;  ///< since the last NOTIFY
    unsigned failures = 0;    ///< in a row: what ended sooner than kQuick is one, too
    TimePoint not_before{};   ///< a SUBSCRIBE is not wanted before
    bool rarely = false;      ///< and a poll neither
    std::optional<TimePoint> started{}, polled{};
    std::optional<TimePoint> away_at{};  ///< then the dialog of an absent user is ended
    State state{};
};

/// There is a subscription, and it has lasted: its end is no further failure.
bool stood(const Parts& parts, TimePoint now);

}  // namespace contact

class ContactRelation {
public:
    using Actions = std::vector<ContactAct>;
    using Below = std::function<unsigned(unsigned bound)>;  ///< a random number under bound

    static constexpr std::chrono::seconds kAway{60};          ///< an absent user's dialog lasts as long
    static constexpr std::chrono::seconds kFirstBackOff{15};  ///< to twice as much; doubled with each failure   (PRES-17)
    static constexpr std::chrono::hours kMostBackOff{1};
    static constexpr std::chrono::seconds kShownFor{60};  ///< what was shown stays for no longer than that without a dialog
    static constexpr std::chrono::seconds kQuick{15};     ///< a subscription that ended sooner is not begun again at once
    static constexpr std::chrono::seconds kPollGap{30};
    static constexpr std::chrono::hours kMostRetryAfter{24};
    // What the roster alone says.
    static constexpr std::chrono::hours kNoPresence{24};   ///< until who has no presence is asked again
    static constexpr std::chrono::hours kNobodyThere{24};  ///< it counts for so long of an address that is not there ...
    static constexpr std::chrono::days kAssumedFor{30};    ///< ... and of any that does not confirm it

    ContactRelation() = default;
    /// As it was kept. Nothing happens before online().
    /// assumed  since when it is granted by the roster's word alone
    explicit ContactRelation(Authorization authorization, std::optional<TimePoint> assumed = {});

    // ---- The XMPP side ----

    void subscribe(TimePoint now, Actions& out);
    void unsubscribe(TimePoint now, Actions& out);
    /// Whoever probes is there.
    void probe(TimePoint now, Actions& out);
    void online(TimePoint now, Actions& out);
    /// No resource of the user is available.
    void offline(TimePoint now, Actions& out);

    // ---- The SIP side ----

    /// value  of Subscription-State
    void notified(std::string_view value, std::string_view reason, std::optional<std::chrono::seconds> retry_after, TimePoint now,
                  const Below& below, Actions& out);
    /// The final response to the first SUBSCRIBE of what was begun; 408 for none, or without a NOTIFY.
    /// can_follow  it names an address that a SUBSCRIBE may go to
    void failed(int status, std::optional<std::chrono::seconds> retry_after, bool can_follow, TimePoint now, const Below& below,
                Actions& out);
    /// It is over, and no NOTIFY said why.
    /// silent  the notifier is; else it knew nothing of the dialog, or that lapsed, or we left it
    void ended(bool silent, TimePoint now, const Below& below, Actions& out);

    // ---- Policy ----

    /// The queue lets it go.
    void turn(TimePoint now, Actions& out);
    /// Instead of a SUBSCRIBE: it is shown as available.
    void pretend(TimePoint now, Actions& out);
    /// No dialog is wanted any more, nothing is shown; until online(). The authorisation stays.
    void withdraw(TimePoint now, Actions& out);
    /// There is no room for it: only of what expendable_since() says so.
    void forget(TimePoint now, Actions& out);
    /// Since when nothing but the roster speaks for it; none: somebody else does, it is shown, or there is a dialog.
    std::optional<TimePoint> expendable_since() const;
    void tick(TimePoint now, Actions& out);
    std::optional<TimePoint> next_timeout() const;

    const contact::State& state() const { return parts_.state; }
    /// All there is of it, for who compares one with another.
    const contact::Parts& parts() const { return parts_; }
    Authorization authorization() const { return parts_.authorization; }
    std::optional<TimePoint> assumed() const { return parts_.assumed; }
    bool is_online() const { return parts_.online; }
    /// How it stands, for whoever looks on.
    enum class Look { waiting, pending, granted, pretended, ending };
    Look look() const;
    bool is_over() const { return std::holds_alternative<contact::None>(parts_.state); }
    /// A SUBSCRIBE, or its dialog, is there.
    bool has_usage() const;
    bool waits_for_turn() const;

private:
    void step(const contact::Event& event, TimePoint now, Actions& out);
    contact::Event ending(std::string_view reason, std::optional<std::chrono::seconds> retry_after, TimePoint now,
                          const Below& below) const;
    contact::Dropped at_once(TimePoint now, const Below& below) const;
    std::chrono::seconds back_off(TimePoint now, const Below& below) const;
    bool is_assumed_for(std::chrono::seconds time, TimePoint now) const {
        return parts_.assumed && now - *parts_.assumed >= time;
    }

    contact::Parts parts_;
};

std::string_view to_string(ContactRelation::Look look);

}  // namespace stox::presence
