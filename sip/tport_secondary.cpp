// A secondary transport: a connection of the edge's, as the library sees it.

#include "sip/tport_hooks.h"

#include <sofia-sip/msg_addr.h>

#include <sys/uio.h>

#include <cerrno>
#include <utility>

namespace stox::sip {

int BridgeHooks::init_secondary(Port488* port, int, int, char const**) noexcept {
    port->has_connection = 1;
    return 0;
}

void BridgeHooks::deinit_secondary(Port488* port) noexcept { unlink(port); }
void BridgeHooks::shut(Port488* port, int) noexcept { unlink(port); }

void BridgeHooks::unlink(Port488* port) {
    auto* line = std::exchange(as_secondary(port)->line, nullptr);
    if (!line) return;
    auto& bridge = line->bridge;
    const auto flow = line->flow;
    bridge.lines_.erase(flow);
    bridge.network_.finish(flow);
}

/// The line may be gone afterwards.
void BridgeHooks::deliver_messages(TportBridge::Line& line) {
    line.busy = false;
    auto* port = &line.theirs->port;
    auto* kept = tport_ref(as_tport(port));
    while (const auto* left = as_secondary(port)->line) {
        if (left->waiting.empty()) {
            if (left->closed) tport_close(port);
            break;
        }
        tport_recv_event(port);
        // Either it wants to read no more from there, or it sees another end of the message than our framing does.
        if (!port->closed && (port->receive_closed || port->message)) tport_close(port);
    }
    tport_unref(kept);
}

int BridgeHooks::receive_message(Port488* port) noexcept {
    auto* line = as_secondary(port)->line;
    if (!line || line->waiting.empty()) return 1;
    const auto text = std::move(line->waiting.front());
    line->waiting.pop_front();
    if (!copy_in(port, text, false)) return errno = ENOMEM, -1;
    msg_set_address(port->message, &port->address, static_cast<socklen_t>(port->address_info.ai_addrlen));
    return 1;
}

ssize_t BridgeHooks::send_message(Port488 const* port, msg_t*, msg_iovec_t* parts, std::size_t count) noexcept {
    auto* line = as_secondary(port)->line;
    if (!line || line->closed) return errno = EPIPE, -1;
    auto& bridge = line->bridge;  // the line may be gone afterwards
    return told(bridge.network_.write(line->flow, as_iovec(parts), count), bridge, parts, count);
}

}  // namespace stox::sip
