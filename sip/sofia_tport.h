#pragma once
// How the library lays out its transports and which of its exported functions work on them. Its public headers do not say so; the
// version that Debian 12 ships is what it was taken from, and check_library() refuses any other. Only what is used has a name.
// Inside sip/ only.

#include <sofia-sip/msg_addr.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/su_alloc.h>
#include <sofia-sip/su_wait.h>
#include <sofia-sip/tport.h>

#include <cstddef>

namespace stox::sip {

struct Primary592;

struct Port488 {
    su_home_t home;
    unsigned accepted : 1;
    unsigned connection_oriented : 1;
    unsigned has_connection : 1;
    unsigned reusable : 1;
    unsigned closed : 1;
    unsigned receive_closed : 2;
    unsigned send_closed : 2;
    unsigned unused_flags : 3;
    unsigned connected : 1;
    unsigned more_unused_flags : 3;
    void* in_tree[3];
    void* master;
    Primary592* primary;
    void* parameters;
    void* owner_data;
    void* timer;
    su_time_t keepalive_times[2];
    tp_name_t name;
    void* subjects;
    su_socket_t socket;
    int registration;
    int events;
    su_addrinfo_t address_info;
    su_sockaddr_t address;
    msg_t* message;  ///< begun and not complete
    unsigned char rest[200];
};

struct Primary592 {
    Port488 port;
    void const* type;
    int kind;
    void* list[3];
    unsigned updating : 1;
    unsigned natted : 1;
    unsigned has_tls : 1;
    void* stun;
    unsigned parameters[12];
};

static_assert(sizeof(Port488) == 488 && sizeof(Primary592) == 592);

/// A kind of transport: its functions; null ones have a default. The order is the library's.
struct Type {
    char const* name;
    int kind;
    std::size_t primary_size;
    int (*init_primary)(Primary592*, tp_name_t*, su_addrinfo_t*, tagi_t const*, char const** culprit);
    void (*deinit_primary)(Primary592*);
    int (*wake_primary)(Primary592*, int events);
    tport_t* (*connect)(Primary592*, su_addrinfo_t*, tp_name_t const*);
    std::size_t secondary_size;
    int (*init_secondary)(Port488*, int socket, int accepted, char const** reason);
    void (*deinit_secondary)(Port488*);
    void (*shutdown)(Port488*, int how);
    void* set_events;
    void* wake;
    int (*receive)(Port488*);
    ssize_t (*send)(Port488 const*, msg_t*, msg_iovec_t*, std::size_t);
    void* unused[6];
};

extern "C" {
extern Type const tport_tcp_vtable, tport_udp_vtable;
int tport_register_type(Type const*);
Port488* tport_alloc_secondary(Primary592*, int socket, int accepted, char const** reason);
int tport_setname(Port488*, char const* protocol, su_addrinfo_t const*, char const* canonical);
int tport_register_secondary(Port488*, su_wakeup_f, int events);
void tport_zap_secondary(Port488*);
void tport_close(Port488*);
void tport_recv_event(Port488*);
ssize_t tport_recv_iovec(Port488 const*, msg_t**, msg_iovec_t*, std::size_t size, int exact);
void tport_error_report(Port488*, int error, su_sockaddr_t const*);
}

inline tport_t* as_tport(Port488* port) { return reinterpret_cast<tport_t*>(port); }

}  // namespace stox::sip
