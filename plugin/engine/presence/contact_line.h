#pragma once
// Whether a watched contact is on the phone, from a second subscription beside that to its presence.   (RFC 4235, option
// presence.on_the_phone)
//
// It lasts as long as the first one stands, is refreshed and tried again by the same rules, and tells its user nothing by itself:
// who is on the phone is shown as dnd.

#include "mapping/presence/contact_relation.h"
#include "mapping/presence/dialog_info.h"
#include "mapping/sip/dialog_action.h"

#include <cstdint>

namespace stox::engine {

struct ContactLine {
    /// In the queue of SUBSCRIBEs it stands as the contact's number with this.
    static constexpr std::uint64_t kTurn = std::uint64_t{1} << 63;

    presence::ContactRelation relation{presence::Authorization::granted};
    presence::DialogList dialogs{};
    sip::UsageKey usage = sip::UsageKey::none;
    bool wanted = false;  ///< the first subscription stands
};

}  // namespace stox::engine
