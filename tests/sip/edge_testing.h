#pragma once
// What the tests of the edge share: names, and the short conversations that most of them begin with.

#include "tests/sip/certificates.h"
#include "tests/sip/edge_rig.h"
#include "tests/sip/rig.h"
#include "tests/support/wire.h"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace stox::sip::test {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;
using stox::test::local_port;
using stox::test::tcp_to;
using stox::test::TcpListener;
using stox::test::udp_to;
using stox::test::Wire;

using Clock = std::chrono::steady_clock;

/// Sends an OPTIONS over a stream, plain ("TCP") or not ("TLS"), and gives its answer.
template <class Stream>
std::string ask(Stream& peer, const std::string& transport, const std::string& branch) {
    peer.send(options_text(transport, branch));
    return peer.read_until("\r\n\r\n");
}

/// A socket of that type, from 127.0.0.`host` to that port of ours.
inline Wire from_host(int type, std::uint8_t host, unsigned port) {
    Wire peer(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
    sockaddr_in from{}, to{};
    from.sin_family = to.sin_family = AF_INET;
    from.sin_addr.s_addr = htonl((127u << 24) + host);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    if (::bind(peer.descriptor(), reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0 ||
        ::connect(peer.descriptor(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
        throw std::runtime_error("no connection");
    return peer;
}
inline Wire tcp_from(std::uint8_t host, unsigned port) { return from_host(SOCK_STREAM, host, port); }
inline Wire udp_from(std::uint8_t host, unsigned port) { return from_host(SOCK_DGRAM, host, port); }

inline bool serves(Wire& peer, const std::string& call_id) { return ask(peer, "TCP", call_id).starts_with("SIP/2.0 200 "); }

inline void expect_served(EdgeRig& rig, const std::string& branch) {
    Wire peer = udp_to(rig.port(Transport::udp));
    EXPECT_TRUE(ask(peer, "UDP", branch).starts_with("SIP/2.0 200 ")) << branch;
}

/// Awaits message_value() on the other end of `peer` and answers it; gives what came.
template <class Stream>
std::string answer_message(Stream& peer) {
    auto seen = peer.read_until("\r\n\r\nhello");
    peer.send(answer_to(seen, 200));
    return seen;
}

/// The way back over the connection that a request came by, and no other.
inline NextHop over_flow_of(const IncomingRequest& in, Transport transport) {
    NextHop hop = next_hop(transport, in.source.port);
    hop.flow = in.flow;
    hop.configured = false;
    return hop;
}

/// Whether the first octet of an answer comes in that time; it is taken.
inline bool hears_within(const Wire& peer, milliseconds limit) {
    pollfd answer{peer.descriptor(), POLLIN, 0};
    ::poll(&answer, 1, static_cast<int>(limit.count()));
    char octet;
    return ::recv(peer.descriptor(), &octet, 1, MSG_DONTWAIT) == 1;
}

/// A certificate for listeners, without what it would take to judge others.
inline TlsIdentity identity(const Certificates::Files& files) {
    TlsIdentity one;
    one.certificate_chain = files.chain;
    one.key = files.key;
    return one;
}

/// One that trusts the root of `made`.
inline TlsIdentity identity(std::vector<std::string> domains, const Certificates::Files& files, const Certificates& made) {
    auto one = identity(files);
    one.domains = std::move(domains);
    one.trust = TlsIdentity::Trust::file;
    one.trust_file = made.root();
    return one;
}

}  // namespace stox::sip::test
