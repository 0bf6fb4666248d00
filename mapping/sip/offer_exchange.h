#pragma once
// Which session description is an offer and which an answer, told by the messages that carry them and never by their text.
// (RFC 3261 §13.2.1, RFC 3262 §5, RFC 3311 §5, RFC 6337 §2)

#include <string>
#include <string_view>

namespace stox::sip {

enum class DescriptionRole {
    none,
    offer,
    answer,
    preview  ///< in a provisional that may be lost: what the answer will be; binds nobody
};

/// A message body, opaque, and what it is in the exchange.
struct Description {
    DescriptionRole role = DescriptionRole::none;
    std::string type{};  ///< Content-Type with its parameters; empty: no body
    std::string octets{};

    friend bool operator==(const Description&, const Description&) = default;
};

/// Whether a body of that Content-Type describes a session: SDP, alone or in a multipart.
bool describes_session(std::string_view content_type);

/// The exchange of one dialog: at most one offer is open at a time.   (RFC 3264 §4)
class OfferExchange {
public:
    enum class State {
        none,     ///< nobody has offered yet
        offered,  ///< we have; the peer owes an answer
        asked,    ///< the peer has; we owe an answer
        agreed
    };

    State state() const { return state_; }
    bool open() const { return state_ == State::offered || state_ == State::asked; }
    /// What a description is that is sent now in a message that cannot be lost, and that it is sent. none: it must not be.
    DescriptionRole sent();
    /// What a description is that such a message brought, and that it came. none: it has no place and is ignored.
    DescriptionRole received();
    /// The open offer was refused, or the request with it failed: all stands as before it.
    void undo();

private:
    DescriptionRole step(State offers, State answers);

    State state_ = State::none;
    bool agreed_ = false;
};

}  // namespace stox::sip
