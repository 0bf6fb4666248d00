// Page-mode messages through a gateway, at a stated rate, with one end on each of its sides: a SIP peer over UDP and a component
// that is the users' XMPP domain. Every message is accounted for.
//
// Usage: stox_message_load to-xmpp|to-sip NAME=VALUE ...
//   sip=ADDRESS:PORT     where the gateway listens
//   bind=ADDRESS:PORT    our SIP end, to which the gateway sends
//   xmpp=ADDRESS:PORT    where the server takes components
//   component=DOMAIN     the users', which we attach as; secret=WORD
//   domain=DOMAIN        of the senders on the SIP side
//   to=PATTERN           whom messages go to, {} is the number of the target: user{}@montague.test, phone{}@capulet.test
//   targets=N count=N rate=N
// Prints: seconds, then the numbers sent, accepted (SIP: 2xx to us; XMPP: all that were not refused), refused, unanswered, arrived,
// copies, then the median and the 99th percentile in milliseconds until the far end had it and, to-xmpp, until the answer.
// Exit status: 0 each was answered or refused and what was accepted arrived, 1 some were lost.

#include <openssl/evp.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;
constexpr std::chrono::milliseconds kFirstRepeat{500}, kSlowestRepeat{4'000};  // RFC 3261 T1, T2
constexpr std::chrono::seconds kTimerF{32};
constexpr std::chrono::seconds kQuiet{10};  ///< nothing has come for so long: nothing more will

struct Options {
    std::map<std::string, std::string> words;
    const std::string& operator[](const std::string& name) const {
        const auto found = words.find(name);
        if (found == words.end()) std::fprintf(stderr, "%s= is missing\n", name.c_str()), std::exit(2);
        return found->second;
    }
    unsigned number(const std::string& name) const { return static_cast<unsigned>(std::atoi((*this)[name].c_str())); }
};

sockaddr_in endpoint(const std::string& text) {
    const auto colon = text.rfind(':');
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(text.c_str() + colon + 1)));
    ::inet_pton(AF_INET, text.substr(0, colon).c_str(), &address.sin_addr);
    return address;
}

void die(const char* what) {
    std::perror(what);
    std::exit(1);
}

/// What stands between two texts; empty where the first does not.
std::string_view between(std::string_view text, std::string_view before, std::string_view ends) {
    const auto at = text.find(before);
    if (at == text.npos) return {};
    text.remove_prefix(at + before.size());
    return text.substr(0, text.find_first_of(ends));
}

int number_in(std::string_view text, std::string_view before) {
    const auto digits = between(text, before, "< '\"\r\n");
    return digits.empty() ? -1 : std::atoi(std::string(digits).c_str());
}

std::string filled(std::string_view pattern, unsigned number) {
    std::string text(pattern);
    if (const auto at = text.find("{}"); at != text.npos) text.replace(at, 2, std::to_string(number));
    return text;
}

