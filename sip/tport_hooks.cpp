#include "sip/tport_hooks.h"

#include <sofia-sip/msg_buffer.h>

#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace stox::sip {

namespace {

Type make_type(const char* name) {
    Type type{};
    type.name = name;
    type.kind = tport_type_local;
    type.primary_size = sizeof(ListeningPrimary);
    type.init_primary = BridgeHooks::init_primary;
    type.deinit_primary = BridgeHooks::deinit_primary;
    type.connect = BridgeHooks::connect;
    type.secondary_size = sizeof(Secondary);
    type.init_secondary = BridgeHooks::init_secondary;
    type.deinit_secondary = BridgeHooks::deinit_secondary;
    type.shutdown = BridgeHooks::shut;
    const bool udp = std::string_view(name) == "udp";
    type.wake_primary = udp ? BridgeHooks::ignore_primary : nullptr;
    type.receive = udp ? BridgeHooks::receive_datagram : BridgeHooks::receive_message;
    type.send = udp ? BridgeHooks::send_datagram : BridgeHooks::send_message;
    return type;
}

}  // namespace

bool BridgeHooks::register_types() {
    static const Type types[] = {make_type("udp"), make_type("tcp"), make_type("tls")};
    return std::ranges::all_of(types, [](const Type& type) { return tport_register_type(&type) == 0; });
}

bool BridgeHooks::copy_in(Port488* port, const std::string& octets, bool exact) {
    msg_iovec_t parts[msg_n_fragments]{};
    const auto count = tport_recv_iovec(port, &port->message, parts, octets.size(), exact);
    if (count < 0) return false;
    std::size_t copied = 0;
    for (ssize_t i = 0; i < count; ++i) {
        const auto size = std::min<std::size_t>(parts[i].mv_len, octets.size() - copied);
        std::memcpy(parts[i].mv_base, octets.data() + copied, size);
        copied += size;
    }
    msg_recv_commit(port->message, static_cast<usize_t>(copied), exact);
    return true;
}

ssize_t BridgeHooks::told(int error, TportBridge& bridge, const msg_iovec_t* parts, std::size_t count) {
    errno = error;
    if (error != 0) return -1;
    ++bridge.sent_;
    std::size_t size = 0;
    for (std::size_t i = 0; i < count; ++i) size += parts[i].mv_len;
    return static_cast<ssize_t>(size);
}

const iovec* BridgeHooks::as_iovec(const msg_iovec_t* parts) {
    static_assert(sizeof(msg_iovec_t) == sizeof(iovec));
    return reinterpret_cast<const iovec*>(parts);
}

int make_event() { return ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

}  // namespace stox::sip
