#pragma once
// The checks every SIP request passes before it changes anything, in the order of RFC 3261 §8.2.   (CORE-80)

#include "plugin/engine/engine.h"

#include <optional>
#include <string>

namespace stox::engine {

struct Refusal {
    sip::Response response;
    std::string why;        ///< for the operator
    bool security = false;  ///< worth a line that fail2ban may match
    bool counts = false;    ///< towards a ban of the source
};

/// Null: the request of a peer's, outside any dialog, may go on. may_speak: whether that peer may speak for its author.
/// The merged-request check (482) is deliver_to_xmpp's: it needs memory.
/// no_user: what a request without a user in its target gets.   (CORE-34)
std::optional<Refusal> check_request(const sip::Request& request, bool may_speak, int no_user = 404);

/// The same for a request in a dialog, or for one that claims to be: whom its dialog is with is the dialog layer's to say.
/// What no such dialog is there for gets 481.
std::optional<Refusal> check_inside(const sip::Request& request, bool has_dialog);

/// 405 with its Allow.
sip::Response not_served();
/// What a 200 to OPTIONS tells: Allow and Accept.
sip::Response capabilities();
/// 415 with its Accept and Accept-Encoding.   (CORE-58)
sip::Response unsupported_media();

/// That nothing can be taken now: 503 for proxies and trunks, 480 for a phone; with Retry-After.   (contract: link down)
sip::Response try_later(config::PeerKind kind, unsigned retry_after_s);

}  // namespace stox::engine
