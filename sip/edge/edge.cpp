// The edge as others see it, and how it opens.

#include "sip/edge/edge_impl.h"

#include <algorithm>
#include <string>
#include <utility>

namespace stox::sip {

namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

Edge::Impl::~Impl() {
    listeners.clear();
    for (auto& [flow, live] : std::exchange(flows, {})) live.connection->end(End::ours, "the endpoint ends");
}

Result<void> Edge::Impl::listen(const ListenAddress& address) {
    const auto index = listeners.size();
    Listener listener;
    if (address.transport == Transport::udp) {
        auto opened = UdpListener::open(
            loop, turn, address.endpoint,
            {[this, index](const stox::Endpoint& from, std::string_view octets) { return datagram(index, from, octets); },
             [this, index](const stox::Endpoint& to, int error, std::string_view quoted) {
                 if (sent.quotes_one(to, quoted, Clock::now()))
                     handlers.unreachable(index, to, error);
                 else
                     ++counters.dropped_unproven_errors;
             },
             [this](std::uint32_t more) { counters.dropped_by_kernel += more; }});
        if (!opened) return opened.error();
        listener.udp = std::move(opened).value();
        listening.push_back({address.transport, listener.udp->address()});
    } else {
        const std::string name(to_string(address.transport));
        auto opened = TcpListener::open(loop, address.endpoint, name,
                                        {[this, index](boost::asio::ip::tcp::socket socket, const stox::Endpoint& peer) {
                                             accepted(index, std::move(socket), peer);
                                         },
                                         [this] {
                                             ++counters.refused_descriptors;
                                             tell(LogLevel::error, {}, "descriptors",
                                                  "SIP connections are closed at once: no descriptors are left");
                                         }});
        if (!opened) return opened.error();
        listener.tcp = std::move(opened).value();
        listening.push_back({address.transport, listener.tcp->address()});
    }
    bound.push_back(listening.back().endpoint);
    listeners.push_back(std::move(listener));
    return ok();
}

Result<void> Edge::Impl::use_tls(TlsSet credentials) {
    auto made = TlsContexts::make(std::move(credentials));
    if (!made) return made.error();
    const auto before = std::exchange(contexts, std::move(made).value());
    for (const auto& one : contexts->all()) {
        const bool is_new = !before || std::ranges::find(before->all(), one) == before->all().end();
        if (log && is_new && !one->expiring().empty()) log(LogLevel::warn, one->expiring());
    }
    return ok();
}

void Edge::Impl::refused(const Address& source, Transport transport) {
    if (!admission.refused(source, transport == Transport::udp ? Channel::datagram : Channel::connection, Clock::now())) return;
    ++counters.bans;
    tell(LogLevel::warn, source, "banned",
         "security event=banned src=" + source.to_string() + " transport=" + std::string(to_string(transport)) +
             " seconds=" + std::to_string(limits.ban->length.count()));
}

void Edge::Impl::tell(LogLevel level, const Address& source, const std::string& kind, std::string line) {
    if (!log) return;
    if (const auto passed = gate.pass(source, kind, std::move(line), Clock::now())) log(level, *passed);
}

Edge::Edge(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Edge::~Edge() = default;

Result<std::unique_ptr<Edge>> Edge::open(boost::asio::io_context& loop, Turn& turn, const Endpoint::Settings& settings,
                                         Handlers handlers) {
    auto impl = std::make_unique<Impl>(loop, turn, settings, std::move(handlers));
    auto loaded = load_tls(settings.tls);
    if (!loaded) return loaded.error();
    if (auto used = impl->use_tls(std::move(loaded).value()); !used) return used.error();
    for (const auto& address : settings.listen)
        if (auto opened = impl->listen(address); !opened) return opened.error();
    return std::unique_ptr<Edge>(new Edge(std::move(impl)));
}

const std::vector<ListenAddress>& Edge::listening() const { return impl_->listening; }

void Edge::refused(const Address& source, Transport transport) { impl_->refused(source, transport); }

BanOrder Edge::ban(const Address& source, std::chrono::seconds length) {
    const auto now = Clock::now();
    return impl_->admission.ban(source, now + length, now);
}

bool Edge::unban(const Address& source) { return impl_->admission.unban(source, Clock::now()); }

std::vector<BannedSource> Edge::bans() const { return impl_->admission.bans(Clock::now()); }

void Edge::trust(std::vector<Prefix> sources) { impl_->admission.trust(std::move(sources)); }

Result<void> Edge::use_tls(TlsSet credentials) { return impl_->use_tls(std::move(credentials)); }

Counters Edge::counters() const {
    auto counters = impl_->counters;
    counters.open_connections = impl_->flows.size();
    counters.banned_sources = impl_->admission.banned_sources(Clock::now());
    return counters;
}

}  // namespace stox::sip
