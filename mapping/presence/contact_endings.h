#pragma once
// How a SUBSCRIBE of ours, or what it made, came to its end, and what follows for the watcher.
// (docs/spec table 2.4, PRES-15 to PRES-17; RFC 8048 §5.2.2 leaves all but "rejected" to RFC 6665)

#include <chrono>
#include <optional>
#include <string_view>

namespace stox::presence {

/// What a final response to a SUBSCRIBE says about the authorisation.
enum class Failure {
    refused,      ///< for good: the watcher must ask again
    unable,       ///< no presence there: the same, unless the contact is known to have agreed before
    absent,       ///< nobody there: for good while nothing was granted, else for a while
    lost,         ///< the dialog is: a new one is wanted at once
    credentials,  ///< ours do not do
    moved,        ///< another address is named
    transient,
};

/// status  a final one, 300 to 699; 408 when nobody answered or no NOTIFY came
Failure failure_of(int status);

/// What is to be done after a NOTIFY that ended the subscription.
struct Ending {
    enum class Follow {
        refused,   ///< nothing, for good: the watcher must ask again
        at_once,   ///< SUBSCRIBE again
        later,     ///< SUBSCRIBE again after what the notifier says, or `wait`
        back_off,  ///< the same, but without a word of the notifier longer each time
        settled,   ///< nothing: the state will not change
    } follow = Follow::back_off;
    std::chrono::seconds wait{0};

    friend bool operator==(const Ending&, const Ending&) = default;
};

/// reason  of Subscription-State; empty or unknown: there was none
Ending ending_of(std::string_view reason);

/// Subscription-State as it concerns who is authorised.
enum class Standing { pending, active, terminated };

/// value       of the header, readable
/// ever_active  what a token that nobody knows counts as, then: active, else pending   (PRES-T11)
Standing standing_of(std::string_view value, bool ever_active);

}  // namespace stox::presence
