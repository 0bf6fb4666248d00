#pragma once
// Who holds the worker: the module on its standard descriptors, or each module that came to its control socket.

#include "plugin/host/control_channel.h"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stox::host {

class ControlSessions {
public:
    using Id = std::uint64_t;  ///< of one connection, never used again; 0: of none

    struct Events {
        std::function<void(Id, std::string_view line)> line;
        std::function<void(Id)> over;  ///< nothing comes any more; what is sent may still be read
    };

    explicit ControlSessions(Events events) : events_(std::move(events)) {}
    ~ControlSessions();
    ControlSessions(const ControlSessions&) = delete;
    ControlSessions& operator=(const ControlSessions&) = delete;

    /// Works on duplicates of both descriptors.
    ///   user  whose process it is, as words for a log
    ///   uid   its number, where the kernel told it
    /// Returns 0 when no descriptor is left.
    Id add(boost::asio::io_context& loop, int in, int out, std::string user, std::optional<unsigned> uid = {});
    std::size_t size() const { return all_.size(); }
    std::size_t size_of(unsigned uid) const;
    /// It speaks for that server from now on. Returns the session that did before, 0: none.
    Id speak_for(Id id, std::string server);
    /// Null: it has not said for whom it speaks.
    const std::string* server_of(Id id) const;
    const std::string& user_of(Id id) const;
    std::optional<unsigned> uid_of(Id id) const;
    Id of(const std::string& server) const;

    /// Nothing happens when the session is over.
    void send(Id id, std::string line);
    /// A line that may be lost when nobody reads.
    void send_log(Id id, const std::string& line);
    /// To every session that speaks for a server.
    void send_all(const std::string& line);
    void send_log_to_all(const std::string& line);
    /// Ends one, after what was sent to it before if the other side reads; `over` is not called.
    void close(Id id);
    /// Calls done when all that was sent is written, or cannot be.
    void drain(std::function<void()> done);
    void close_all();

private:
    struct Session {
        std::shared_ptr<ControlChannel> channel;
        std::string user, server;
        std::optional<unsigned> uid{};
        bool speaks = false;
    };

    Events events_;
    Id last_ = 0;
    std::map<Id, Session> all_;
};

}  // namespace stox::host
