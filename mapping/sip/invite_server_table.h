#pragma once
// The table behind InviteServer.

#include "mapping/sip/invite_server.h"

namespace stox::sip::invite_server {

struct Scope {
    Parts& parts;
    Context& context;
    template <class One>
    void act(One&& action) {
        context.act(std::forward<One>(action));
    }
};

/// false: nothing is to be done with this event now.
bool step(Scope& scope, const Event& event);

}  // namespace stox::sip::invite_server
