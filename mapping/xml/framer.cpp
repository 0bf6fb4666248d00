#include "mapping/xml/framer.h"

#include "mapping/xml/octet_set.h"

#include <algorithm>
#include <utility>

namespace stox::xml {

namespace {

// What is passed over takes no memory, so this is no limit of ours on a stanza. Servers write more than they were sent: six
// octets for an apostrophe, and Prosody a namespace again with every element and attribute in it, which makes hundreds of
// megabytes of 256 KiB. A stream that ended over such a stanza would be anybody's to end. But one that never ends would
// hold up all others unseen.
constexpr std::uint64_t kNeverEnds = 1u << 30;
/// COMPAT: a server may open the stream again before it reports a stream error.
constexpr int kMaxHeaders = 2;
constexpr std::size_t kMaxName = 20'000;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF", kCdata = "[CDATA[", kXml = "xml ";
constexpr OctetSet kBehindName(std::string_view(" \t\r\n/><'\"\0", 10)), kInTag("/><'\"");
// FNV-1a.
constexpr std::uint64_t kNoName = 14'695'981'039'346'656'037u, kPrime = 1'099'511'628'211u;

bool starts_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' || static_cast<unsigned char>(c) >= 0x80;
}

const char* find(const char* at, const char* end, char c) {
    const auto found = std::string_view(at, static_cast<std::size_t>(end - at)).find(c);
    return found == std::string_view::npos ? end : at + found;
}

}  // namespace

std::optional<Frame> Framer::next(std::string_view& octets) {
    // Spaces between stanzas keep the connection alive.   (RFC 6120 §4.6.1)
    if (where_ == Where::between)
        while (!octets.empty() && kSpaces.has(octets.front())) octets.remove_prefix(1);
    if (where_ == Where::after) octets = {};
    if (octets.empty()) return std::nullopt;
    if (where_ == Where::between) begin();
    const bool begins = size_ == 0;
    const auto taken = octets.substr(0, scan(octets));
    octets.remove_prefix(taken.size());
    judge(taken);
    if (fault_) {
        where_ = Where::after;
        return Frame{Frame::Kind::fault, {}, {}, std::move(fault_)};
    }
    if (complete_ && begins && size_ <= limit_) return finish(taken);
    keep(taken);
    if (complete_) return finish(octets_);
    return std::nullopt;
}

void Framer::begin() {
    where_ = Where::frame;
    octets_.clear();
    head_.reset();
    name_.clear();
    size_ = depth_ = 0;
    in_ = In::text;
    first_tag_ = true;
    declared_ = names_stream_ = false;
}

/// Up to the end of the frame, or to what makes it a fault.
std::size_t Framer::scan(std::string_view octets) {
    const char *at = octets.data(), *const end = at + octets.size();
    while (at != end && !complete_ && !fault_) at = take(at, end);
    return static_cast<std::size_t>(at - octets.data());
}

/// What is wrong with the octets in whatever markup they stand, if it came before what the markup showed.
void Framer::judge(std::string_view taken) {
    const auto before = size_;
    size_ += taken.size();
    const auto nul = taken.find('\0');
    const auto legal = nul == taken.npos ? size_ : before + nul;
    if (in_header() && size_ > limit_ && legal >= limit_)
        fault_ = Error{Code::too_large, "a stream header over the limit"};
    else if (size_ > kNeverEnds && legal >= kNeverEnds)
        fault_ = Error{Code::too_large, "a stanza without end"};
    else if (legal < size_)
        fault_ = Error{Code::malformed, "not in UTF-8"};
}

void Framer::keep(std::string_view taken) {
    if (size_ <= limit_) {
        octets_.append(taken);
        return;
    }
    if (!head_) {
        head_.emplace().take(octets_);
        octets_.clear();
    }
    head_->take(taken);
}

Frame Framer::finish(std::string_view octets) {
    const auto kind = *std::exchange(complete_, std::nullopt);
    const bool over = kind == Frame::Kind::closed || (kind == Frame::Kind::header && slash_);
    where_ = over ? Where::after : Where::between;
    if (kind == Frame::Kind::stanza && size_ > limit_) return {Frame::Kind::passed_over, {}, head_->text()};
    return {kind, octets, {}};
}

void Framer::fail(Code code, const char* why) {
    if (!fault_) fault_ = Error{code, why};
}

const char* Framer::take(const char* at, const char* end) {
    switch (in_) {
        case In::text:
            return take_text(at, end);
        case In::name:
            return take_name(at, end);
        case In::tag:
            return take_tag(at, end);
        case In::quoted:
            return take_quoted(at, end);
        case In::cdata:
            return take_cdata(at, end);
        case In::mark:
            take_mark(*at);
            break;
        case In::opened:
            take_opened(*at);
            break;
        case In::declaration:
            take_declaration(*at);
            break;
        case In::instruction:
            take_instruction(*at);
            break;
    }
    return at + 1;
}

void Framer::take_mark(char c) {
    if (c == kByteOrderMark[matched_]) {
        if (++matched_ == kByteOrderMark.size()) in_ = In::text;
        return;
    }
    if (matched_ > 0) return fail(Code::malformed, "text before the stream header");
    in_ = In::text;
    take_outside(c);
}

const char* Framer::take_text(const char* at, const char* end) {
    if (depth_ == 0) {
        take_outside(*at);
        return at + 1;
    }
    at = find(at, end, '<');
    if (at == end) return end;
    in_ = In::opened;
    return at + 1;
}

void Framer::take_outside(char c) {
    if (c == '<')
        in_ = In::opened;
    else if (!kSpaces.has(c))
        fail(Code::malformed, where_ == Where::prolog ? "text before the stream header" : "text between stanzas");
}

