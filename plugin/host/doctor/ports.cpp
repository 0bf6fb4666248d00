#include "plugin/host/doctor/ports.h"

#include "sip/edge/socket_address.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace stox::doctor {

namespace {

constexpr std::string_view kListens = "0A";  // TCP_LISTEN, as the table writes it

int bind_once(const config::Listener& listener) {
    const bool udp = listener.transport == Transport::udp;
    const sip::SocketAddress address(listener.endpoint);
    const int fd = ::socket(sip::family_of(listener.endpoint.address), (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
    if (fd < 0) return errno;
    const int on = 1;
    // What is left of old connections is in nobody's way; a listener is.
    if (!udp) ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (!listener.endpoint.address.is_v4()) ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    const int error = ::bind(fd, address.get(), address.size) == 0 ? 0 : errno;
    ::close(fd);
    return error;
}

std::string content(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

bool has_socket(const std::filesystem::path& process, const std::vector<std::string>& links) {
    std::error_code error;
    for (std::filesystem::directory_iterator entry(process / "fd", error), end; !error && entry != end; entry.increment(error)) {
        const auto target = std::filesystem::read_symlink(entry->path(), error);
        if (!error && std::ranges::find(links, target.string()) != links.end()) return true;
        error.clear();
    }
    return false;
}

void find_holder(PortFact& fact) {
    const bool udp = fact.listener.transport == Transport::udp;
    std::vector<std::string> links;
    for (const char* table : udp ? std::array{"udp", "udp6"} : std::array{"tcp", "tcp6"})
        for (const auto inode : sockets_on(content(std::filesystem::path("/proc/net") / table), fact.listener.endpoint.port, fact.listener.transport))
            links.push_back("socket:[" + std::to_string(inode) + ']');
    std::error_code error;
    for (std::filesystem::directory_iterator process("/proc", error), end; !error && process != end; process.increment(error)) {
        const auto name = process->path().filename().string();
        int pid = 0;
        if (std::from_chars(name.data(), name.data() + name.size(), pid).ec != std::errc() || !has_socket(process->path(), links)) continue;
        fact.holder = content(process->path() / "comm");
        if (fact.holder.ends_with('\n')) fact.holder.pop_back();
        // Whoever runs it names it.
        std::ranges::replace_if(fact.holder, [](char c) { return c < 0x20 || c == 0x7f; }, '?');
        fact.holder_pid = pid;
        return;
    }
}

}  // namespace

std::vector<std::uint64_t> sockets_on(std::string_view table, std::uint16_t port, Transport transport) {
    std::vector<std::uint64_t> inodes;
    std::istringstream lines{std::string(table)};
    std::string line;
    std::getline(lines, line);  // the head
    while (std::getline(lines, line)) {
        std::istringstream words(line);
        std::string slot, local, remote, state, queues, timer, retransmits, user, timeout;
        std::uint64_t inode = 0;
        if (!(words >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> user >> timeout >> inode)) continue;
        const auto colon = local.rfind(':');
        unsigned found = 0;
        if (colon == local.npos || std::from_chars(local.data() + colon + 1, local.data() + local.size(), found, 16).ec != std::errc()) continue;
        if (found == port && (transport == Transport::udp || state == kListens)) inodes.push_back(inode);
    }
    return inodes;
}

PortFact try_port(const config::Listener& listener) {
    PortFact fact{listener};
    fact.error = bind_once(listener);
    if (fact.error == EADDRINUSE) find_holder(fact);
    return fact;
}

}  // namespace stox::doctor
