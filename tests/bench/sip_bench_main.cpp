// The gateway's SIP endpoint under the same load as stox_nta_bare: edge, guard, nta and the values around it, on UDP, TCP and
// TLS. Answers every request with 200; an INVITE with a Contact and a tag. Dialogs are not kept: that layer is measured when
// calls are.
//
// Usage: stox_sip_bench UDP_TCP_PORT TLS_PORT CERTIFICATE_FOLDER     ends with its standard input

#include "sip/endpoint.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>

namespace {

stox::sip::Endpoint::Settings settings(char** arguments) {
    using stox::Transport;
    const auto at = [](const char* port) {
        return stox::Endpoint{stox::Address::v4({127, 0, 0, 1}), static_cast<std::uint16_t>(std::atoi(port))};
    };
    const std::string folder = arguments[3];
    stox::sip::Endpoint::Settings made;
    made.listen = {{Transport::udp, at(arguments[1])}, {Transport::tcp, at(arguments[1])}, {Transport::tls, at(arguments[2])}};
    made.max_transactions = 1'000'000;
    // The load comes from one address, and is wanted.
    made.limits.connections_per_source = 100'000;
    made.limits.connections = 100'000;
    made.limits.source_rate = made.limits.source_burst = std::numeric_limits<unsigned>::max();
    made.limits.total_rate = made.limits.total_burst = std::numeric_limits<unsigned>::max();
    stox::sip::TlsIdentity identity;
    identity.certificate_chain = folder + "/cafile.pem";
    identity.key = folder + "/key.pem";
    made.tls = {identity};
    return made;
}

stox::sip::Response answer(const stox::sip::Request& request, const std::string& contact) {
    stox::sip::Response response;
    response.status = 200;
    if (request.method == "INVITE") response.contacts = {{{}, stox::sip::Uri::parse(contact).value(), {}}};
    return response;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) return std::fputs("usage: stox_sip_bench PORT TLS_PORT CERTIFICATE_FOLDER\n", stderr), 2;
    boost::asio::io_context loop;
    std::unique_ptr<stox::sip::Endpoint> endpoint;
    const std::string contact = std::string("sip:romeo@127.0.0.1:") + argv[1];
    auto started = stox::sip::Endpoint::start(loop, settings(argv), [&](stox::sip::IncomingRequest in) {
        endpoint->respond(in.transaction, answer(in.request, contact));
    });
    if (!started) return std::fprintf(stderr, "%s\n", started.error().detail.c_str()), 1;
    endpoint = std::move(started).value();
    endpoint->trust({stox::Prefix::parse("127.0.0.1").value()});
    boost::asio::posix::stream_descriptor input(loop, ::dup(STDIN_FILENO));
    char octet;
    input.async_read_some(boost::asio::buffer(&octet, 1), [&](auto, auto) { loop.stop(); });
    std::puts("ready");
    std::fflush(stdout);
    loop.run();
}
