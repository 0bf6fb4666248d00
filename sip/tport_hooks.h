#pragma once
// What stands behind the library's transports: its structures with ours after them, what waits for it, and the functions it
// calls. Inside sip/ only.

#include "mapping/core/endpoint.h"
#include "sip/sofia_tport.h"
#include "sip/tport_bridge.h"

#include <deque>
#include <string>

namespace stox::sip {

/// Ours behind theirs: the library allocates as much as a type says, zeroed.
struct Secondary {
    Port488 port;
    TportBridge::Line* line;  ///< null: the bridge knows it no more
};
struct ListeningPrimary {
    Primary592 primary;
    TportBridge::Primary* mine;
};

inline Secondary* as_secondary(Port488 const* port) { return reinterpret_cast<Secondary*>(const_cast<Port488*>(port)); }

/// A descriptor for the library's loop to watch.
int make_event();

struct TportBridge::Primary {
    struct Record {
        stox::Endpoint peer;
        std::string octets;
        int error = 0;  ///< what was sent to `peer` did not arrive
    };

    TportBridge& bridge;
    Transport transport;
    std::size_t listener;
    ListeningPrimary* theirs = nullptr;
    std::deque<Record> waiting{};
};

struct TportBridge::Line {
    TportBridge& bridge;
    Flow flow;
    Secondary* theirs = nullptr;
    std::deque<std::string> waiting{};
    bool busy = false;  ///< listed in TportBridge::busy_
    bool closed = false;
};

/// What the library calls, and what more than one of those functions does. May reach into the bridge.
struct BridgeHooks {
    /// Ours are found before the library's own of the same name.
    static bool register_types();

    /// The primary that is being made; the library has no way to hand it to init_primary.
    inline static thread_local TportBridge::Primary* making = nullptr;

    // Listeners: tport_primary.cpp
    static int init_primary(Primary592* primary, tp_name_t*, su_addrinfo_t*, tagi_t const*, char const** culprit) noexcept;
    static void deinit_primary(Primary592* primary) noexcept;
    static int ignore_primary(Primary592*, int) noexcept { return 0; }
    static void deliver_datagrams(TportBridge::Primary& mine);
    static int receive_datagram(Port488* port) noexcept;
    static ssize_t send_datagram(Port488 const* port, msg_t* message, msg_iovec_t* parts, std::size_t count) noexcept;
    static tport_t* connect(Primary592*, su_addrinfo_t*, tp_name_t const*) noexcept;

    // Connections: tport_secondary.cpp
    static int init_secondary(Port488* port, int, int, char const**) noexcept;
    static void deinit_secondary(Port488* port) noexcept;
    static void shut(Port488* port, int) noexcept;
    static void unlink(Port488* port);
    static int ignore_secondary(su_root_magic_t*, su_wait_t*, su_wakeup_arg_t*) noexcept { return 0; }
    static void deliver_messages(TportBridge::Line& line);
    static int receive_message(Port488* port) noexcept;
    static ssize_t send_message(Port488 const* port, msg_t*, msg_iovec_t* parts, std::size_t count) noexcept;

    // Both: tport_hooks.cpp
    /// Copies one message into a fresh one of the library's. One that is over its limit is cut there and then refused.
    static bool copy_in(Port488* port, const std::string& octets, bool exact);
    /// What the library wants to hear of a message that was given to the network: its size, or -1 and why.
    static ssize_t told(int error, TportBridge& bridge, const msg_iovec_t* parts, std::size_t count);
    static const iovec* as_iovec(const msg_iovec_t* parts);
};

}  // namespace stox::sip
