#pragma once
// The table behind InviteClient.

#include "mapping/sip/invite_client.h"

namespace stox::sip::invite_client {

struct Scope {
    Parts& parts;
    Context& context;
    template <class One>
    void act(One&& action) {
        context.act(std::forward<One>(action));
    }
};

constexpr std::size_t kMaxForks = 16;

/// Sends the INVITE of parts.request under a new key.
void send_invite(Scope& scope);
/// Whether that 2xx can have a dialog: one of 16 forks, with an address to send its ACK to.
bool can_hold(const Parts& parts, const Response& success);
/// The early or confirmed dialog of that response, made when it is new. A 2xx takes the place of
/// an early one when there are 16. null: no dialog.
Fork* fork_of(Scope& scope, const Response& response);
/// The ACK, once per 2xx that comes.
void send_ack(Scope& scope, Fork& fork, const Description& answer);
/// false: nothing is to be done with this event now.
bool step(Scope& scope, const Event& event);

}  // namespace stox::sip::invite_client
