#include "plugin/host/doctor/hops.h"

#include "mapping/core/ids.h"
#include "plugin/host/next_hop_locator.h"
#include "plugin/host/random.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <chrono>
#include <fstream>
#include <list>
#include <memory>
#include <sstream>

namespace stox::doctor {

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr auto kAnswer = 2s;    ///< T1 doubled twice: three copies of an OPTIONS could have been answered
constexpr auto kConnect = 5s;   ///< as the worker waits
constexpr auto kAll = 10s;

asio::ip::address to_asio(const Address& address) { return asio::ip::make_address(address.to_string()); }

/// RFC 3261 §11.1, from a port of its own.
std::string options(const engine::Target& target, const asio::ip::udp::endpoint& own, IdGenerator& ids) {
    const auto host = own.address().is_v6() ? '[' + own.address().to_string() + ']' : own.address().to_string();
    const auto from = host + ':' + std::to_string(own.port());
    const auto to = target.endpoint.to_string();
    return "OPTIONS sip:" + to + " SIP/2.0\r\nVia: SIP/2.0/UDP " + from + ";rport;branch=z9hG4bK" + ids.wire_id() +
           "\r\nMax-Forwards: 70\r\nFrom: <sip:" + host + ">;tag=" + ids.wire_id() + "\r\nTo: <sip:" + to + ">\r\nCall-ID: " + ids.wire_id() +
           "\r\nCSeq: 1 OPTIONS\r\nContact: <sip:" + from + ">\r\nAccept: application/sdp\r\nContent-Length: 0\r\n\r\n";
}

/// One target of one hop that is being asked.
class Question {
public:
    Question(asio::io_context& loop, engine::Target target, TargetFact& fact) : loop_(loop), target_(std::move(target)), fact_(fact), timer_(loop) {}

    void ask(IdGenerator& ids) {
        if (target_.transport == Transport::udp)
            ask_by_datagram(ids);
        else
            connect();
    }

private:
    void connect() {
        tcp_.emplace(loop_);
        timer_.expires_after(kConnect);
        timer_.async_wait([this](boost::system::error_code error) {
            if (error) return;
            fact_.error = "no connection in " + std::to_string(kConnect.count()) + " s";
            boost::system::error_code ignored;
            tcp_->close(ignored);
        });
        tcp_->async_connect({to_asio(target_.endpoint.address), target_.endpoint.port}, [this](boost::system::error_code error) {
            timer_.cancel();
            if (error && error != asio::error::operation_aborted) fact_.error = error.message();
        });
    }

    void ask_by_datagram(IdGenerator& ids) {
        udp_.emplace(loop_);
        boost::system::error_code error;
        const asio::ip::udp::endpoint there(to_asio(target_.endpoint.address), target_.endpoint.port);
        if (!udp_->connect(there, error)) udp_->send(asio::buffer(options(target_, udp_->local_endpoint(), ids)), 0, error);
        if (error) {
            fact_.error = error.message();
            return;
        }
        fact_.silent = true;
        timer_.expires_after(kAnswer);
        timer_.async_wait([this](boost::system::error_code stopped) {
            boost::system::error_code ignored;
            if (!stopped) udp_->close(ignored);
        });
        udp_->async_receive(asio::buffer(room_), [this](boost::system::error_code failure, std::size_t) {
            if (failure == asio::error::operation_aborted) return;
            timer_.cancel();
            fact_.silent = false;
            if (failure) fact_.error = failure.message();
        });
    }

    asio::io_context& loop_;
    engine::Target target_;
    TargetFact& fact_;
    asio::steady_timer timer_;
    std::optional<asio::ip::tcp::socket> tcp_;
    std::optional<asio::ip::udp::socket> udp_;
    std::array<char, 2048> room_{};
};

std::vector<std::string> name_servers(const config::EngineOptions& options) {
    std::vector<std::string> servers;
    for (const auto& server : options.dns_servers) servers.push_back(server.to_string());
    if (!servers.empty()) return servers;
    std::ifstream file("/etc/resolv.conf");
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        std::string word, server;
        if (words >> word >> server && word == "nameserver") servers.push_back(server);
    }
    return servers;
}

/// Locates all hops, then asks what they stand for.
class Round {
public:
    Round(Facts& facts, host::NextHopLocator& locator, asio::io_context& loop) : facts_(facts), locator_(locator), loop_(loop) {}

    void start() {
        for (const auto& domain : facts_.domains)
            for (const auto& peer : domain.peers)
                for (const auto& hop : peer.next_hops) {
                    facts_.hops.push_back({domain.domain, peer.name, hop.uri, !hop.address.has_value()});
                    locate(hop, facts_.hops.size() - 1);
                }
    }

private:
    void locate(const config::NextHop& hop, std::size_t index) {
        locator_.locate(hop, [this, index](std::vector<engine::Target> targets, std::string error) {
            auto& fact = facts_.hops[index];
            fact.error = std::move(error);
            for (const auto& target : targets) fact.targets.push_back({target.text()});
            for (std::size_t at = 0; at < targets.size(); ++at) questions_.emplace_back(loop_, targets[at], fact.targets[at]).ask(ids_);
        });
    }

    Facts& facts_;
    host::NextHopLocator& locator_;
    asio::io_context& loop_;
    IdGenerator ids_ = host::kernel_ids();
    std::list<Question> questions_;
};

}  // namespace

void ask_hops(Facts& facts) {
    facts.name_servers = name_servers(*facts.engine);
    asio::io_context loop;
    auto locator = host::NextHopLocator::open(loop, *facts.engine);
    if (!locator) {
        facts.name_servers.clear();
        return;
    }
    Round round(facts, *locator.value(), loop);
    round.start();
    loop.run_for(kAll);
}

}  // namespace stox::doctor
