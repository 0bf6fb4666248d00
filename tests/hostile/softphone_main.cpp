// stox_sip_ua: a softphone on 127.0.0.1 for hostile peers, told what to do by lines on its standard input; it ends with that.
//
// Usage: stox_sip_ua PORT [--seed N] [--trust PREFIX] [--tls PORT FOLDER] [--told-nothing]
//   --trust  sources without limits; may be repeated. Without it all are strangers
//   --tls    listens there too, with FOLDER/chain.pem and FOLDER/key.pem
//   --told-nothing  nobody asks it to call: loopback is as closed to what a message names as the dial policy has it
// It says "ready" when it listens. Lines:
//   call URI [MS]    an INVITE, given up after that time
//   subscribe URI | refer URI | message URI | options URI
//   modify           a re-INVITE in every call
//   hang_up          every call
//   counters         answered with one line of JSON

#include "tests/hostile/softphone.h"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <sstream>

namespace {

using stox::Transport;

stox::Endpoint loopback(const char* port) {
    return {stox::Address::v4({127, 0, 0, 1}), static_cast<std::uint16_t>(std::atoi(port))};
}

std::optional<stox::test::Softphone::Settings> read_arguments(int argc, char** argv) {
    stox::test::Softphone::Settings settings;
    if (argc < 2) return std::nullopt;
    auto& endpoint = settings.endpoint;
    endpoint.listen = {{Transport::udp, loopback(argv[1])}, {Transport::tcp, loopback(argv[1])}};
    endpoint.user_agent = "stox-softphone";
    endpoint.log = [](stox::sip::LogLevel, std::string_view text) { std::cerr << text << '\n'; };
    for (int i = 2; i < argc; ++i) {
        const std::string option = argv[i];
        if (option == "--seed" && i + 1 < argc) {
            settings.seed = std::strtoull(argv[++i], nullptr, 10);
        } else if (option == "--trust" && i + 1 < argc) {
            const auto prefix = stox::Prefix::parse(argv[++i]);
            if (!prefix) return std::nullopt;
            settings.trusted.push_back(prefix.value());
        } else if (option == "--told-nothing") {
            settings.is_told_nothing = true;
        } else if (option == "--tls" && i + 2 < argc) {
            endpoint.listen.push_back({Transport::tls, loopback(argv[++i])});
            stox::sip::TlsIdentity identity;
            const std::string folder = argv[++i];
            identity.certificate_chain = folder + "/chain.pem";
            identity.key = folder + "/key.pem";
            endpoint.tls = {identity};
        } else {
            return std::nullopt;
        }
    }
    return settings;
}

class Commands {
public:
    Commands(boost::asio::io_context& loop, stox::test::Softphone& phone)
        : loop_(loop), input_(loop, ::dup(STDIN_FILENO)), phone_(phone) {}

    void read() {
        boost::asio::async_read_until(input_, boost::asio::dynamic_buffer(text_), '\n', [this](auto error, std::size_t size) {
            if (error) return loop_.stop();
            obey(text_.substr(0, size - 1));
            text_.erase(0, size);
            read();
        });
    }

private:
    void obey(const std::string& line) {
        std::istringstream words(line);
        std::string verb, target;
        long wait = -1;
        words >> verb >> target >> wait;
        if (verb == "counters") {
            std::cout << phone_.counters() << std::endl;
            return;
        }
        if (verb == "modify") return phone_.modify_all();
        if (verb == "hang_up") return phone_.hang_up_all();
        const auto uri = stox::sip::Uri::parse(target);
        if (!uri) {
            std::cerr << "no URI in: " << line << '\n';
            return;
        }
        if (verb == "call") {
            phone_.call(uri.value(), wait < 0 ? std::nullopt : std::optional(std::chrono::milliseconds(wait)));
        } else if (verb == "subscribe") {
            phone_.subscribe(uri.value());
        } else if (verb == "refer") {
            phone_.refer(uri.value());
        } else if (verb == "message" || verb == "options") {
            phone_.ask(verb == "message" ? "MESSAGE" : "OPTIONS", uri.value());
        }
    }

    boost::asio::io_context& loop_;
    boost::asio::posix::stream_descriptor input_;
    stox::test::Softphone& phone_;
    std::string text_;
};

}  // namespace

int main(int argc, char** argv) {
    auto settings = read_arguments(argc, argv);
    if (!settings)
        return std::fputs("usage: stox_sip_ua PORT [--seed N] [--trust PREFIX] [--tls PORT FOLDER] [--told-nothing]\n", stderr),
               2;
    boost::asio::io_context loop;
    auto phone = stox::test::Softphone::start(loop, std::move(*settings));
    if (!phone) return std::fprintf(stderr, "%s\n", phone.error().detail.c_str()), 1;
    Commands commands(loop, *phone.value());
    commands.read();
    std::cout << "ready" << std::endl;
    loop.run();
}
