#pragma once
// What the library hands out, owned. On the SIP thread only, and never let go inside one of its callbacks. Inside sip/ only.

#include "mapping/core/handle.h"

#include <sofia-sip/msg.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/su_alloc.h>
#include <sofia-sip/tport.h>

namespace stox::sip {

using Agent = Handle<nta_agent_t, &nta_agent_destroy>;
using Leg = Handle<nta_leg_t, &nta_leg_destroy>;
using Incoming = Handle<nta_incoming_t, &nta_incoming_destroy>;
using Message = Handle<msg_t, &msg_destroy>;
using Port = Handle<tport_t, &tport_unref>;
using Outgoing = Handle<nta_outgoing_t, &nta_outgoing_destroy>;

/// Memory that the library's writers need for as long as one message is made or copied.
class Home {
public:
    Home() { su_home_init(home_); }
    ~Home() { su_home_deinit(home_); }
    Home(const Home&) = delete;
    Home& operator=(const Home&) = delete;
    su_home_t* get() { return home_; }

private:
    su_home_t home_[1] = {SU_HOME_INIT(home_)};
};

}  // namespace stox::sip
