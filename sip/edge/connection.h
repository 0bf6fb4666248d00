#pragma once
// One TCP or TLS connection: handshake, framing, deadlines, a bounded queue towards the peer. It ends once and says why.

#include "sip/edge/framer.h"
#include "sip/edge/settings.h"
#include "sip/edge/tls_contexts.h"
#include "sip/endpoint.h"
#include "sip/turn.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

struct iovec;

namespace stox::sip {

class Connection;

/// What a connection asks and tells. All calls come from the loop; the owner lives longer than its connections' last call.
class ConnectionOwner {
public:
    /// Whether a message of this peer, or its pings, may be taken now: nothing, or for how long to wait. Throws nothing; may end
    /// the connection.
    virtual std::chrono::milliseconds admit(Connection& connection) = 0;
    virtual void message(Connection& connection, std::string text) = 0;
    /// An accepted TLS connection is past its handshake.
    virtual void shaken(Connection& connection) = 0;
    /// What waits to be taken by its peer has changed by that many octets. May end the connection.
    virtual void queued(std::ptrdiff_t change) = 0;
    /// Somebody waits for something on an idle connection.
    virtual bool in_use(const Connection& connection) = 0;
    enum class End { peer_closed, ours, violation, deadline, idle, slow_reader, handshake, no_certificate, dial };
    /// Once; the connection is of no use any more.
    virtual void ended(Connection& connection, End end, const std::string& reason) = 0;

protected:
    ~ConnectionOwner() = default;
};

class Connection : public std::enable_shared_from_this<Connection> {
public:
    using Socket = boost::asio::ip::tcp::socket;

    struct Identity {
        Flow flow = Flow::none;
        Transport transport = Transport::tcp;
        stox::Endpoint peer;
        std::size_t listener = 0;  ///< that accepted it, or whose address it was dialled from
        bool dialled = false;
        bool stranger = false;              ///< its queue is a short one, until `granted`
        std::string tls_name, credentials;  ///< of the next hop that was dialled
    };

    Connection(Socket socket, Identity identity, const Limits& limits, ConnectionOwner& owner, Turn& turn,
               std::shared_ptr<const TlsContexts> contexts);
    ~Connection();

    const Identity& identity() const { return identity_; }
    const CertifiedNames& certified() const { return certified_; }

    /// One of the two, once. The socket is connected already, or bound at most.
    void accept();
    void dial();
    /// It is to be open by then, TLS included, or it ends. Does nothing once it is open.
    void hurry(std::chrono::seconds limit);

    /// Queues. False when it has ended, or ends by this: the peer takes nothing.
    bool write(const iovec* parts, std::size_t count);
    /// Octets that the peer has not taken yet.
    std::size_t queued() const { return queue_.size() + sending_.size(); }
    /// Gives the kernel what waits for the end of the turn.
    void offer();
    /// Whether the kernel has room for more, so that what is queued only waits for its turn.
    bool takes();
    void granted() { identity_.stranger = false; }
    /// Ends after what was written has left, within a few seconds.
    void finish();
    /// Ends now.
    void end(ConnectionOwner::End end, const std::string& reason);
    /// While held, silence does not end it.
    void hold() { ++held_; }
    void release() { held_ -= held_ > 0 ? 1 : 0; }
    /// Whether what was written can have been read: not before the connection is open, and not when the peer's first word is
    /// that it does not accept our certificate. It stays readable when the connection is gone.
    std::shared_ptr<const bool> delivers() const { return delivers_; }
    bool held() const { return held_ > 0; }

private:
    enum class State { connecting, handshaking, open, draining, ended };
    using Clock = std::chrono::steady_clock;
    using error_code = boost::system::error_code;

    void connected();
    void handshake();
    void shaken(error_code error);
    std::string check_peer();
    void opened();
    void read();
    void failed(error_code error);
    std::size_t read_on();
    void broken(const std::string& alert);
    std::size_t limit() const { return identity_.stranger ? limits_.stranger_write_queue : limits_.write_queue; }
    void take(std::size_t size);
    bool frame();
    bool may_take();
    void flush_soon();
    void flush();
    void flushed();
    void account();
    void drain();
    void last_words();
    void due_at(Clock::time_point due);
    void opens_within(std::chrono::seconds limit);
    void wait_until_due();
    void expired();
    template <class Buffer, class Handler>
    void async_read(const Buffer& buffer, Handler handler);

    Socket socket_;
    Identity identity_;
    Limits limits_;
    ConnectionOwner& owner_;
    Turn& turn_;
    std::shared_ptr<const TlsContexts> contexts_;
    std::unique_ptr<boost::asio::ssl::stream<Socket&>> tls_;
    CertifiedNames certified_;
    State state_ = State::connecting;
    std::shared_ptr<bool> delivers_ = std::make_shared<bool>(false);
    bool heard_ = false;  ///< octets came, after the handshake
    bool reading_ = false;

    StreamFramer framer_;
    std::array<char, 4'096> input_;
    std::optional<std::string> waiting_message_;  ///< framed, but over the rate of its source

    std::string queue_, sending_;
    std::size_t accounted_ = 0;  ///< what the owner knows of them
    bool writing_ = false, flush_posted_ = false, finishing_ = false, told_ = false;

    boost::asio::steady_timer timer_, pause_;
    Clock::time_point opens_by_{Clock::time_point::max()};
    Clock::time_point due_{}, armed_{Clock::time_point::max()};
    bool message_due_ = false;  ///< due_ is that of a message
    bool pinged_ = false;       ///< and has no pong yet
    bool carried_ = false;      ///< a whole message of the peer
    unsigned held_ = 0;
};

}  // namespace stox::sip
