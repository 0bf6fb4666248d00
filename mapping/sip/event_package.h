#pragma once
// Event and Subscription-State: what is subscribed to, and how the subscription stands.   (RFC 6665 §8.2)

#include "mapping/core/result.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace stox::sip {

/// Two are the same subscription inside a dialog when both parts are equal, octet for octet.   (RFC 6665 §8.2.1)
struct EventPackage {
    std::string name;  ///< "presence", "refer", "conference" ...
    std::string id{};  ///< empty: none

    /// errors  malformed: no Event, or none that can be read (489)
    static Result<EventPackage> read(const std::string* value);
    std::string to_string() const;
    friend bool operator==(const EventPackage&, const EventPackage&) = default;
};

enum class SubscriptionPhase { pending, active, terminated };

struct SubscriptionState {
    SubscriptionPhase phase = SubscriptionPhase::active;
    std::optional<std::chrono::seconds> expires{};      ///< left; without meaning when terminated
    std::string reason{};                               ///< of terminated: "rejected", "timeout", "deactivated" ...; may be empty
    std::optional<std::chrono::seconds> retry_after{};  ///< of terminated

    /// A phase nobody knows is active: an extension of it.   errors  malformed: absent or unreadable (400)
    static Result<SubscriptionState> read(const std::string* value);
    std::string to_string() const;
    friend bool operator==(const SubscriptionState&, const SubscriptionState&) = default;
};

}  // namespace stox::sip
