// Connections while they last: what comes over them, what waits for their peers, how they end.

#include "sip/edge/edge_impl.h"
#include "sip/edge/framer.h"

#include <sys/uio.h>

#include <algorithm>
#include <string>
#include <utility>

namespace stox::sip {

namespace {

/// A connection over its rate is looked at again after this.
constexpr std::chrono::milliseconds kPause{100};

/// Whether this answers a request with what only they get who may have it: no stranger gets a 2xx.
bool grants(std::string_view message) { return is_response(message) && message.size() > 8 && message[8] == '2'; }

}  // namespace

std::shared_ptr<Connection> Edge::Impl::add(boost::asio::ip::tcp::socket socket, Connection::Identity identity) {
    identity.flow = Flow{++last_flow};
    Live live;
    live.peer = {identity.transport, identity.peer, identity.listener, identity.dialled, {}};
    live.unproven = unproven.end();
    live.connection = std::make_shared<Connection>(std::move(socket), identity, limits, *this, turn, contexts);
    auto connection = live.connection;
    flows.emplace(identity.flow, std::move(live));
    return connection;
}

/// Shared: a call may end the connection, which takes it out of `flows`.
std::shared_ptr<Connection> Edge::Impl::find(Flow flow) const {
    const auto found = flows.find(flow);
    return found == flows.end() ? nullptr : found->second.connection;
}

std::chrono::milliseconds Edge::Impl::admit(Connection& connection) {
    const auto& source = connection.identity().peer.address;
    // What a peer sends on a connection that we opened is mostly our answers.
    if (connection.identity().dialled) return {};
    switch (admission.message(source, Channel::connection, Clock::now())) {
        case Admission::Verdict::admitted:
            return {};
        case Admission::Verdict::banned:
            ++counters.closed_banned;
            connection.end(End::ours, "its source is banned");
            return {};
        default:
            return kPause;
    }
}

void Edge::Impl::message(Connection& connection, std::string text) {
    ++counters.messages;
    const auto flow = connection.identity().flow;
    auto& live = flows.at(flow);
    live.peer.tls = connection.certified();
    if (live.unproven != unproven.end()) unproven.splice(unproven.begin(), unproven, live.unproven);
    handlers.message(flow, std::move(text));
}

void Edge::Impl::queued(std::ptrdiff_t change) {
    in_queues += static_cast<std::size_t>(change);  // modulo 2^n: a negative one is subtracted
    if (change < 0 || in_queues <= limits.write_queues) return;
    for (const auto& [flow, live] : flows) live.connection->offer();
    if (in_queues <= limits.write_queues) return;
    // Of what the kernel takes, the next turns of the loop make less.
    const auto longest = std::ranges::max_element(flows, {}, [](const auto& entry) {
        auto& connection = *entry.second.connection;
        return std::pair(connection.queued() > 0 && !connection.takes(), connection.queued());
    });
    if (longest == flows.end()) return;
    const auto connection = longest->second.connection;
    connection->end(End::slow_reader, "all connections together have too much that is not taken, this one most");
}

void Edge::Impl::ended(Connection& connection, End end, const std::string& reason) {
    const auto& identity = connection.identity();
    count(end);
    tell(connection, end, reason);
    if (identity.dialled) {
        const auto found = dialled.find(target_of(identity));
        if (found != dialled.end() && found->second == identity.flow) dialled.erase(found);
    } else if (const auto live = flows.find(identity.flow); live != flows.end()) {
        admission.closed(identity.peer.address, live->second.guest);
        proven(live->second);
        const bool unshaken = end_handshake(identity.flow) && end == End::deadline;
        // Nobody does so in another's name: a connection has its source.
        if (end == End::violation || end == End::handshake || unshaken) refused(identity.peer.address, identity.transport);
    }
    const auto flow = identity.flow;
    const auto kept = connection.shared_from_this();
    if (flows.erase(flow) > 0) handlers.closed(flow);
}

void Edge::Impl::count(End end) {
    switch (end) {
        case End::violation:
            ++counters.closed_violation;
            break;
        case End::deadline:
            ++counters.closed_deadline;
            break;
        case End::idle:
            ++counters.closed_idle;
            break;
        case End::slow_reader:
            ++counters.closed_slow_reader;
            break;
        case End::handshake:
        case End::no_certificate:
            ++counters.failed_handshakes;
            break;
        case End::peer_closed:
        case End::ours:
        case End::dial:
            break;
    }
}

void Edge::Impl::tell(const Connection& connection, End end, const std::string& reason) {
    if (end == End::peer_closed || end == End::ours || end == End::idle) return;
    const auto& identity = connection.identity();
    const std::string line = "peer=" + identity.peer.to_string() + " transport=" + std::string(to_string(identity.transport)) +
                             (identity.dialled ? " connection of ours" : " connection") + " closed: " + reason;
    tell(LogLevel::warn, identity.peer.address, reason, line);
}

bool Edge::write(Flow flow, const iovec* parts, std::size_t count) {
    const auto found = impl_->flows.find(flow);
    if (found == impl_->flows.end()) return false;
    if (count > 0 && grants({static_cast<const char*>(parts->iov_base), parts->iov_len})) impl_->proven(found->second);
    const auto connection = found->second.connection;  // the call may end it
    return connection->write(parts, count);
}

void Edge::finish(Flow flow) {
    if (const auto connection = impl_->find(flow)) connection->finish();
}

const Edge::Peer* Edge::peer(Flow flow) const {
    const auto found = impl_->flows.find(flow);
    return found == impl_->flows.end() ? nullptr : &found->second.peer;
}

std::shared_ptr<const bool> Edge::delivers(Flow flow) const {
    const auto connection = impl_->find(flow);
    return connection ? connection->delivers() : nullptr;
}

void Edge::hold(Flow flow) {
    if (const auto connection = impl_->find(flow)) connection->hold();
}

void Edge::release(Flow flow) {
    if (const auto connection = impl_->find(flow)) connection->release();
}

}  // namespace stox::sip
