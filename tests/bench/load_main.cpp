// Puts a bounded load on a SIP listener of 127.0.0.1 and waits for every answer.
//
// Usage: stox_sip_load message|call udp|tcp|tls PORT COUNT WINDOW [RATE]
//   message  MESSAGE and its 2xx
//   call     INVITE, 2xx, ACK, BYE, 2xx
//   hold     INVITE, 2xx, ACK; the dialogs stay
//   WINDOW   of them are on their way at any time; RATE begin in a second, without it as many as the window lets
// Over UDP what is not answered is sent again after a second. Prints the seconds it took and how often it sent again.
// Exit status: 0 every request got its 2xx, 1 some did not.

#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace {

using Clock = std::chrono::steady_clock;

enum class Kind { message, call, hold };

/// A connected socket, with TLS over it if that was asked for.
class Wire {
public:
    Wire(const std::string& transport, unsigned port) : udp_(transport == "udp") {
        socket_ = ::socket(AF_INET, (udp_ ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        good_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
        const int on = 1;
        if (!udp_) ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (good_ && transport == "tls") {
            context_ = SSL_CTX_new(TLS_client_method());  // it measures; whom it talks to is known
            tls_ = SSL_new(context_);
            SSL_set_fd(tls_, socket_);
            good_ = SSL_connect(tls_) == 1;
        }
    }
    ~Wire() {
        if (tls_) SSL_free(tls_);
        if (context_) SSL_CTX_free(context_);
        ::close(socket_);
    }
    Wire(const Wire&) = delete;
    Wire& operator=(const Wire&) = delete;

    bool good() const { return good_; }
    bool udp() const { return udp_; }

    bool send(std::string_view octets) {
        while (!octets.empty()) {
            const auto sent = tls_ ? static_cast<ssize_t>(SSL_write(tls_, octets.data(), static_cast<int>(octets.size())))
                                   : ::send(socket_, octets.data(), octets.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            octets.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }
    /// False: nothing came for that long.
    bool wait(int milliseconds) {
        if (tls_ && SSL_pending(tls_) > 0) return true;
        pollfd readable{socket_, POLLIN, 0};
        return ::poll(&readable, 1, milliseconds) > 0;
    }
    /// False: the other end is gone.
    bool receive(std::string& into) {
        char octets[65'536];
        const auto size =
            tls_ ? static_cast<ssize_t>(SSL_read(tls_, octets, sizeof octets)) : ::recv(socket_, octets, sizeof octets, 0);
        if (size <= 0) return false;
        into.append(octets, static_cast<std::size_t>(size));
        return true;
    }

private:
    bool udp_, good_ = false;
    int socket_ = -1;
    SSL_CTX* context_ = nullptr;
    SSL* tls_ = nullptr;
};

struct Exchange {
    std::string last;  ///< sent, not answered
    Clock::time_point sent;
    bool ending = false;  ///< the BYE is out
};

class Load {
public:
    Load(Wire& wire, Kind kind, std::string via, unsigned count, unsigned window, unsigned rate)
        : wire_(wire), kind_(kind), via_(std::move(via)), count_(count), window_(window), rate_(rate) {}

    bool run() {
        const auto begun = Clock::now();
        while (next_ < count_ || !open_.empty()) {
            const auto passed = std::chrono::duration<double>(Clock::now() - begun).count();
            const auto due = rate_ ? static_cast<unsigned>(passed * rate_) + 1 : count_;
            while (next_ < count_ && next_ < due && open_.size() < window_)
                if (!begin(next_++)) return false;
            const bool waits_for_rate = rate_ && next_ < count_ && open_.size() < window_;
            if (!wire_.wait(waits_for_rate ? 1 : 1'000)) {
                if (!waits_for_rate && !wire_.udp()) return false;
                again();
                continue;
            }
            if (!wire_.receive(input_) || !take_answers()) return false;
        }
        return true;
    }
    unsigned repeated() const { return repeated_; }

private:
    std::string request(std::string_view method, unsigned number, unsigned cseq, const std::string& to_tag, bool body) const {
        const auto id = std::to_string(number);
        std::string text;
        text.reserve(700);
        text.append(method)
            .append(" sip:hold@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/")
            .append(via_)
            .append(" 127.0.0.1:5999;rport;branch=z9hG4bKl");
        text.append(id)
            .append("x")
            .append(std::to_string(cseq))
            .append(method == "ACK" ? "a" : "")
            .append("\r\nMax-Forwards: 70\r\nFrom: <sip:juliet@capulet.test>;tag=t");
        text.append(id)
            .append("\r\nTo: <sip:romeo@montague.test>")
            .append(to_tag.empty() ? "" : ";tag=" + to_tag)
            .append("\r\nCall-ID: load")
            .append(id);
        text.append("\r\nCSeq: ").append(std::to_string(cseq)).append(" ").append(method).append("\r\n");
        if (method == "INVITE") text.append("Contact: <sip:juliet@127.0.0.1:5999>\r\n");
        if (!body) return text.append("Content-Length: 0\r\n\r\n");
        const std::string_view offer =
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 49170 RTP/AVP 0\r\n";
        const auto [type, octets] = method == "INVITE" ? std::pair<std::string_view, std::string_view>("application/sdp", offer)
                                                       : std::pair<std::string_view, std::string_view>(
                                                             "text/plain;charset=utf-8", "Art thou not Romeo, and so");
        return text.append("Content-Type: ")
            .append(type)
            .append("\r\nContent-Length: ")
            .append(std::to_string(octets.size()))
            .append("\r\n\r\n")
            .append(octets);
    }

    bool begin(unsigned number) {
        return put(number, request(kind_ == Kind::message ? "MESSAGE" : "INVITE", number, 1, {}, true), false);
    }

    bool put(unsigned number, std::string text, bool ending) {
        auto& exchange = open_[number] = {std::move(text), Clock::now(), ending};
        return wire_.send(exchange.last);
    }

    void again() {
        const auto now = Clock::now();
        for (auto& [number, exchange] : open_)
            if (now - exchange.sent >= std::chrono::seconds(1)) {
                exchange.sent = now;
                ++repeated_;
                wire_.send(exchange.last);
            }
    }

    static std::string_view between(std::string_view text, std::string_view before, std::string_view after) {
        const auto begin = text.find(before);
        if (begin == text.npos) return {};
        text.remove_prefix(begin + before.size());
        return text.substr(0, text.find_first_of(after));
    }

    bool take_answers() {
        std::size_t taken = 0;
        for (auto end = input_.find("\r\n\r\n"); end != input_.npos; end = input_.find("\r\n\r\n", taken)) {
            const auto response = std::string_view(input_).substr(taken, end - taken);
            const auto body = std::strtoul(std::string(between(response, "Content-Length: ", "\r")).c_str(), nullptr, 10);
            if (end + 4 + body > input_.size()) break;
            if (!take(response)) return false;
            taken = end + 4 + body;
        }
        input_.erase(0, taken);
        return true;
    }

    bool take(std::string_view response) {
        if (response.starts_with("SIP/2.0 1")) return true;
        if (!response.starts_with("SIP/2.0 2")) return false;
        const auto number = static_cast<unsigned>(std::atoi(std::string(between(response, "Call-ID: load", "\r")).c_str()));
        const auto found = open_.find(number);
        if (found == open_.end()) return true;
        const bool to_invite = response.find(" INVITE") != response.npos;
        if (kind_ != Kind::message && to_invite == found->second.ending) return true;  // a copy of the answer before
        if (!to_invite) {
            open_.erase(found);
            return true;
        }
        const std::string tag(between(between(response, "\r\nTo:", "\r"), "tag=", ";"));
        const auto ack = request("ACK", number, 1, tag, false);
        if (kind_ == Kind::hold) {
            open_.erase(found);
            return wire_.send(ack);
        }
        return wire_.send(ack) && put(number, request("BYE", number, 2, tag, false), true);
    }

    Wire& wire_;
    Kind kind_;
    std::string via_;
    unsigned count_, window_, rate_, next_ = 0, repeated_ = 0;
    std::map<unsigned, Exchange> open_;
    std::string input_;
};

}  // namespace

int main(int argc, char** argv) {
    const std::map<std::string, Kind> kinds{{"message", Kind::message}, {"call", Kind::call}, {"hold", Kind::hold}};
    const std::map<std::string, std::string> vias{{"udp", "UDP"}, {"tcp", "TCP"}, {"tls", "TLS"}};
    if (argc < 6 || !kinds.contains(argv[1]) || !vias.contains(argv[2]))
        return std::fputs("usage: stox_sip_load message|call|hold udp|tcp|tls PORT COUNT WINDOW [RATE]\n", stderr), 2;
    const auto number = [&](int index) { return index < argc ? static_cast<unsigned>(std::atoi(argv[index])) : 0; };
    Wire wire(argv[2], number(3));
    if (!wire.good()) return std::fputs("nobody listens there\n", stderr), 1;
    Load load(wire, kinds.at(argv[1]), vias.at(argv[2]), number(4), number(5), number(6));
    const auto begun = Clock::now();
    const bool good = load.run();
    std::printf("%.3f %u\n", std::chrono::duration<double>(Clock::now() - begun).count(), load.repeated());
    return good ? 0 : 1;
}
