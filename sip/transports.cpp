#include "sip/transports.h"

#include <sofia-sip/msg_addr.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_tport.h>
#include <sofia-sip/tport.h>
#include <sofia-sip/tport_tag.h>

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace stox::sip {

namespace {

stox::Endpoint to_endpoint(const su_sockaddr_t& address) {
    stox::Endpoint endpoint;
    if (address.su_family == AF_INET6) {
        std::array<std::uint8_t, 16> octets;
        std::copy_n(reinterpret_cast<const std::uint8_t*>(&address.su_sin6.sin6_addr), 16, octets.begin());
        endpoint.address = Address::v6(octets);
    } else {
        std::array<std::uint8_t, 4> octets;
        std::copy_n(reinterpret_cast<const std::uint8_t*>(&address.su_sin.sin_addr), 4, octets.begin());
        endpoint.address = Address::v4(octets);
    }
    endpoint.port = ntohs(address.su_port);
    return endpoint;
}

std::string url_of(Transport transport, const stox::Endpoint& endpoint) {
    return "sip:" + endpoint.to_string() + ";transport=" + std::string(to_string(transport));
}

}  // namespace

Transports::Transports(nta_agent_s* agent) : agent_(agent) {}
Transports::~Transports() = default;

Result<std::unique_ptr<Transports>> Transports::open(boost::asio::io_context&, nta_agent_s* agent,
                                                     const Endpoint::Settings& settings) {
    std::unique_ptr<Transports> transports(new Transports(agent));
    for (const auto& address : settings.listen)
        if (auto opened = transports->listen(address); !opened) return opened.error();
    return transports;
}

Result<void> Transports::listen(const ListenAddress& address) {
    auto url = url_of(address.transport, address.endpoint);
    if (address.endpoint.port == 0) {  // the library's word for any free port
        const auto host = address.endpoint.to_string();
        url = "sip:" + host.substr(0, host.rfind(':')) + ":*;transport=" + std::string(to_string(address.transport));
    }
    if (nta_agent_add_tport(agent_, reinterpret_cast<const url_string_t*>(url.c_str()), TPTAG_SDWN_ERROR(1), TAG_END()) != 0)
        return fail(Code::unavailable,
                    std::string(to_string(address.transport)) + ':' + address.endpoint.to_string() + " cannot be bound");
    return ok();
}

std::vector<ListenAddress> Transports::listening() const {
    std::vector<ListenAddress> listeners;
    for (auto* port = tport_primaries(nta_agent_tports(agent_)); port; port = tport_next(port)) {
        const auto* name = tport_name(port);
        const auto transport = parse_transport(name->tpn_proto);
        const auto address = Address::parse(name->tpn_host);
        if (!transport || !address) continue;
        listeners.push_back({transport.value(), {address.value(), static_cast<std::uint16_t>(std::atoi(name->tpn_port))}});
    }
    return listeners;
}

Origin Transports::origin(nta_incoming_s* transaction) const {
    Origin origin;
    msg_t* packet = nta_incoming_getrequest(transaction);
    origin.source = to_endpoint(*msg_addr(packet));
    if (auto* port = nta_incoming_transport(agent_, transaction, packet)) {
        if (const auto transport = parse_transport(tport_name(port)->tpn_proto)) origin.transport = transport.value();
        tport_unref(port);
    }
    msg_destroy(packet);
    return origin;
}

Way Transports::way(const NextHop& next_hop) { return {url_of(next_hop.transport, next_hop.endpoint), nullptr}; }

}  // namespace stox::sip
