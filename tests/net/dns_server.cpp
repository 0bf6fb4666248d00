#include "tests/net/dns_server.h"

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <utility>

namespace stox::net::test {

namespace asio = boost::asio;

namespace {

unsigned number_at(std::string_view message, std::size_t at) {
    return at + 2 <= message.size()
               ? static_cast<unsigned>(static_cast<std::uint8_t>(message[at]) << 8 | static_cast<std::uint8_t>(message[at + 1]))
               : 0;
}

constexpr unsigned kAliasType = 5;

}  // namespace

struct DnsServer::Connection : std::enable_shared_from_this<Connection> {
    Connection(DnsServer& owner, asio::ip::tcp::socket peer) : server(owner), socket(std::move(peer)) {}
    void read() {
        length.resize(2);
        asio::async_read(socket, asio::buffer(length), [self = shared_from_this()](boost::system::error_code error, std::size_t) {
            if (error) return;
            self->message.resize(number_at(self->length, 0));
            asio::async_read(self->socket, asio::buffer(self->message), [self](boost::system::error_code cut, std::size_t) {
                if (!cut)
                    self->server.answer(self->server.handle(self->message, true),
                                        [self](std::string octets) { self->write(std::move(octets)); });
                if (!cut) self->read();
            });
        });
    }
    void write(std::string octets) {
        auto framed = std::make_shared<std::string>(wire16(static_cast<unsigned>(octets.size())) + octets);
        asio::async_write(socket, asio::buffer(*framed),
                          [framed, self = shared_from_this()](boost::system::error_code, std::size_t) {});
    }
    DnsServer& server;
    asio::ip::tcp::socket socket;
    std::string length, message;
};

DnsServer::DnsServer(asio::io_context& loop, unsigned short port, const char* address) : udp_(loop), tcp_(loop) {
    const auto here = asio::ip::make_address(address);
    // A port that is free for UDP may be taken for TCP: the next one then.
    for (int tries = port ? 1 : 50; tries > 0; --tries) {
        udp_ = asio::ip::udp::socket(loop, {here, port});
        tcp_ = asio::ip::tcp::acceptor(loop, asio::ip::tcp::v4());
        boost::system::error_code taken;
        tcp_.bind({here, udp_.local_endpoint().port()}, taken);
        if (!taken) break;
        if (tries == 1) throw boost::system::system_error(taken, "no port for both UDP and TCP");
    }
    tcp_.listen();
    read_datagram();
    accept();
}

void DnsServer::release() {
    hold = false;
    for (const auto& send : std::exchange(held_, {})) send();
}

void DnsServer::read_datagram() {
    datagram_.resize(4'096);
    udp_.async_receive_from(asio::buffer(datagram_), from_, [this](boost::system::error_code error, std::size_t size) {
        if (error == asio::error::operation_aborted) return;
        if (!error)
            answer(handle(std::string_view(datagram_).substr(0, size), false), [this, to = from_](std::string octets) {
                boost::system::error_code gone;
                udp_.send_to(asio::buffer(octets), to, 0, gone);
            });
        read_datagram();
    });
}

void DnsServer::accept() {
    tcp_.async_accept([this](boost::system::error_code error, asio::ip::tcp::socket socket) {
        if (error) return;
        std::make_shared<Connection>(*this, std::move(socket))->read();
        accept();
    });
}

std::string DnsServer::handle(std::string_view message, bool tcp) {
    Query query;
    query.id = static_cast<std::uint16_t>(number_at(message, 0));
    query.tcp = tcp;
    query.extended = number_at(message, 10) > 0;
    std::size_t at = 12;
    while (at < message.size() && message[at] != 0) {
        const auto size = static_cast<std::uint8_t>(message[at]);
        query.name += (query.name.empty() ? "" : ".") + std::string(message.substr(at + 1, size));
        at += size + 1U;
    }
    query.type = static_cast<RecordType>(number_at(message, at + 1));
    queries.push_back(query);
    if (special)
        if (auto octets = special(query)) return *octets;
    return encode(query, reply(query));
}

void DnsServer::answer(std::string octets, std::function<void(std::string)> send) {
    if (octets.empty()) return;
    if (hold)
        held_.push_back([octets = std::move(octets), send = std::move(send)] { send(octets); });
    else
        send(std::move(octets));
}

Reply DnsServer::reply(const Query& query) const {
    Reply reply{3, {}};
    std::string owner = query.name;
    for (unsigned hops = 0; hops <= 12; ++hops) {
        const auto before = reply.answers.size();
        for (const auto& resource : zone) {
            if (resource.owner != owner) continue;
            reply.code = 0;
            if (resource.type == static_cast<unsigned>(query.type)) reply.answers.push_back(resource);
        }
        if (reply.answers.size() > before) return reply;
        const auto alias =
            std::ranges::find_if(zone, [&](const Resource& r) { return r.owner == owner && r.type == kAliasType; });
        if (alias == zone.end()) return reply;
        reply.answers.push_back(*alias);
        owner.clear();  // labels back to text
        for (std::size_t at = 0; alias->data[at] != 0; at += static_cast<std::uint8_t>(alias->data[at]) + 1U)
            owner += (owner.empty() ? "" : ".") + alias->data.substr(at + 1, static_cast<std::uint8_t>(alias->data[at]));
    }
    return reply;
}

std::string DnsServer::encode(const Query& query, const Reply& reply) {
    return message(query.id, query.name, static_cast<std::uint16_t>(query.type), reply);
}

}  // namespace stox::net::test
