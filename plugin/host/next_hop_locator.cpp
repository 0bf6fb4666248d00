#include "plugin/host/next_hop_locator.h"

#include <algorithm>

namespace stox::host {

namespace {

std::string joined(const std::vector<Endpoint>& servers) {
    std::string text;
    for (const auto& server : servers) text += (text.empty() ? "" : ",") + server.to_string();
    return text;
}

}  // namespace

net::Capabilities sending_capabilities(const std::vector<config::Listener>& bind) {
    const auto has = [&](auto property) { return std::ranges::any_of(bind, property); };
    net::Capabilities able;
    able.ipv4 = has([](const config::Listener& one) { return one.endpoint.address.is_v4(); });
    able.ipv6 = has([](const config::Listener& one) { return !one.endpoint.address.is_v4(); });
    if (!has([](const config::Listener& one) { return one.transport == Transport::udp; }))
        std::erase(able.transports, Transport::udp);
    return able;
}

NextHopLocator::NextHopLocator(boost::asio::io_context& loop, std::unique_ptr<net::Resolver> resolver,
                               net::Capabilities capabilities)
    : resolver_(std::move(resolver)), locator_(loop, *resolver_, std::move(capabilities)) {}

Result<std::unique_ptr<NextHopLocator>> NextHopLocator::open(boost::asio::io_context& loop,
                                                             const config::EngineOptions& options) {
    net::ResolverSettings settings;
    settings.ares.servers = joined(options.dns_servers);
    auto resolver = net::Resolver::open(loop, std::move(settings));
    if (!resolver) return resolver.error();
    return std::unique_ptr<NextHopLocator>(
        new NextHopLocator(loop, std::move(resolver).value(), sending_capabilities(options.bind)));
}

void NextHopLocator::locate(const config::NextHop& hop, OnLocated on_located) {
    net::LocationRequest request;
    request.host = hop.host;
    request.port = hop.port;
    request.transport = hop.transport;
    request.secure = hop.sips;
    locator_.locate(std::move(request), [on_located = std::move(on_located)](Result<std::vector<net::Target>> found) {
        std::vector<engine::Target> targets;
        if (!found) return on_located({}, found.error().detail);
        for (const auto& target : found.value())
            targets.push_back(
                {target.transport, target.endpoint, target.transport == Transport::tls ? target.tls_name : std::string()});
        on_located(std::move(targets), {});
    });
}

}  // namespace stox::host