void Framer::take_opened(char c) {
    end_tag_ = c == '/';
    slash_ = false;
    tag_ = kNoName;
    matched_ = 0;
    if (end_tag_) {
        in_ = In::name;
    } else if (starts_name(c)) {
        in_ = In::name;
        take_name(&c, &c + 1);
    } else if (c == '!') {
        in_ = In::declaration;
    } else if (c == '?') {
        if (depth_ > 0) return fail(Code::forbidden, "a processing instruction");
        in_ = In::instruction;
    } else {
        fail(Code::malformed, "no tag");
    }
}

void Framer::take_declaration(char c) {
    if (c != kCdata[matched_]) {
        const char* what = c == '-' ? "a comment" : c == 'D' ? "a DTD" : "a declaration";
        return fail(Code::forbidden, matched_ == 0 ? what : "a declaration");
    }
    if (++matched_ < kCdata.size()) return;
    if (depth_ == 0) return fail(Code::malformed, "text outside of stanzas");
    in_ = In::cdata;
    matched_ = 0;
}

/// The XML declaration, which may stand before a header; what it says is for the reader of the header.
void Framer::take_instruction(char c) {
    if (matched_ < kXml.size()) {
        if (c != kXml[matched_] && !(matched_ + 1 == kXml.size() && kSpaces.has(c)))
            return fail(Code::forbidden, "a processing instruction");
        ++matched_;
        return;
    }
    if (c == '>' && slash_) {
        in_ = In::text;
        declared_ = true;
    }
    slash_ = c == '?';
}

const char* Framer::take_name(const char* at, const char* end) {
    const char* const behind = kBehindName.find(at, end);
    for (const char* c = at; c != behind; ++c) tag_ = (tag_ ^ static_cast<unsigned char>(*c)) * kPrime;
    // One octet more than fits stays: what is too long is seen to be.
    if (first_tag_ && name_.size() <= kMaxName) name_.append(at, std::min(behind, at + (kMaxName + 1 - name_.size())));
    if (behind == end) return end;
    in_ = In::tag;
    if (*behind == '\'' || *behind == '"')
        fail(Code::malformed, "a quote without an attribute");
    else
        end_of_name();
    return fault_ ? behind + 1 : take_tag(behind, end);
}

void Framer::end_of_name() {
    if (!first_tag_) return;
    names_stream_ = !end_tag_ && (where_ == Where::prolog || names_a_stream());
    if (where_ == Where::prolog && end_tag_) return fail(Code::malformed, "an end tag before the stream header");
    if (declared_ && !names_stream_) return fail(Code::forbidden, "a processing instruction");
    if (names_stream_ && name_.size() > kMaxName) return fail(Code::too_large, "a stream header over the limit");
    if (names_stream_ && headers_ == kMaxHeaders) return fail(Code::malformed, "the stream is opened again and again");
}

/// With whatever prefix: taken for a stanza it would have no end.
bool Framer::names_a_stream() const {
    const std::string_view local = std::string_view(name_).substr(name_.rfind(':') + 1);
    return name_ == stream_name_ || local == "stream";
}

const char* Framer::take_tag(const char* at, const char* end) {
    if (end_tag_ || slash_) {
        take_end_of_tag(*at);
        return at + 1;
    }
    at = kInTag.find(at, end);
    if (at == end) return end;
    switch (*at) {
        case '<':
            fail(Code::malformed, "a tag inside a tag");
            break;
        case '/':
            slash_ = true;
            break;
        case '>':
            in_ = In::text;
            end_of_tag();
            break;
        default:
            quote_ = *at;
            in_ = In::quoted;
    }
    return at + 1;
}

/// Nothing but the end of the tag may follow.
void Framer::take_end_of_tag(char c) {
    if (c == '>') {
        in_ = In::text;
        end_of_tag();
    } else if (!end_tag_) {
        fail(Code::malformed, "a slash inside a tag");
    } else if (!kSpaces.has(c)) {
        fail(Code::malformed, "an end tag with more than its name");
    }
}

const char* Framer::take_quoted(const char* at, const char* end) {
    const char* const quote = find(at, end, quote_);
    const char* const tag = find(at, quote, '<');
    if (tag != quote) {
        fail(Code::malformed, "a tag inside an attribute");
        return tag + 1;
    }
    if (quote == end) return end;
    in_ = In::tag;
    return quote + 1;
}

const char* Framer::take_cdata(const char* at, const char* end) {
    if (matched_ == 0) at = find(at, end, ']');
    if (at == end) return end;
    if (*at == ']')
        matched_ = std::min(matched_ + 1, 2u);
    else if (*at == '>' && matched_ == 2)
        in_ = In::text;
    else
        matched_ = 0;
    return at + 1;
}

void Framer::end_of_tag() {
    if (first_tag_ && names_stream_) return end_of_header();
    if (first_tag_ && end_tag_) return end_of_stream();
    first_tag_ = false;
    if (end_tag_)
        leave();
    else if (!slash_)
        enter();
    if (depth_ == 0) complete(Frame::Kind::stanza);
}

void Framer::end_of_header() {
    ++headers_;
    stream_name_ = name_;
    complete(Frame::Kind::header);
}

void Framer::end_of_stream() {
    if (name_ != stream_name_) return fail(Code::malformed, "the end tag of something else");
    complete(Frame::Kind::closed);
}

void Framer::enter() {
    if (depth_ < open_.size()) open_[depth_] = tag_;
    ++depth_;
}

void Framer::leave() {
    --depth_;
    if (depth_ < open_.size() && open_[depth_] != tag_) fail(Code::malformed, "the end tag of something else");
}

}  // namespace stox::xml
