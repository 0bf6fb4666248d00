#include "plugin/host/component_link.h"

#include "plugin/host/backoff.h"
#include "plugin/host/service_access.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <chrono>
#include <optional>
#include <random>
#include <utility>

namespace stox::host {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::milliseconds;

namespace {

constexpr std::size_t kMaxStanzas = 4'096;
constexpr std::size_t kMaxOctets = 8u << 20;
constexpr milliseconds kAfterConflict{5'000};  // the server may still hold our half-dead stream
constexpr milliseconds kHandshakeTimeout{10'000};
constexpr milliseconds kStopTimeout{1'000};

using Socket = asio::generic::stream_protocol::socket;

asio::generic::stream_protocol::endpoint to_asio(const config::Attachment& attachment) {
    if (!attachment.unix_path.empty()) return asio::local::stream_protocol::endpoint(attachment.unix_path);
    const auto& tcp = attachment.tcp.value();
    return asio::ip::tcp::endpoint(asio::ip::make_address(tcp.address.to_string()), tcp.port);
}

}  // namespace

/// Handlers hold a weak reference and the number of the attempt they belong to, so that nothing of an old socket reaches
/// a new one, and nothing at all reaches a link that was destroyed.
struct ComponentLink::Impl : std::enable_shared_from_this<Impl> {
    Impl(asio::io_context& loop_, std::string domain_, config::Attachment attachment_, Events events_)
        : loop(loop_), domain(std::move(domain_)), attachment(std::move(attachment_)), events(std::move(events_)), timer(loop_) {}

    asio::io_context& loop;
    std::string domain;
    config::Attachment attachment;
    std::string language;
    Events events;
    asio::steady_timer timer;  ///< retry, or the limit of the handshake or of stopping
    std::minstd_rand random{std::random_device{}()};
    Backoff backoff;

    std::optional<Socket> socket;
    std::optional<xmpp::ComponentSession> session;
    std::uint64_t attempt = 0;
    bool attached = false;
    std::chrono::steady_clock::time_point attached_at;
    bool reading = false;
    bool paused = false;
    std::array<char, 65'536> input;
    std::string writing, waiting;  ///< octets
    std::size_t writing_stanzas = 0, waiting_stanzas = 0;
    std::function<void()> stopped;

    template <class Handler>
    auto guarded(Handler handler) {
        return [weak = weak_from_this(), of = attempt, handler = std::move(handler)](auto... arguments) {
            if (auto self = weak.lock(); self && self->attempt == of) handler(*self, arguments...);
        };
    }

    void connect() {
        drop_connection();
        session.emplace(domain, attachment.secret);
        session->set_default_language(language);
        socket.emplace(loop);
        arm(kHandshakeTimeout, [](Impl& self) { self.lost("the server does not finish the handshake"); });
        try {
            socket->async_connect(to_asio(attachment), guarded([](Impl& self, error_code error) { self.connected(error); }));
        } catch (const boost::system::system_error& error) {  // a path too long for a socket, no descriptor
            asio::post(loop, guarded([why = std::string(error.what())](Impl& self) { self.lost(why); }));
        }
    }

    template <class Action>
    void arm(milliseconds delay, Action action) {
        timer.expires_after(delay);
        timer.async_wait(guarded([action](Impl& self, error_code error) {
            if (!error) action(self);
        }));
    }

    void connected(error_code error) {
        if (error) return lost("cannot connect to the server: " + error.message());
        // XEP-0114 proves us to the server, not the server to us.
        if (attachment.owner) {
            const auto server = peer_of(socket->native_handle());
            if (!server || server->user != *attachment.owner)
                return lost("another user than the server's listens on " + attachment.unix_path + ": remove that socket");
        }
        perform(session->open());
        read();
    }

    void read() {
        if (!socket || !session || reading || paused || is_congested()) return;
        reading = true;
        socket->async_read_some(
            asio::buffer(input), guarded([](Impl& self, error_code error, std::size_t octets) {
                self.reading = false;
                if (error) return self.lost(error == asio::error::eof ? "the server closed the connection" : error.message());
                const auto of = self.attempt;
                self.perform(self.session->receive({self.input.data(), octets}));
                if (self.attempt == of) self.read();
            }));
    }

    void perform(std::vector<xmpp::SessionEvent> session_events) {
        const auto of = attempt;
        for (auto& event : session_events) {
            if (attempt != of || stopped) return;
            if (auto* send = std::get_if<xmpp::SendOctets>(&event))
                write(std::move(send->octets));
            else if (auto* begun = std::get_if<xmpp::Attached>(&event))
                now_attached(std::move(begun->stream_id));
            else if (auto* received = std::get_if<xmpp::StanzaReceived>(&event))
                events.stanza(std::move(received->stanza));
            else if (auto* refused = std::get_if<xmpp::StanzaRefused>(&event))
                stanza_refused(std::move(*refused));
            else if (auto* ended = std::get_if<xmpp::StreamEnded>(&event))
                stream_ended(*ended);
        }
    }

    void stanza_refused(xmpp::StanzaRefused refused) {
        if (refused.envelope)
            events.unreadable(std::move(*refused.envelope), std::move(refused.why));
        else
            events.nameless(std::move(refused.why.detail));
    }

    void now_attached(std::string stream) {
        timer.cancel();
        attached = true;
        attached_at = std::chrono::steady_clock::now();
        events.up(std::move(stream));
    }

    void stream_ended(const xmpp::StreamEnded& ended) {
        std::string reason = ended.condition;
        if (!ended.detail.empty()) reason += (reason.empty() ? "" : ": ") + ended.detail;
        // What waits is still written, why the stream ends is the last of it; the next attempt takes the socket away.
        session.reset();
        come_back(reason.empty() ? "the server closed the stream" : reason,
                  ended.condition == "conflict" ? kAfterConflict : milliseconds(0));
    }

    void write(std::string octets) {
        waiting += octets;
        flush();
    }

    void flush() {
        if (!socket || !writing.empty()) return;
        if (waiting.empty()) {
            // Our end is closed first and the server's waited for: closing with unread input could reset what is on its way.
            error_code ignored;
            if (stopped || !session) socket->shutdown(Socket::shutdown_send, ignored);
            return;
        }
        writing.swap(waiting);
        writing_stanzas = std::exchange(waiting_stanzas, 0);
        asio::async_write(*socket, asio::buffer(writing), guarded([](Impl& self, error_code error, std::size_t) {
            if (error && self.session) return self.lost(error.message());
            self.writing.clear();
            self.writing_stanzas = 0;
            if (error) {  // the stream is over, and nobody takes what waits
                self.waiting.clear();
                self.waiting_stanzas = 0;
                return;
            }
            self.flush();
            self.read();
        }));
    }

    /// What is being written counts until the socket has taken all of it: a server that does not read leaves it with us.
    bool is_congested() const {
        return writing_stanzas + waiting_stanzas >= kMaxStanzas || writing.size() + waiting.size() >= kMaxOctets;
    }

    void drop_connection() {
        ++attempt;
        socket.reset();
        session.reset();
        attached = reading = false;
        writing.clear();
        waiting.clear();
        writing_stanzas = waiting_stanzas = 0;
    }

    void lost(std::string reason) {
        note_how_long();
        drop_connection();
        if (stopped) return finish_stop();
        come_back(std::move(reason), milliseconds(0));
    }

    void note_how_long() {
        if (std::exchange(attached, false)) backoff.worked_for(std::chrono::steady_clock::now() - attached_at);
    }

    void come_back(std::string reason, milliseconds at_least) {
        note_how_long();
        arm(std::max(at_least, backoff.next(static_cast<std::uint32_t>(random()))), [](Impl& self) { self.connect(); });
        events.down(std::move(reason));
    }

    void finish_stop() {
        drop_connection();
        timer.cancel();
        if (auto done = std::exchange(stopped, nullptr)) done();
    }
};

ComponentLink::ComponentLink(asio::io_context& loop, std::string domain, config::Attachment attachment, Events events)
    : impl_(std::make_shared<Impl>(loop, std::move(domain), std::move(attachment), std::move(events))) {
    impl_->connect();
}

ComponentLink::~ComponentLink() = default;

void ComponentLink::set_language(std::string tag) {
    impl_->language = std::move(tag);
    if (impl_->session) impl_->session->set_default_language(impl_->language);
}

void ComponentLink::send(const xmpp::Stanza& stanza) {
    if (!impl_->attached) return;
    auto octets = impl_->session->encode(stanza);
    if (!octets) {
        asio::post(impl_->loop, impl_->guarded([why = octets.error().detail](Impl& self) { self.events.refused(why); }));
        return;
    }
    ++impl_->waiting_stanzas;
    impl_->write(std::move(octets).value());
}

void ComponentLink::pause(bool paused) {
    if (std::exchange(impl_->paused, paused) && !paused)
        asio::post(impl_->loop, impl_->guarded([](Impl& self) { self.read(); }));
}

bool ComponentLink::congested() const { return impl_->is_congested(); }

void ComponentLink::stop(std::function<void()> done) {
    auto& self = *impl_;
    if (!self.attached) {
        self.drop_connection();
        self.timer.cancel();
        asio::post(self.loop, std::move(done));
        return;
    }
    self.stopped = std::move(done);
    self.attached = false;
    self.arm(kStopTimeout, [](Impl& late) { late.finish_stop(); });
    for (auto& event : self.session->close())
        if (auto* send = std::get_if<xmpp::SendOctets>(&event)) self.waiting += send->octets;
    asio::post(self.loop, self.guarded([](Impl& closing) { closing.flush(); }));
}

void ComponentLink::attach(config::Attachment attachment) {
    if (impl_->attachment == attachment) return;
    impl_->attachment = std::move(attachment);
    impl_->backoff.reset();
    asio::post(impl_->loop, impl_->guarded([](Impl& self) { self.lost("the server moved its socket"); }));
}

}  // namespace stox::host
