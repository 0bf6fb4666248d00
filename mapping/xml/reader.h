#pragma once
// Reads an XMPP stream, or one document, with expat and with limits.
//
// What RFC 6120 §11.1 forbids ends the stream: comments, processing instructions, DTDs, entity references other than the
// five, encodings other than UTF-8. So do the limits below. After an error the reader takes nothing more.

#include "mapping/core/result.h"
#include "mapping/xml/element.h"

#include <cstddef>
#include <memory>
#include <string_view>
#include <variant>
#include <vector>

namespace stox::xml {

struct Limits {
    std::size_t stanza_octets = 262'144;  ///< of one stanza as it came over the wire
    std::size_t depth = 64;               ///< elements inside one another, the stanza itself counted
    std::size_t attributes = 128;         ///< of one element
    std::size_t children = 4'096;         ///< of one element
};

struct StreamOpened {
    Element header;  ///< the stream element without children
};
struct StanzaRead {
    Element stanza;
};
struct StreamClosed {};  ///< the peer sent its closing tag; nothing after it is read

using StreamEvent = std::variant<StreamOpened, StanzaRead, StreamClosed>;

class StreamReader {
public:
    explicit StreamReader(Limits limits = {});
    ~StreamReader();
    StreamReader(StreamReader&&) noexcept;
    StreamReader& operator=(StreamReader&&) noexcept;

    /// Takes what came from the wire, in pieces of any size, and returns what became complete.
    /// errors  malformed: not well-formed or forbidden; too_large: over a limit. Complete events before the fault are lost
    ///         with it: a stream at fault is closed anyway.
    Result<std::vector<StreamEvent>> feed(std::string_view octets);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Reads one whole document (a PIDF, an IMDN, a stanza of a test) under the same rules.
Result<Element> read_document(std::string_view octets, Limits limits = {});

}  // namespace stox::xml
