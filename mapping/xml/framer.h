#pragma once
// Splits the octets of a stream into its header and its stanzas, by their markup alone: tags, quotes and CDATA sections are
// told apart, names of start and end tags compared, nothing else is looked at. So a stanza that nobody wants to read is
// passed over in constant memory, and what reads the others can be thrown away after any of them.
//
// Whether a stanza is well-formed is for its reader to say. What the markup itself shows ends the stream here: comments,
// processing instructions and DTDs (RFC 6120 §11.1), text between stanzas, a NUL (UTF-16 has one in every tag, §11.6).

#include "mapping/core/result.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stox::xml {

struct Frame {
    enum class Kind {
        header,       ///< all up to the end of the stream's start tag; an empty element is the stream's end as well
        reopened,     ///< the start tag of a stream inside the stream
        stanza,       ///< one whole stanza
        passed_over,  ///< a stanza over the limit
        closed,       ///< the stream's end tag
        fault,        ///< nothing can follow
    };
    Kind kind;
    std::string_view octets;   ///< of header, reopened and stanza, as they came; good until the next call
    std::string_view head;     ///< of stanza and passed_over: an empty element with its name and those of its attributes that
                               ///< a reply needs, as they came; empty when they are too long. Good until the next call
    std::optional<Error> why;  ///< of fault
};

class Framer {
public:
    /// stanza_octets  the limit, also that of a header
    explicit Framer(std::size_t stanza_octets) : limit_(stanza_octets) {}

    /// Takes octets from the front of `octets` until a frame is complete; none: all were taken, more are needed.
    std::optional<Frame> next(std::string_view& octets);
    /// The stream's name as its header has it, prefix and all.
    const std::string& stream_name() const { return stream_name_; }

private:
    enum class Where { prolog, between, stanza, after };
    enum class In { text, opened, tag, quoted, declaration, cdata, instruction };

    void begin_stanza();
    void keep(std::string_view octets);
    void count();
    Frame finish();

    // Each takes one octet.
    void take(char c);
    void take_text(char c);
    void take_opened(char c);
    void take_tag(char c);
    void take_declaration(char c);
    void take_cdata(char c);
    void take_name_or_attribute(char c);

    void end_of_tag();
    void enter();
    void leave();
    void end_of_stream_tag();
    void start_of_stream();
    void end_of_attribute();
    void complete(Frame::Kind kind) { complete_ = kind; }
    void fail(Code code, std::string why);

    std::size_t limit_;
    Where where_ = Where::prolog;
    int streams_ = 0;  ///< open
    std::string stream_name_;
    std::string head_;
    std::optional<Frame::Kind> complete_;
    std::optional<Error> fault_;

    // Of the frame that is not complete yet.
    std::string octets_;                    ///< while within the limit
    std::uint64_t size_ = 0;                ///< octets
    std::uint64_t depth_ = 0;               ///< elements open
    std::array<std::uint64_t, 64> open_{};  ///< hashes of their names: a missing end tag shows before the stream's end
    In in_ = In::text;
    char before_ = 0;       ///< the octet before, inside markup
    char quote_ = 0;        ///< that opened the value
    unsigned matched_ = 0;  ///< octets of what `in_` waits for
    bool end_tag_ = false;
    bool first_tag_ = true;  ///< of the frame
    bool naming_ = true;     ///< the tag's name is not over
    std::uint64_t tag_ = 0;  ///< hash of its name

    // Of the frame's first tag.
    std::string name_, attribute_, attributes_;
};

}  // namespace stox::xml
