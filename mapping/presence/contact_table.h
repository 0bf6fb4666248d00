#pragma once
// The table behind ContactRelation.

#include "mapping/presence/contact_relation.h"

namespace stox::presence::contact {

struct Scope {
    Parts& parts;
    TimePoint now;
    std::vector<ContactAct>& out;

    void act(ContactAct action) { out.push_back(action); }
};

/// false: nothing is to be done with this event now.
bool step(Scope& scope, const Event& event);

}  // namespace stox::presence::contact
