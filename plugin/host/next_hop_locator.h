#pragma once
// Next hops that names stand for, located through the host's name servers or those of `dns_servers`.   (RFC 3263)

#include "net/locator.h"
#include "plugin/config/options.h"
#include "plugin/engine/target.h"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace stox::host {

/// What those listeners let us send by: datagrams leave from a listener of theirs; connections we open ourselves, over TCP and
/// TLS alike, in each family that something listens in.
net::Capabilities sending_capabilities(const std::vector<config::Listener>& bind);

class NextHopLocator {
public:
    using OnLocated = std::function<void(std::vector<engine::Target>, std::string error)>;

    /// errors  unavailable: the resolver cannot be set up
    static Result<std::unique_ptr<NextHopLocator>> open(boost::asio::io_context& loop, const config::EngineOptions& options);

    /// on_located comes once, from the loop and not from inside this call, unless this is destroyed first.
    void locate(const config::NextHop& hop, OnLocated on_located);

private:
    NextHopLocator(boost::asio::io_context& loop, std::unique_ptr<net::Resolver> resolver, net::Capabilities capabilities);

    std::unique_ptr<net::Resolver> resolver_;
    net::Locator locator_;
};

}  // namespace stox::host
