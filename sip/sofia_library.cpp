#include "sip/sofia_library.h"

#include <sofia-sip/msg_addr.h>
#include <sofia-sip/su.h>
#include <sofia-sip/su_log.h>
#include <sofia-sip/su_wait.h>
#include <sofia-sip/tport.h>

extern "C" {  // this one header of the library does not say so itself
#include <sofia-sip/tport_plugins.h>
}

#include <mutex>

namespace stox::sip {

namespace {

// A STUN server that stays silent: Sofia would otherwise answer binding requests from anybody on the SIP port.
// Without a server object the library answers with an error of its own, so there is one; nobody looks into it.
char no_server;
tport_stun_server_t* create_silent(su_root_t*, tagi_t const*) { return reinterpret_cast<tport_stun_server_t*>(&no_server); }
void destroy_silent(tport_stun_server_t*) {}
int ignore_socket(tport_stun_server_t*, su_socket_t) { return 0; }
void ignore_request(tport_stun_server_t*, su_socket_t, void*, ssize_t, void*, socklen_t) {}

// The library accepts only a table whose declared size is larger than the structure's.
const tport_stun_server_vtable_t kSilentStun = {static_cast<int>(sizeof(tport_stun_server_vtable_t)) + 1,
                                                create_silent,
                                                destroy_silent,
                                                ignore_socket,
                                                ignore_socket,
                                                ignore_request};

void discard_log(void*, char const*, va_list) {}

}  // namespace

void init_sofia() {
    static std::once_flag once;
    std::call_once(once, [] {
        su_init();
        su_log_redirect(nullptr, discard_log, nullptr);
        tport_plug_in_stun_server(&kSilentStun);
    });
}

}  // namespace stox::sip
