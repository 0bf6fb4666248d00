#pragma once
// Where modules come to a worker that is a service of its own.

#include "plugin/host/acceptor.h"
#include "plugin/host/service_access.h"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <string>

namespace stox::host {

class ControlSocket {
public:
    struct Events {
        /// The descriptor is valid during the call.
        std::function<void(int connection, uid_t user)> arrived;
        std::function<void(std::string why)> refused;  ///< somebody who may not; for the log
    };

    /// listener  a unix socket that listens; a duplicate of it is used
    ControlSocket(boost::asio::io_context& loop, int listener, ServiceAccess access, Events events);

private:
    void take(int connection) const;

    ServiceAccess access_;
    Events events_;
    Acceptor acceptor_;
};

}  // namespace stox::host
