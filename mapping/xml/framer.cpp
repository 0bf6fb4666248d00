#include "mapping/xml/framer.h"

#include <algorithm>
#include <array>
#include <utility>

namespace stox::xml {

namespace {

// What is passed over takes no memory, so this is no limit of ours on a stanza. Servers write more than they were sent: six
// octets for an apostrophe, and Prosody a namespace again with every element and attribute in it, which makes hundreds of
// megabytes of 256 KiB. A stream that ended over such a stanza would be anybody's to end. But one that never ends would
// hold up all others unseen.
constexpr std::uint64_t kNeverEnds = 1u << 30;
/// COMPAT: a server may open the stream again before it reports a stream error.
constexpr int kMaxStreams = 2;
/// A JID has at most 3,071 octets, and where it is escaped six for each of them.
constexpr std::size_t kMaxHeadPiece = 20'000;
constexpr std::array<std::string_view, 5> kOfTheHead{"xmlns", "from", "to", "id", "type"};
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kCdata = "[CDATA[";
// FNV-1a.
constexpr std::uint64_t kNoName = 14'695'981'039'346'656'037u, kPrime = 1'099'511'628'211u;
constexpr std::string_view kSpace = " \t\r\n";

bool is_space(char c) { return kSpace.find(c) != kSpace.npos; }

bool starts_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' || static_cast<unsigned char>(c) >= 0x80;
}

/// One octet more than fits stays: what is too long is seen to be.
void append_piece(std::string& piece, char c) {
    if (piece.size() <= kMaxHeadPiece) piece += c;
}

}  // namespace

std::optional<Frame> Framer::next(std::string_view& octets) {
    std::size_t from = 0;  // where the frame begins in this piece
    for (std::size_t at = 0; at < octets.size() && where_ != Where::after; ++at) {
        const char c = octets[at];
        if (where_ == Where::between) {
            // Spaces between stanzas keep the connection alive.   (RFC 6120 §4.6.1)
            if (is_space(c)) continue;
            begin_stanza();
            from = at;
        }
        count();
        if (!fault_) take(c);
        if (!complete_ && !fault_) continue;
        keep(octets.substr(from, at + 1 - from));
        octets.remove_prefix(at + 1);
        return finish();
    }
    if (where_ == Where::prolog || where_ == Where::stanza) keep(octets.substr(from));
    octets = {};
    return std::nullopt;
}

void Framer::begin_stanza() {
    where_ = Where::stanza;
    octets_.clear();
    name_.clear();
    attribute_.clear();
    attributes_.clear();
    size_ = depth_ = 0;
    first_tag_ = true;
}

void Framer::count() {
    ++size_;
    if (where_ == Where::prolog && size_ > limit_) fail(Code::too_large, "a stream header over the limit");
    if (size_ > kNeverEnds) fail(Code::too_large, "a stanza without end");
}

void Framer::keep(std::string_view octets) {
    if (size_ > limit_)
        octets_.clear();
    else
        octets_.append(octets);
}

Frame Framer::finish() {
    if (fault_) {
        where_ = Where::after;
        return {Frame::Kind::fault, {}, {}, std::move(fault_)};
    }
    Frame frame{*std::exchange(complete_, std::nullopt), octets_, {}, {}};
    if (frame.kind == Frame::Kind::stanza) {
        if (size_ > limit_) frame.kind = Frame::Kind::passed_over;
        head_ = name_.size() > kMaxHeadPiece ? std::string() : '<' + name_ + attributes_ + "/>";
        frame.head = head_;
    }
    where_ = streams_ == 0 ? Where::after : Where::between;
    return frame;
}

void Framer::fail(Code code, std::string why) {
    if (!fault_) fault_ = Error{code, std::move(why)};
}

void Framer::take(char c) {
    if (c == '\0') return fail(Code::malformed, "not in UTF-8");
    switch (in_) {
        case In::text:
            take_text(c);
            break;
        case In::opened:
            take_opened(c);
            break;
        case In::tag:
            take_tag(c);
            break;
        case In::quoted:
            if (c == '<') return fail(Code::malformed, "a tag inside an attribute");
            if (first_tag_) append_piece(attribute_, c);
            if (c != quote_) break;
            in_ = In::tag;
            if (first_tag_) end_of_attribute();
            break;
        case In::declaration:
            take_declaration(c);
            break;
        case In::cdata:
            take_cdata(c);
            break;
        case In::instruction:
            // The XML declaration; what it says, and what else this may be, is for the reader of the header.
            if (c == '>' && before_ == '?') in_ = In::text;
            break;
    }
    before_ = c;
}

