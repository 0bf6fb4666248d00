// Listens on 127.0.0.1:PORT over UDP and TCP and answers every request with 202 until its input ends.

#include "sip/endpoint.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
    if (argc != 2) return std::fputs("usage: stox_sip_echo PORT\n", stderr), 2;
    boost::asio::io_context loop;
    const stox::Endpoint address{stox::Address::v4({127, 0, 0, 1}), static_cast<std::uint16_t>(std::atoi(argv[1]))};
    stox::sip::Endpoint::Settings settings;
    settings.listen = {{stox::Transport::udp, address}, {stox::Transport::tcp, address}};
    std::unique_ptr<stox::sip::Endpoint> endpoint;
    auto started = stox::sip::Endpoint::start(loop, settings, [&](stox::sip::IncomingRequest in) {
        stox::sip::Response response;
        response.status = 202;
        endpoint->respond(in.transaction, std::move(response));
    });
    if (!started) return std::fprintf(stderr, "%s\n", started.error().detail.c_str()), 1;
    endpoint = std::move(started).value();
    endpoint->trust({stox::Prefix::parse("127.0.0.0/8").value()});  // a load is not to be held back
    boost::asio::posix::stream_descriptor input(loop, ::dup(STDIN_FILENO));
    char octet;
    input.async_read_some(boost::asio::buffer(&octet, 1), [&](auto, auto) { loop.stop(); });
    loop.run();
}
