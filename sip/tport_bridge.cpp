#include "sip/tport_bridge.h"

#include "sip/edge/socket_address.h"
#include "sip/tport_hooks.h"

#include <sofia-sip/nta.h>
#include <sofia-sip/nta_tport.h>
#include <sofia-sip/su_alloc.h>
#include <sofia-sip/su_string.h>
#include <sofia-sip/tport.h>
#include <sofia-sip/tport_tag.h>

#include <cerrno>
#include <climits>
#include <cstring>

namespace stox::sip {

namespace {

/// Datagrams that wait for delivery, of one listener. All are delivered in the turn in which they came, so this many never come
/// together unless something is stuck.
constexpr std::size_t kWaiting = 4'096;

}  // namespace

TportBridge::TportBridge(nta_agent_s* agent, Network network) : agent_(agent), network_(std::move(network)) {}

/// The transports are the agent's; they only forget us, and send to nobody from now on.
TportBridge::~TportBridge() {
    for (auto& [flow, line] : lines_) line->theirs->line = nullptr;
    for (auto& primary : primaries_)
        if (primary->theirs) primary->theirs->mine = nullptr;
}

Result<std::size_t> TportBridge::add_primary(Transport transport, const stox::Endpoint& name, std::size_t listener) {
    primaries_.push_back(std::make_unique<Primary>(Primary{*this, transport, listener}));
    // The scheme decides which transports nta looks among.
    const auto url =
        (transport == Transport::tls ? "sips:" : "sip:") + name.to_string() + ";transport=" + std::string(to_string(transport));
    BridgeHooks::making = primaries_.back().get();
    const int added = nta_agent_add_tport(agent_, reinterpret_cast<const url_string_t*>(url.c_str()), TPTAG_SDWN_ERROR(1),
                                          TPTAG_IDLE(UINT_MAX), TAG_END());
    BridgeHooks::making = nullptr;
    if (added != 0 || !primaries_.back()->theirs)
        return fail(Code::unavailable, "the SIP stack has no transport for " + url + ": " + std::strerror(errno));
    return primaries_.size() - 1;
}

/// By these names a request that is to leave by one of several alike is told so (NTATAG_TPORT). They would stand in Via, had
/// nta known them when it made those.
void TportBridge::seal() {
    for (std::size_t i = 0; i < primaries_.size(); ++i) {
        auto& port = primaries_[i]->theirs->primary.port;
        port.name.tpn_ident = su_strdup(&port.home, std::to_string(i).c_str());
    }
}

bool TportBridge::datagram(std::size_t primary, const stox::Endpoint& from, std::string_view octets) {
    auto& to = *primaries_.at(primary);
    if (to.waiting.size() >= kWaiting) return false;
    to.waiting.push_back({from, std::string(octets)});
    has_work();
    return true;
}

void TportBridge::unreachable(std::size_t primary, const stox::Endpoint& peer, int error) {
    auto& to = *primaries_.at(primary);
    if (to.waiting.size() >= kWaiting || error == 0) return;
    to.waiting.push_back({peer, {}, error});
    has_work();
}

Result<tport_s*> TportBridge::open(Flow flow, std::size_t primary, const stox::Endpoint& peer) {
    auto& on = *primaries_.at(primary);
    const int event = make_event();
    if (event < 0) return fail(Code::unavailable, "no descriptor for a connection");
    const char* reason = nullptr;
    auto* port = tport_alloc_secondary(&on.theirs->primary, event, 1, &reason);  // it closes `event` when it fails
    if (!port) return fail(Code::unavailable, "no transport for a connection");

    SocketAddress address(peer);
    su_addrinfo_t info = on.theirs->primary.port.address_info;
    info.ai_addr = address.get();
    info.ai_addrlen = address.size;
    info.ai_family = family_of(peer.address);
    info.ai_canonname = nullptr;
    const auto protocol = on.theirs->primary.port.name.tpn_proto;
    if (tport_setname(port, protocol, &info, nullptr) < 0 ||
        tport_register_secondary(port, &BridgeHooks::ignore_secondary, SU_WAIT_IN) < 0) {
        tport_zap_secondary(port);
        return fail(Code::unavailable, "no transport for a connection");
    }
    port->connection_oriented = 1;
    port->connected = 1;
    auto line = std::make_unique<Line>(Line{*this, flow});
    line->theirs = as_secondary(port);
    as_secondary(port)->line = line.get();
    lines_.emplace(flow, std::move(line));
    return as_tport(port);
}

void TportBridge::message(Flow flow, std::string text) {
    const auto found = lines_.find(flow);
    if (found == lines_.end()) return;
    found->second->waiting.push_back(std::move(text));
    has_work(*found->second);
}

void TportBridge::closed(Flow flow) {
    const auto found = lines_.find(flow);
    if (found == lines_.end()) return;
    found->second->closed = true;
    has_work(*found->second);
}

void TportBridge::has_work() {
    if (!std::exchange(waiting_, true)) network_.waiting();
}

void TportBridge::has_work(Line& line) {
    if (!std::exchange(line.busy, true)) busy_.push_back(line.flow);
    has_work();
}

void TportBridge::deliver() {
    waiting_ = false;
    for (auto& primary : primaries_)
        if (!primary->waiting.empty()) BridgeHooks::deliver_datagrams(*primary);
    for (const auto flow : std::exchange(busy_, {}))
        if (const auto found = lines_.find(flow); found != lines_.end()) BridgeHooks::deliver_messages(*found->second);
}

tport_s* TportBridge::primary(std::size_t number) const { return as_tport(&primaries_.at(number)->theirs->primary.port); }

tport_s* TportBridge::port(Flow flow) const {
    const auto found = lines_.find(flow);
    return found == lines_.end() || found->second->closed ? nullptr : as_tport(&found->second->theirs->port);
}

Flow TportBridge::flow(const tport_s* port) {
    if (!tport_is_secondary(port)) return Flow::none;
    const auto* line = reinterpret_cast<const Secondary*>(port)->line;
    return line ? line->flow : Flow::none;
}

bool TportBridge::in_use(Flow flow) const {
    const auto found = lines_.find(flow);
    return found != lines_.end() && su_home_refcount(&found->second->theirs->port.home) > 1;
}

}  // namespace stox::sip
