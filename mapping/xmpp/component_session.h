#pragma once
// The component's side of XEP-0114: one stream, from our header to its end. No socket: octets in, events out.

#include "mapping/xml/reader.h"
#include "mapping/xmpp/stanza.h"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace stox::xmpp {

struct SendOctets {
    std::string octets;
};
/// The server took our handshake: stanzas may flow.
struct Attached {
    std::string stream_id;
};
struct StanzaReceived {
    Stanza stanza;
};
/// A stanza that could not be read; the stream goes on, and who sent it has heard nothing yet.
struct StanzaRefused {
    Error why;                       ///< too_large: over a limit of ours; else it is no stanza that we know
    std::optional<Stanza> envelope;  ///< as of decode_envelope; none: it does not say who is to be told
};
/// The stream is over; nothing follows. condition is the stream error's name ("conflict", "not-authorized", "host-unknown"
/// ...), empty when the peer just closed; detail is for the operator.
struct StreamEnded {
    std::string condition;
    std::string detail;
};

using SessionEvent = std::variant<SendOctets, Attached, StanzaReceived, StanzaRefused, StreamEnded>;

class ComponentSession {
public:
    /// domain   the component's domain, also the only domain that may stand in a stanza's from
    /// secret   shared with the server; never shown
    ComponentSession(std::string domain, std::string secret, xml::Limits limits = {});

    /// A stanza without a language has that of the stream, unless the stream's is this one, which goes without saying.   (CORE-60)
    void set_default_language(std::string tag) { default_language_ = std::move(tag); }

    /// Our stream header: the first octets to send.
    std::vector<SessionEvent> open();
    /// What the server sent, in pieces of any size.
    std::vector<SessionEvent> receive(std::string_view octets);
    /// A stanza as octets for the wire, fit for this stream.
    /// errors  forbidden: its from is not in our domain, it has no to (CORE-03); too_large: over 256 KiB
    Result<std::string> encode(const Stanza& stanza) const;
    /// Our closing tag.
    std::vector<SessionEvent> close();

private:
    enum class State { idle, header_sent, handshake_sent, attached, ended };

    using Events = std::vector<SessionEvent>;

    void on_event(const xml::StreamOpened& opened, Events& out);
    void on_event(const xml::StanzaRead& read, Events& out);
    void on_event(const xml::StanzaRefused& passed_over, Events& out);
    void on_event(const xml::StreamClosed&, Events& out);
    void on_event(const xml::StreamFault& fault, Events& out);
    void end(std::string condition, std::string detail, Events& out);
    void end_with_error(std::string condition, std::string detail, Events& out);
    void use_language_of_stream(Stanza& stanza) const;
    bool carries(const xml::Element& element) const;

    std::string domain_;
    std::string secret_;
    xml::StreamReader reader_;
    xml::Limits limits_;
    State state_ = State::idle;
    std::string stream_id_;
    std::string default_language_;
    std::string language_;             ///< of the stream, as the latest header says
    bool content_ns_is_ours_ = false;  ///< as the latest header declares it
};

}  // namespace stox::xmpp
