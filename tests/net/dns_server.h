#pragma once
// A small DNS server on 127.0.0.1, UDP and TCP on one port, on the test's own loop: it answers what the test says, when it says
// so.

#include "tests/net/dns_wire.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace stox::net::test {

class DnsServer {
public:
    struct Query {
        std::uint16_t id = 0;
        std::string name;  ///< lower case
        RecordType type = RecordType::a;
        bool tcp = false;
        bool extended = false;  ///< with an OPT record (EDNS)
    };
    /// port  0: a free one
    explicit DnsServer(boost::asio::io_context& loop, unsigned short port = 0, const char* address = "127.0.0.1");

    unsigned short port() const { return udp_.local_endpoint().port(); }
    /// "127.0.0.1:port"
    std::string address() const { return "127.0.0.1:" + std::to_string(port()); }

    /// Records by their owner and type; names without any do not exist.
    std::vector<Resource> zone;
    /// In front of the zone: octets of the answer, "" drops the query; nullopt: the zone answers.
    std::function<std::optional<std::string>(const Query&)> special;
    /// Answers are kept until release().
    bool hold = false;
    void release();

    std::vector<Query> queries;  ///< all that came

    /// From the zone, with the aliases of the owner.
    Reply reply(const Query& query) const;
    static std::string encode(const Query& query, const Reply& reply);

private:
    struct Connection;
    void read_datagram();
    void accept();
    std::string handle(std::string_view message, bool tcp);
    void answer(std::string octets, std::function<void(std::string)> send);

    boost::asio::ip::udp::socket udp_;
    boost::asio::ip::tcp::acceptor tcp_;
    boost::asio::ip::udp::endpoint from_;
    std::string datagram_;
    std::vector<std::function<void()>> held_;
};

}  // namespace stox::net::test