/// The users' domain: a component stream.
class XmppEnd {
public:
    explicit XmppEnd(const Options& options) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const auto there = endpoint(options["xmpp"]);
        if (::connect(socket_, reinterpret_cast<const sockaddr*>(&there), sizeof there) != 0) die("the server's component port");
        const int on = 1;
        ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        put("<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='" +
            options["component"] + "'>");
        flush_all();
        while (input_.find("id='") == input_.npos || input_.find('>', input_.find("id='")) == input_.npos) receive_more();
        const auto id = std::string(between(input_, "id='", "'"));
        input_.clear();
        put("<handshake>" + sha1(id + options["secret"]) + "</handshake>");
        flush_all();
        while (input_.find("<handshake") == input_.npos) receive_more();
        input_.clear();
        ::fcntl(socket_, F_SETFL, O_NONBLOCK);
    }
    ~XmppEnd() { ::close(socket_); }
    XmppEnd(const XmppEnd&) = delete;
    XmppEnd& operator=(const XmppEnd&) = delete;

    int descriptor() const { return socket_; }
    bool has_output() const { return !output_.empty(); }
    void put(std::string_view text) { output_.append(text); }
    void flush() {
        while (!output_.empty()) {
            const auto sent = ::send(socket_, output_.data(), output_.size(), MSG_NOSIGNAL);
            if (sent <= 0) return;
            output_.erase(0, static_cast<std::size_t>(sent));
        }
    }
    /// Whole messages out of what came.
    template <class Take>
    void receive(Take take) {
        char octets[65'536];
        for (;;) {
            const auto size = ::recv(socket_, octets, sizeof octets, 0);
            if (size == 0) std::fputs("the server closed the stream\n", stderr), std::exit(1);
            if (size < 0) break;
            input_.append(octets, static_cast<std::size_t>(size));
        }
        static constexpr std::string_view kEnd = "</message>";
        std::size_t taken = 0;
        for (auto end = input_.find(kEnd); end != input_.npos; end = input_.find(kEnd, taken)) {
            take(std::string_view(input_).substr(taken, end - taken));
            taken = end + kEnd.size();
        }
        input_.erase(0, taken);
    }

private:
    static std::string sha1(const std::string& text) {
        std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
        unsigned octets = 0;
        EVP_Digest(text.data(), text.size(), digest.data(), &octets, EVP_sha1(), nullptr);
        std::string hex;
        for (unsigned i = 0; i < octets; ++i) {
            char two[3];
            std::snprintf(two, sizeof two, "%02x", digest[i]);
            hex += two;
        }
        return hex;
    }
    void flush_all() {
        while (!output_.empty()) flush();
    }
    void receive_more() {
        char octets[4096];
        const auto size = ::recv(socket_, octets, sizeof octets, 0);
        if (size <= 0) die("the server's component stream");
        input_.append(octets, static_cast<std::size_t>(size));
        if (input_.find("<stream:error") != input_.npos) std::fputs(input_.c_str(), stderr), std::exit(1);
    }

    int socket_;
    std::string input_, output_;
};

struct Sent {
    Clock::time_point at{}, arrived{}, answered{};
    int status = 0;  ///< of the answer, or 1 for an error stanza
    bool here = false;
};

