#pragma once
// The table behind Subscriber.

#include "mapping/sip/subscriber.h"

namespace stox::sip::subscriber {

struct Scope {
    Parts& parts;
    Context& context;
    template <class One>
    void act(One&& action) {
        context.act(std::forward<One>(action));
    }
};

/// Sends parts.request as it stands, the first time or again after a refusal that can be healed.
void send_first(Scope& scope);
/// false: nothing is to be done with this event now.
bool step(Scope& scope, const Event& event);

}  // namespace stox::sip::subscriber
