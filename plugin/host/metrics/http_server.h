#pragma once
// HTTP for those who look at the worker: GET and HEAD of a few pages, one request for each connection.

#include "mapping/core/endpoint.h"
#include "mapping/core/result.h"
#include "plugin/host/acceptor.h"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace stox::host {

struct HttpPage {
    unsigned status = 200;
    std::string type;  ///< of the body
    std::string body;
};

/// Used and destroyed on the loop's thread.
class HttpServer {
public:
    static constexpr std::size_t kConnections = 8;     ///< at once; the next one waits to be accepted
    static constexpr std::size_t kMaxHeader = 8'192;   ///< octets of a request, which has no body
    struct Patience {
        std::chrono::milliseconds request{5'000};  ///< for a request to come
        std::chrono::milliseconds answer{10'000};  ///< for its answer to be taken
    };

    /// target  "/metrics", without a query; accept  the header of that name
    using Page = std::function<HttpPage(std::string_view target, std::string_view accept)>;

    /// errors  unavailable: the address cannot be had
    static Result<std::unique_ptr<HttpServer>> open(boost::asio::io_context& loop, const Endpoint& endpoint, Page page, Patience patience);
    /// The same on a unix socket of mode 0660.
    static Result<std::unique_ptr<HttpServer>> open(boost::asio::io_context& loop, const std::string& path, Page page, Patience patience);
    ~HttpServer();

    /// With the port that was chosen for 0.
    std::string address() const;

private:
    HttpServer(boost::asio::io_context& loop, int listener, std::string path, Page page, Patience patience);

    std::string path_;  ///< empty: TCP
    Acceptor acceptor_;
};

}  // namespace stox::host
