#pragma once
// Reads an XMPP stream, or one document, with limits.
//
// A stanza over a limit is somebody's stanza, not the server's fault: whoever can write to us can send one. So it is passed
// over to its end and only its head is kept; the stream goes on, and what stands before and behind it is read. The stream
// ends with what no server passes on: XML that is not well-formed, what RFC 6120 §11.1 forbids, and a header that cannot be
// read, for then nothing that stands in the stream could be.
//
// Memory is bounded whatever comes: by one stanza within the limits, and by its head when it is longer.

#include "mapping/core/result.h"
#include "mapping/xml/element.h"
#include "mapping/xml/limits.h"

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace stox::xml {

/// The stream's header; or another one, which begins the stream anew: what it does not declare itself is not declared.
struct StreamOpened {
    Element header;          ///< the stream element without children
    std::string content_ns;  ///< the namespace of a stanza without prefix in this stream
};
struct StanzaRead {
    Element stanza;
};
/// A stanza that was passed over; the stream goes on.
struct StanzaRefused {
    Element head;  ///< its name, from, to, id and type, nothing else; without a name: it could not be told
    Error why;     ///< too_large: over a limit; unsupported: a prefix nobody declared
};
struct StreamClosed {};  ///< the peer sent its closing tag; nothing after it is read
/// The stream cannot be read any further; nothing after it is read.
struct StreamFault {
    Error why;  ///< malformed: not well-formed; forbidden: RFC 6120 §11.1; too_large: a header over a limit, a stanza without
                ///< end; unsupported: a header with a prefix nobody declared
};

using StreamEvent = std::variant<StreamOpened, StanzaRead, StanzaRefused, StreamClosed, StreamFault>;

class StreamReader {
public:
    explicit StreamReader(Limits limits = {});
    ~StreamReader();
    StreamReader(StreamReader&&) noexcept;
    StreamReader& operator=(StreamReader&&) noexcept;

    /// Takes what came from the wire, in pieces of any size, and returns what became complete, in order.
    std::vector<StreamEvent> feed(std::string_view octets);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Reads one whole document (a PIDF, an IMDN, a stanza of a test) under the same limits.
/// errors  malformed, forbidden, unsupported, too_large: as above
Result<Element> read_document(std::string_view octets, Limits limits = {}, Remarks remarks = Remarks::forbidden);

}  // namespace stox::xml
