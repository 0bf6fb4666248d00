#pragma once
// Where modules come to a worker that is a service of its own.

#include "plugin/host/service_access.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
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
    ~ControlSocket();

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace stox::host
