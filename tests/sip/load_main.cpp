// Puts a bounded load of MESSAGE requests on a listener of 127.0.0.1 and waits for every answer.
//
// Usage: stox_sip_load udp|tcp PORT COUNT WINDOW
//   WINDOW requests are on their way at any time; a lost datagram is sent again after a second.
// Prints the seconds it took. Exit status: 0 every request got a 202, 1 some did not.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>
#include <string>
#include <string_view>

namespace {

using Clock = std::chrono::steady_clock;

std::string message(bool udp, unsigned number) {
    const auto id = std::to_string(number);
    return std::string("MESSAGE sip:romeo@montague.test SIP/2.0\r\nVia: SIP/2.0/") + (udp ? "UDP" : "TCP") +
           " 127.0.0.1:5999;rport;branch=z9hG4bKload" + id + "\r\nMax-Forwards: 70\r\nFrom: <sip:juliet@capulet.test>;tag=t" +
           id + "\r\nTo: <sip:romeo@montague.test>\r\nCall-ID: load" + id +
           "\r\nCSeq: 1 MESSAGE\r\nContent-Type: text/plain;charset=utf-8\r\nContent-Length: 26\r\n\r\nArt thou not Romeo, and "
           "so";
}

int connect_to(bool udp, unsigned port) {
    const int wire = ::socket(AF_INET, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    if (::connect(wire, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return -1;
    return wire;
}

bool send_all(int wire, std::string_view octets) {
    while (!octets.empty()) {
        const auto sent = ::send(wire, octets.data(), octets.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        octets.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

/// Takes the whole responses out of `input`, their numbers out of `waiting`; false when one is no 202.
bool take_answers(std::string& input, std::set<unsigned>& waiting) {
    for (auto end = input.find("\r\n\r\n"); end != input.npos; end = input.find("\r\n\r\n")) {
        if (input.rfind("SIP/2.0 202", 0) != 0) return false;
        const auto id = input.find("Call-ID: load");
        if (id > end) return false;
        waiting.erase(static_cast<unsigned>(std::atoi(input.c_str() + id + std::strlen("Call-ID: load"))));
        input.erase(0, end + 4);
    }
    return true;
}

bool run(int wire, bool udp, unsigned count, unsigned window) {
    std::set<unsigned> waiting;
    std::string input;
    char octets[65'536];
    for (unsigned next = 0; next < count || !waiting.empty();) {
        for (; next < count && waiting.size() < window; ++next) {
            waiting.insert(next);
            if (!send_all(wire, message(udp, next))) return false;
        }
        pollfd readable{wire, POLLIN, 0};
        if (::poll(&readable, 1, 1'000) == 0) {
            if (!udp) return false;
            for (const auto number : waiting) send_all(wire, message(true, number));
            continue;
        }
        const auto size = ::recv(wire, octets, sizeof octets, 0);
        if (size <= 0) return false;
        input.append(octets, static_cast<std::size_t>(size));
        if (!take_answers(input, waiting)) return false;
    }
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) return std::fputs("usage: stox_sip_load udp|tcp PORT COUNT WINDOW\n", stderr), 2;
    const bool udp = std::string_view(argv[1]) == "udp";
    const int wire = connect_to(udp, static_cast<unsigned>(std::atoi(argv[2])));
    if (wire < 0) return std::fputs("nobody listens there\n", stderr), 1;
    const auto begun = Clock::now();
    const bool good = run(wire, udp, static_cast<unsigned>(std::atoi(argv[3])), static_cast<unsigned>(std::atoi(argv[4])));
    ::close(wire);
    std::printf("%.3f\n", std::chrono::duration<double>(Clock::now() - begun).count());
    return good ? 0 : 1;
}
