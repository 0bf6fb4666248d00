// Whether the library is the one that sofia_tport.h describes.

#include "sip/edge/socket_address.h"
#include "sip/guard.h"
#include "sip/sofia_handles.h"
#include "sip/tport_bridge.h"
#include "sip/tport_hooks.h"

#include <sofia-sip/nta.h>
#include <sofia-sip/su_wait.h>

#include <sys/uio.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace stox::sip {

namespace {

using Root = Handle<su_root_t, &su_root_destroy>;

constexpr Flow kSelfCallFlow{1};

/// A request that lacks most headers: answered 400 by nta itself, with what the transports made of our address in it.
std::string odd_request(std::string_view transport) {
    return "OPTIONS sip:self.invalid SIP/2.0\r\nVia: SIP/2.0/" + std::string(transport) +
           " self.invalid;branch=z9hG4bKself;rport\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
}

void append(std::string& to, const iovec* parts, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) to.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
}

/// Equal sizes do not prove an equal layout: so one request goes through each kind of transport, before any from outside.
bool call_itself() {
    Root root(su_root_create(nullptr));
    if (!root) return false;
    su_root_threading(root.get(), 0);
    Agent agent(nta_agent_create(root.get(), reinterpret_cast<const url_string_t*>(-1), nullptr, nullptr,
                                 NTATAG_MCLASS(guarded_messages()), NTATAG_SERVER_RPORT(1), TAG_END()));
    if (!agent) return false;
    const stox::Endpoint self{Address::v4({192, 0, 2, 1}), 5060}, peer{Address::v4({192, 0, 2, 2}), 5070};
    std::string by_udp, by_tcp;
    stox::Endpoint udp_target;
    bool finished = false;
    TportBridge bridge(agent.get(), {[&](std::size_t, const stox::Endpoint& to, const iovec* parts, std::size_t count) {
                                         udp_target = to;
                                         append(by_udp, parts, count);
                                         return 0;
                                     },
                                     [&](Flow flow, const iovec* parts, std::size_t count) {
                                         if (flow == kSelfCallFlow) append(by_tcp, parts, count);
                                         return 0;
                                     },
                                     [&](Flow flow) { finished = flow == kSelfCallFlow; }, [] {}});
    const auto udp = bridge.add_primary(Transport::udp, self, 0), tcp = bridge.add_primary(Transport::tcp, self, 1);
    if (!udp || !tcp) return false;
    bridge.seal();
    if (!bridge.open(kSelfCallFlow, tcp.value(), peer)) return false;
    if (TportBridge::flow(bridge.port(kSelfCallFlow)) != kSelfCallFlow || bridge.in_use(kSelfCallFlow)) return false;
    bridge.datagram(udp.value(), peer, odd_request("UDP"));
    bridge.message(kSelfCallFlow, odd_request("TCP"));
    bridge.deliver();
    constexpr int kTurns = 16;
    for (int i = 0; i < kTurns; ++i) su_root_step(root.get(), 0);
    bridge.deliver();

    const auto good = [](const std::string& answer) {
        return answer.starts_with("SIP/2.0 400 ") && answer.find("received=192.0.2.2") != answer.npos &&
               answer.find("rport=5070") != answer.npos;
    };
    return good(by_udp) && good(by_tcp) && udp_target == peer && finished && !bridge.port(kSelfCallFlow);
}

Result<void> check_sizes(const LibraryLayout& layout) {
    if (layout.primary == sizeof(Primary592) && layout.secondary == sizeof(Port488)) return ok();
    return fail(Code::unavailable, "this Sofia-SIP library is not the one stox was written for: its transports have " +
                                       std::to_string(layout.primary) + " and " + std::to_string(layout.secondary) +
                                       " octets, not 592 and 488. Install libsofia-sip-ua0 1.12.11+20110422 of Debian 12");
}

Result<void> check_once() {
    if (auto sizes = check_sizes({tport_tcp_vtable.primary_size, tport_tcp_vtable.secondary_size}); !sizes) return sizes;
    if (auto sizes = check_sizes({tport_udp_vtable.primary_size, tport_udp_vtable.secondary_size}); !sizes) return sizes;
    if (BridgeHooks::register_types() && call_itself()) return ok();
    return fail(Code::unavailable,
                "this Sofia-SIP library is not the one stox was written for: a call to itself failed. Install libsofia-sip-ua0 "
                "1.12.11+20110422 of Debian 12");
}

}  // namespace

Result<void> check_library(const std::optional<LibraryLayout>& layout) {
    if (layout)
        if (auto sizes = check_sizes(*layout); !sizes) return sizes;
    static const Result<void> checked = check_once();
    return checked;
}

}  // namespace stox::sip
