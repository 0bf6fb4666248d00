#pragma once
// The table behind Notifier.

#include "mapping/sip/notifier.h"

namespace stox::sip::notifier {

struct Scope {
    Parts& parts;
    Context& context;
    template <class One>
    void act(One&& action) {
        context.act(std::forward<One>(action));
    }
};

Response make_response(const Parts& parts, int status);
/// false: nothing is to be done with this event now.
bool step(Scope& scope, const Event& event);

}  // namespace stox::sip::notifier
