#pragma once
// Where command lines reach the worker: a unix socket of the worker's own user, one question and one answer for each connection.

#include "mapping/core/result.h"
#include "plugin/host/acceptor.h"
#include "plugin/host/control_lines.h"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace stox::host {

class AdminSocket {
public:
    static constexpr std::size_t kConnections = 8;   ///< at once; the next one waits to be accepted
    static constexpr std::size_t kMaxLine = 65'536;  ///< octets of a question
    static constexpr std::chrono::seconds kPatience{5};

    struct Events {
        std::function<AdminAnswer(const AdminAsked&)> asked;
        std::function<void(std::string)> refused;  ///< somebody who may not; for the log
    };

    /// Mode 0600; asked are the worker's user and root alone, by their peer credentials.
    /// errors  unavailable: another worker listens there, the path is too long, the directory is not there
    static Result<std::unique_ptr<AdminSocket>> open(boost::asio::io_context& loop, const std::string& path, Events events);
    ~AdminSocket();

private:
    AdminSocket(boost::asio::io_context& loop, int listener, std::string path, Events events);
    void take(Acceptor::Socket socket, Acceptor::Place place);

    std::string path_;
    std::shared_ptr<Events> events_;  ///< gone with us, for questions that are under way
    Acceptor acceptor_;
};

}  // namespace stox::host
