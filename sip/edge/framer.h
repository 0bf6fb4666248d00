#pragma once
// Where one SIP message ends in a stream, and whether a datagram may be one. No socket, no clock; what this lets pass has a
// start line that looks like SIP, bounded headers and, on a stream, exactly the body that its one Content-Length tells.

#include "mapping/core/result.h"
#include "sip/edge/settings.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace stox::sip {

/// A CRLF CRLF between messages: the peer wants CRLF back.   (RFC 5626 §4.4.1)
struct Ping {};
/// The rest of the stream means nothing any more: close it.
struct Violation {
    std::string reason;
};
/// One message, whole.
using Framed = std::variant<std::string, Ping, Violation>;

class StreamFramer {
public:
    explicit StreamFramer(const Limits& limits) : limits_(limits) {}

    void append(std::string_view octets) { input_.append(octets); }
    /// To be called until it gives nothing. After a Violation it gives nothing.
    std::optional<Framed> next();
    /// Whether a message has begun and is not complete: its deadline runs.
    bool in_message() const { return !broken_ && read_ < input_.size(); }

private:
    std::optional<Framed> skip_blank_lines();
    std::optional<Framed> head();
    Framed violation(std::string reason);
    void drop_read();

    Limits limits_;
    std::string input_;
    std::size_t read_ = 0;     ///< octets of input_ that were given out
    std::size_t scanned_ = 0;  ///< octets after read_ without the end of a header section
    std::size_t blank_ = 0;    ///< CR and LF seen since the last message or ping
    std::size_t size_ = 0;     ///< of the message that has begun; 0: not known yet
    bool broken_ = false;
};

enum class Datagram {
    message,
    noise,      ///< another protocol, or a keep-alive: dropped, nothing is answered
    malformed,  ///< dropped as well
    too_large,  ///< likewise: over one of the limits
};

/// What a datagram is; for a message `octets` loses what lies behind its body. A request that ends before its body does is a
/// message too, and so is one whose start line or header section breaks a rule: it is cut before the field that does, and as it
/// has no blank line then, it gets its 400. Such responses are malformed.   (RFC 3261 §18.3, §21.4.1)
Datagram judge_datagram(std::string_view& octets, const Limits& limits);

/// Whether this begins a response.
bool is_response(std::string_view message);

}  // namespace stox::sip
