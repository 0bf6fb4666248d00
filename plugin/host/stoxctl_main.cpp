// stoxctl: gives one command to the worker on this machine and shows its answer. The words, their checks and what is shown are
// the worker's; this program only carries them.

#include <nlohmann/json.hpp>

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using nlohmann::json;

constexpr int kFailed = 1, kMisused = 2;
constexpr timeval kPatience{10, 0};
// Where the packages of the servers keep the worker's state, and stoxd on its own.
constexpr std::array kPlaces{"/var/lib/stox/admin.sock", "/var/lib/prosody/stox/state/admin.sock",
                             "/var/lib/ejabberd/stox/state/admin.sock"};

struct Options {
    std::string socket;
    json question = {{"t", "admin"}, {"via", "stoxctl"}, {"command", ""}, {"arguments", json::array()}, {"json", false}};
};

int misused(const std::string& why) {
    std::fprintf(stderr,
                 "%s\nusage: stoxctl [--socket PATH] [--domain DOMAIN] [--json] COMMAND [ARGUMENT ...]\n"
                 "stoxctl help lists the commands. Exit status: 0 done, 1 refused or failed, 2 misused.\n",
                 why.c_str());
    return kMisused;
}

/// Nothing: an option without its value.
std::optional<Options> read(int argc, char** argv) {
    Options options;
    if (const char* given = std::getenv("STOX_ADMIN_SOCKET")) options.socket = given;
    for (int n = 1; n < argc; ++n) {
        const std::string_view word = argv[n];
        if (word == "--json") {
            options.question["json"] = true;
        } else if (word == "--socket" || word == "--domain") {
            if (++n == argc) return std::nullopt;
            if (word == "--socket")
                options.socket = argv[n];
            else
                options.question["domain"] = argv[n];
        } else if (options.question["command"] == "") {
            options.question["command"] = word;
        } else {
            options.question["arguments"].push_back(word);
        }
    }
    return options;
}

/// Connected; -1: nobody listens there, and errno says why.
int connect_to(const std::string& path) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -1;
    ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
    ::setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
    if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return descriptor;
    const int why = errno;
    ::close(descriptor);
    errno = why;
    return -1;
}

int find_worker(const std::string& given) {
    if (!given.empty()) {
        const int descriptor = connect_to(given);
        if (descriptor < 0) std::fprintf(stderr, "stoxctl: %s: %s\n", given.c_str(), std::strerror(errno));
        return descriptor;
    }
    for (const auto* place : kPlaces)
        if (const int descriptor = connect_to(place); descriptor >= 0) return descriptor;
    std::fprintf(stderr, "stoxctl: no worker is reached (as this user); tried, unless --socket names another:\n");
    for (const auto* place : kPlaces) std::fprintf(stderr, "  %s\n", place);
    return -1;
}

std::string ask(int descriptor, std::string question) {
    question += '\n';
    for (std::string_view left = question; !left.empty();) {
        const auto sent = ::send(descriptor, left.data(), left.size(), MSG_NOSIGNAL);
        if (sent <= 0) break;  // what it has to say may be there all the same
        left.remove_prefix(static_cast<std::size_t>(sent));
    }
    std::string answer;
    std::vector<char> buffer(65'536);
    while (answer.find('\n') == answer.npos) {
        const auto got = ::recv(descriptor, buffer.data(), buffer.size(), 0);
        if (got <= 0) break;
        answer.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return answer;
}

}  // namespace

int main(int argc, char** argv) {
    const auto options = read(argc, argv);
    if (!options) return misused("stoxctl: an option without its value");
    if (options->question["command"] == "") return misused("stoxctl: no command");
    const int descriptor = find_worker(options->socket);
    if (descriptor < 0) return kFailed;
    const auto answer =
        json::parse(ask(descriptor, options->question.dump(-1, ' ', false, json::error_handler_t::replace)), nullptr, false);
    if (!answer.is_object()) {
        std::fputs("stoxctl: the worker did not answer\n", stderr);
        return kFailed;
    }
    const int code = answer.value("code", kFailed);
    std::fputs(answer.value("output", std::string()).c_str(), code == 0 ? stdout : stderr);
    return code;
}