class Load {
public:
    Load(bool to_xmpp, const Options& options)
        : to_xmpp_(to_xmpp),
          options_(options),
          gateway_(endpoint(options["sip"])),
          targets_(options.number("targets")),
          rate_(options.number("rate")),
          sent_(options.number("count")),
          sip_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)),
          xmpp_(options) {
        const auto here = endpoint(options["bind"]);
        const int room = 8 << 20;
        ::setsockopt(sip_, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
        if (::bind(sip_, reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0) die("bind");
    }
    ~Load() { ::close(sip_); }
    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;

    int run() {
        begun_ = last_news_ = Clock::now();
        while (next_ < sent_.size() || !settled()) {
            send_what_is_due();
            repeat_what_is_due();
            xmpp_.flush();
            std::array<pollfd, 2> both{pollfd{sip_, POLLIN, 0},
                                       pollfd{xmpp_.descriptor(), static_cast<short>(xmpp_.has_output() ? POLLIN | POLLOUT : POLLIN), 0}};
            ::poll(both.data(), both.size(), 1);
            if (both[0].revents) receive_sip();
            xmpp_.receive([this](std::string_view message) { take_stanza(message); });
        }
        return report();
    }

private:
    /// All are accounted for, or nothing comes any more.
    bool settled() {
        const bool all = to_xmpp_ ? answered_ == sent_.size() && arrived_ >= accepted_ : arrived_ + refused_ >= sent_.size();
        if (all) return Clock::now() - last_news_ >= std::chrono::milliseconds(300);  // a copy of the last one
        return open_.empty() && Clock::now() - last_news_ >= kQuiet;
    }

    void send_what_is_due() {
        const auto due = std::chrono::duration<double>(Clock::now() - begun_).count() * rate_;
        while (next_ < sent_.size() && static_cast<double>(next_) <= due) {
            sent_[next_].at = Clock::now();
            if (to_xmpp_)
                send_request(static_cast<unsigned>(next_));
            else
                write_stanza(static_cast<unsigned>(next_));
            ++next_;
        }
    }

    void send_request(unsigned number) {
        const auto text = std::to_string(number);
        const auto to = filled(options_["to"], number % targets_);
        const auto body = "load " + text;
        std::string request = "MESSAGE sip:" + to + " SIP/2.0\r\nVia: SIP/2.0/UDP " + options_["bind"] + ";rport;branch=z9hG4bKm" + text +
                              "x" + options_["run"] + "\r\nMax-Forwards: 70\r\nFrom: <sip:juliet" + std::to_string(number % targets_) + '@' +
                              options_["domain"] + ">;tag=t" + text + "\r\nTo: <sip:" + to + ">\r\nCall-ID: load" + text + "x" +
                              options_["run"] + "\r\nCSeq: 1 MESSAGE\r\nContent-Type: text/plain\r\nContent-Length: " +
                              std::to_string(body.size()) + "\r\n\r\n" + body;
        transmit(request);
        repeats_.emplace(Clock::now() + kFirstRepeat, Repeat{number, kFirstRepeat * 2});
        open_.emplace(number, std::move(request));
    }

    void repeat_what_is_due() {
        const auto now = Clock::now();
        while (!repeats_.empty() && repeats_.begin()->first <= now) {
            auto [number, wait] = repeats_.begin()->second;
            repeats_.erase(repeats_.begin());
            const auto known = open_.find(number);
            if (known == open_.end()) continue;
            if (now - sent_[number].at >= kTimerF) {
                open_.erase(known);
                continue;
            }
            transmit(known->second);
            ++repeated_;
            repeats_.emplace(now + wait, Repeat{number, std::min<std::chrono::milliseconds>(wait * 2, kSlowestRepeat)});
        }
    }

    void write_stanza(unsigned number) {
        const auto text = std::to_string(number);
        xmpp_.put("<message from='user" + std::to_string(number % targets_) + '@' + options_["component"] + "/load' to='" +
                  filled(options_["to"], number % targets_) + "' id='load-" + text + "' type='chat'><body>load " + text + "</body></message>");
    }

    void transmit(std::string_view octets) {
        ::sendto(sip_, octets.data(), octets.size(), 0, reinterpret_cast<const sockaddr*>(&gateway_), sizeof gateway_);
    }

    void receive_sip() {
        char octets[65'536];
        for (;;) {
            const auto size = ::recv(sip_, octets, sizeof octets, 0);
            if (size < 0) return;
            const std::string_view text(octets, static_cast<std::size_t>(size));
            if (text.starts_with("SIP/2.0 "))
                take_response(text);
            else
                take_request(text);
        }
    }

    void take_response(std::string_view text) {
        const int status = std::atoi(std::string(text.substr(8, 3)).c_str());
        const auto number = static_cast<unsigned>(std::atoi(std::string(between(text, "Call-ID: load", "x\r")).c_str()));
        if (status < 200 || open_.erase(number) == 0) return;
        auto& one = sent_[number];
        one.status = status, one.answered = last_news_ = Clock::now();
        ++answered_;
        ++(status < 300 ? accepted_ : refused_);
    }

    void take_request(std::string_view text) {
        std::string answer = "SIP/2.0 200 OK\r\n";
        for (std::size_t at = text.find("\r\n") + 2; at < text.size();) {
            const auto end = text.find("\r\n", at);
            if (end == text.npos || end == at) break;
            const auto line = text.substr(at, end + 2 - at);
            for (const auto* name : {"Via:", "v:", "From:", "f:", "Call-ID:", "i:", "CSeq:"})
                if (line.starts_with(name)) answer += line;
            if (line.starts_with("To:") || line.starts_with("t:")) {
                const bool tagged = line.find("tag=") != line.npos;
                answer.append(line.substr(0, line.size() - 2)).append(tagged ? "\r\n" : ";tag=load\r\n");
            }
            at = end + 2;
        }
        transmit(answer + "Content-Length: 0\r\n\r\n");
        arrives(number_in(text, "\r\n\r\nload "));
    }

    void take_stanza(std::string_view message) {
        const auto tag = message.substr(message.rfind("<message"));
        const bool error = tag.find("type='error'") != tag.npos || tag.find("type=\"error\"") != tag.npos;
        if (!error) return arrives(number_in(message, "<body>load "));
        const int number = number_in(message, "load-");
        if (to_xmpp_ || number < 0 || sent_[static_cast<std::size_t>(number)].status) return;
        sent_[static_cast<std::size_t>(number)].status = 1;
        last_news_ = Clock::now();
        ++refused_;
    }

    void arrives(int number) {
        if (number < 0 || static_cast<std::size_t>(number) >= sent_.size()) return;
        auto& one = sent_[static_cast<std::size_t>(number)];
        if (std::exchange(one.here, true)) return void(++copies_);
        one.arrived = last_news_ = Clock::now();
        ++arrived_;
    }

    static std::string percentiles(std::vector<double> all) {
        if (all.empty()) return "- -";
        std::ranges::sort(all);
        char text[64];
        std::snprintf(text, sizeof text, "%.2f %.2f", all[all.size() / 2], all[all.size() * 99 / 100]);
        return text;
    }

    int report() const {
        std::vector<double> arrival, answer;
        std::size_t lost = 0;
        for (const auto& one : sent_) {
            if (one.here) arrival.push_back(Milliseconds(one.arrived - one.at).count());
            if (to_xmpp_ && one.status) answer.push_back(Milliseconds(one.answered - one.at).count());
            lost += to_xmpp_ ? (one.status >= 200 && one.status < 300 && !one.here) : (!one.here && !one.status);
        }
        const auto unanswered = to_xmpp_ ? sent_.size() - answered_ : lost;
        const auto accepted = to_xmpp_ ? accepted_ : sent_.size() - refused_;
        std::printf("%.3f %zu %zu %zu %zu %zu %zu %zu %s %s\n", std::chrono::duration<double>(last_news_ - begun_).count(), sent_.size(), accepted,
                    refused_, unanswered, arrived_, copies_, lost, percentiles(arrival).c_str(), percentiles(answer).c_str());
        return lost == 0 && unanswered == 0 ? 0 : 1;
    }

    struct Repeat {
        unsigned number;
        std::chrono::milliseconds wait;
    };

    const bool to_xmpp_;
    const Options& options_;
    const sockaddr_in gateway_;
    const unsigned targets_, rate_;
    std::vector<Sent> sent_;
    int sip_;
    XmppEnd xmpp_;
    std::size_t next_ = 0, answered_ = 0, accepted_ = 0, refused_ = 0, arrived_ = 0, copies_ = 0, repeated_ = 0;
    std::map<unsigned, std::string> open_;
    std::multimap<Clock::time_point, Repeat> repeats_;
    Clock::time_point begun_, last_news_;
};

}  // namespace

int main(int argc, char** argv) {
    const std::string_view kind = argc > 1 ? argv[1] : "";
    if (kind != "to-xmpp" && kind != "to-sip") return std::fputs("usage: stox_message_load to-xmpp|to-sip NAME=VALUE ...\n", stderr), 2;
    Options options;
    options.words["run"] = std::to_string(Clock::now().time_since_epoch().count() % 1'000'000'007);
    for (int i = 2; i < argc; ++i) {
        const std::string_view word = argv[i];
        const auto equals = word.find('=');
        options.words[std::string(word.substr(0, equals))] = equals == word.npos ? "" : std::string(word.substr(equals + 1));
    }
    return Load(kind == "to-xmpp", options).run();
}
