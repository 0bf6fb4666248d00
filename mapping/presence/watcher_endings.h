#pragma once
// What an error of the XMPP side says to those who watch its user.   (PRES-41)

#include "mapping/xmpp/stanza_error.h"

#include <chrono>
#include <optional>
#include <string_view>

namespace stox::presence {

struct WatcherEnding {
    std::string_view reason;                            ///< of Subscription-State: terminated   (RFC 6665 §4.1.3)
    std::optional<std::chrono::seconds> retry_after{};  ///< of it
    bool for_good = true;                               ///< the authorisation is gone as well
};

/// The answer to a subscription request or a probe. What is not listed may pass.
WatcherEnding ending_of(xmpp::Condition condition);

}  // namespace stox::presence
