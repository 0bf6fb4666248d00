#pragma once
// Splits the octets of a stream into its header and its stanzas, by their markup alone: tags, quotes and CDATA sections are
// told apart, names of start and end tags compared, nothing else is looked at. So a stanza that nobody wants to read is
// passed over in constant memory, and what reads the others can be thrown away after any of them.
//
// Whether a stanza is well-formed is for its reader to say. What the markup itself shows ends the stream here: comments,
// processing instructions and DTDs (RFC 6120 §11.1), text between stanzas, a NUL (UTF-16 has one in every tag, §11.6).
//
// In whatever pieces the octets come, the frames are the same: a piece shows what the first of its octets that shows anything
// would have shown alone.

#include "mapping/core/result.h"
#include "mapping/xml/head.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stox::xml {

struct Frame {
    enum class Kind {
        header,       ///< all up to the end of a stream's start tag; an empty element is the stream's end as well
        stanza,       ///< one whole stanza
        passed_over,  ///< a stanza over the limit
        closed,       ///< the stream's end tag
        fault,        ///< nothing can follow
    };
    Kind kind;
    std::string_view octets;        ///< of header and stanza, as they came; good until the next call
    std::string head;               ///< of passed_over; empty when it cannot be told
    std::optional<Error> why = {};  ///< of fault
};

class Framer {
public:
    /// stanza_octets  the limit, also that of a header
    explicit Framer(std::size_t stanza_octets) : limit_(stanza_octets) {}

    /// Takes octets from the front of `octets` until a frame is complete; none: all were taken, more are needed.
    std::optional<Frame> next(std::string_view& octets);
    /// The stream's name as its latest header has it, prefix and all.
    const std::string& stream_name() const { return stream_name_; }

private:
    enum class Where { prolog, between, frame, after };
    enum class In { mark, text, opened, name, tag, quoted, declaration, cdata, instruction };

    void begin();
    std::size_t scan(std::string_view octets);
    void judge(std::string_view taken);
    void keep(std::string_view taken);
    Frame finish(std::string_view octets);

    // Each takes a run of octets, one at least, and returns what stands behind it.
    const char* take(const char* at, const char* end);
    const char* take_text(const char* at, const char* end);
    const char* take_name(const char* at, const char* end);
    const char* take_tag(const char* at, const char* end);
    const char* take_quoted(const char* at, const char* end);
    const char* take_cdata(const char* at, const char* end);

    // Each takes one octet.
    void take_mark(char c);
    void take_outside(char c);
    void take_opened(char c);
    void take_declaration(char c);
    void take_instruction(char c);
    void take_end_of_tag(char c);

    void end_of_name();
    void end_of_tag();
    void end_of_header();
    void end_of_stream();
    void enter();
    void leave();
    bool names_a_stream() const;
    bool in_header() const { return where_ == Where::prolog || names_stream_; }
    void complete(Frame::Kind kind) { complete_ = kind; }
    void fail(Code code, const char* why);

    const std::size_t limit_;
    Where where_ = Where::prolog;
    int headers_ = 0;
    std::string stream_name_;
    std::optional<Frame::Kind> complete_;
    std::optional<Error> fault_;

    // Of the frame that is not complete yet.
    std::string octets_;                    ///< while within the limit, of earlier pieces
    std::optional<Head> head_;              ///< over the limit
    std::uint64_t size_ = 0;                ///< octets
    std::uint64_t depth_ = 0;               ///< elements open
    std::array<std::uint64_t, 64> open_{};  ///< hashes of their names: a missing end tag shows before the stream's end
    In in_ = In::mark;
    char quote_ = 0;        ///< that opened the value
    unsigned matched_ = 0;  ///< octets of what `in_` waits for
    bool slash_ = false;    ///< the octet before, in a tag
    bool end_tag_ = false;
    bool first_tag_ = true;      ///< of the frame
    bool declared_ = false;      ///< an XML declaration stands before it
    bool names_stream_ = false;  ///< its name is that of a stream
    std::uint64_t tag_ = 0;      ///< hash of the tag's name
    std::string name_;           ///< of the first tag
};

}  // namespace stox::xml
