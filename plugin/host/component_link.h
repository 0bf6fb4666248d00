#pragma once
// The socket under one component stream: connects, keeps a ComponentSession fed, comes back by itself.

#include "mapping/xmpp/component_session.h"
#include "plugin/config/options.h"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <string>

namespace stox::host {

/// All callbacks come on the loop's thread and never from inside a call of ours.
class ComponentLink {
public:
    struct Events {
        std::function<void(std::string stream)> up;  ///< with the id that the server gave the stream
        std::function<void(std::string reason)> down;  ///< after up, or when an attempt failed
        std::function<void(xmpp::Stanza&&)> stanza;
        std::function<void(xmpp::Stanza envelope, Error why)> unreadable;  ///< a stanza of which nothing else could be read
        std::function<void(std::string why)> nameless;  ///< one that not even says who sent it
        std::function<void(std::string why)> refused;   ///< one of ours that may not leave
    };

    /// Connects at once and for ever, until stop or destruction.
    ComponentLink(boost::asio::io_context& loop, std::string domain, config::Attachment attachment, Events events);
    ~ComponentLink();

    /// The domain's, which a stanza has that names none.
    void set_language(std::string tag);
    /// Writes the stanza; without a stream it is dropped (the engine knows that the stream is down).
    void send(const xmpp::Stanza& stanza);
    /// More waits to be written than contracts allow (4,096 stanzas or 8 MiB): take nothing new for this domain. While it
    /// lasts the stream is not read either.
    bool congested() const;
    /// While it is paused the stream is not read; what was read already still comes.
    void pause(bool paused);
    /// Writes what waits, closes the stream, then calls done; no other event comes any more.
    void stop(std::function<void()> done);
    /// Same server, other socket or secret: the stream is closed and opened again there.
    void attach(config::Attachment attachment);

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace stox::host