void Framer::take_text(char c) {
    if (c == '<') {
        in_ = In::opened;
        return;
    }
    if (where_ == Where::stanza && depth_ > 0) return;
    const bool mark = where_ == Where::prolog && size_ <= kByteOrderMark.size() && c == kByteOrderMark[size_ - 1];
    if (!is_space(c) && !mark) fail(Code::malformed, "text between stanzas");
}

void Framer::take_opened(char c) {
    end_tag_ = c == '/';
    naming_ = true;
    tag_ = kNoName;
    if (c == '!') {
        in_ = In::declaration;
        matched_ = 0;
    } else if (c == '?') {
        if (where_ != Where::prolog) return fail(Code::forbidden, "a processing instruction");
        in_ = In::instruction;
    } else if (end_tag_ || starts_name(c)) {
        in_ = In::tag;
        if (!end_tag_) take_name_or_attribute(c);
    } else {
        fail(Code::malformed, "no tag");
    }
}

void Framer::take_declaration(char c) {
    if (c != kCdata[matched_]) return fail(Code::forbidden, "a comment or a DTD");
    if (++matched_ < kCdata.size()) return;
    if (first_tag_) return fail(Code::malformed, "text between stanzas");
    in_ = In::cdata;
    matched_ = 0;
}

void Framer::take_cdata(char c) {
    if (c == ']')
        ++matched_;
    else if (c == '>' && matched_ >= 2)
        in_ = In::text;
    else
        matched_ = 0;
}

void Framer::take_tag(char c) {
    if (c == '<') return fail(Code::malformed, "a tag inside a tag");
    if (!end_tag_ && before_ == '/' && c != '>') return fail(Code::malformed, "a slash inside a tag");
    take_name_or_attribute(c);
    if (c == '"' || c == '\'') {
        if (end_tag_ || naming_) return fail(Code::malformed, "a quote without an attribute");
        quote_ = c;
        in_ = In::quoted;
    } else if (c == '>') {
        in_ = In::text;
        end_of_tag();
    }
}

void Framer::take_name_or_attribute(char c) {
    if (is_space(c) || c == '/' || c == '>') naming_ = false;
    if (naming_) tag_ = (tag_ ^ static_cast<unsigned char>(c)) * kPrime;
    if (first_tag_ && c != '>') append_piece(naming_ ? name_ : attribute_, c);
}

void Framer::end_of_attribute() {
    std::string_view text = attribute_;
    text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
    const auto name = text.substr(0, text.find_first_of(" \t\r\n="));
    const bool wanted = std::ranges::find(kOfTheHead, name) != kOfTheHead.end();
    // A name that comes twice makes the head as malformed as the tag: its memory is bounded, its meaning nobody's care.
    if (wanted && attribute_.size() <= kMaxHeadPiece && attributes_.size() < kOfTheHead.size() * kMaxHeadPiece)
        attributes_.append(1, ' ').append(text);
    attribute_.clear();
}

void Framer::end_of_tag() {
    const bool first = std::exchange(first_tag_, false), empty = before_ == '/' && !end_tag_;
    if (first && end_tag_) return end_of_stream_tag();
    if (first && where_ == Where::prolog) {
        start_of_stream();
        if (empty) streams_ = 0;
        return;
    }
    if (first && !empty && name_ == stream_name_) {
        if (streams_ == kMaxStreams || size_ > limit_) return fail(Code::malformed, "a stream inside the stream");
        ++streams_;
        return complete(Frame::Kind::reopened);
    }
    if (end_tag_)
        leave();
    else if (!empty)
        enter();
    if (depth_ == 0) complete(Frame::Kind::stanza);
}

void Framer::enter() {
    if (depth_ < open_.size()) open_[depth_] = tag_;
    ++depth_;
}

void Framer::leave() {
    --depth_;
    if (depth_ < open_.size() && open_[depth_] != tag_) fail(Code::malformed, "the end tag of something else");
}

void Framer::start_of_stream() {
    if (name_.size() > kMaxHeadPiece) return fail(Code::too_large, "a stream header over the limit");
    stream_name_ = name_;
    ++streams_;
    complete(Frame::Kind::header);
}

void Framer::end_of_stream_tag() {
    const bool named = where_ == Where::stanza && name_ == stream_name_;
    if (!named || attribute_.find_first_not_of(kSpace) != attribute_.npos)
        return fail(Code::malformed, "the end tag of something else");
    // A stream inside the stream ends without a word.
    if (--streams_ == 0) return complete(Frame::Kind::closed);
    where_ = Where::between;
}

}  // namespace stox::xml
