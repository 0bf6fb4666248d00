#include "mapping/xml/reader.h"

#include "mapping/core/assert.h"
#include "mapping/core/handle.h"

#include <expat.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <optional>
#include <utility>

namespace stox::xml {

namespace {

using XmlParser = Handle<XML_ParserStruct, &XML_ParserFree>;

constexpr char kSeparator = '\x01';  // between namespace and local name: no XML character, so in neither of them
constexpr std::size_t kSlice = 16'384;
constexpr std::size_t kMaxNamesPerOctet = 8;
constexpr int kMaxStreams = 2;
constexpr std::string_view kStreams = "http://etherx.jabber.org/streams";

// Expat writes a namespace out again for every attribute that has a prefix, before any handler sees the element: a start
// tag of 256 KiB could become gigabytes. So what one slice of input may allocate is bounded; over it expat ends with
// XML_ERROR_NO_MEMORY. Nothing honest comes near.
constexpr std::size_t kMaxAllocatedPerSlice = 64u << 20;
thread_local std::size_t allocatable = kMaxAllocatedPerSlice;

bool may_allocate(std::size_t octets) noexcept {
    if (octets > allocatable) return false;
    allocatable -= octets;
    return true;
}
void* bounded_malloc(std::size_t octets) noexcept { return may_allocate(octets) ? std::malloc(octets) : nullptr; }
void* bounded_realloc(void* old, std::size_t octets) noexcept {
    return may_allocate(octets) ? std::realloc(old, octets) : nullptr;
}
void release(void* memory) noexcept { std::free(memory); }

/// "namespace SEPARATOR local", or "local" alone.
template <class Named>
void assign_name(Named& to, std::string_view name) {
    const auto separator = name.find(kSeparator);
    if (separator != std::string_view::npos) {
        to.ns = name.substr(0, separator);
        name.remove_prefix(separator + 1);
    }
    to.name = name;
}

bool is_whitespace(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

bool is_utf8(std::string_view encoding) {
    return std::ranges::equal(encoding, std::string_view("utf-8"), {},
                              [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
}

/// Expat with our rules. In a stream the root's children are read, in a document the root.
struct Parser {
    enum class Root { stream, document };

    Parser(Limits limits_, Root root_);

    Result<std::vector<StreamEvent>> feed(std::string_view octets, bool last);

    // What expat calls. Each may be the last: after refuse() nothing is taken any more.
    void start(const char* name, const char** attributes);
    void end();
    void text(std::string_view text);
    void refuse(Code code, std::string why);

    /// Runs a handler for expat: nothing thrown passes through its C code, nothing happens after a fault.
    template <class Handler>
    static void guarded(void* data, Handler handler) noexcept;
    void set_handlers();
    void parse(std::string_view octets, bool last);
    void open_stream(Element header);
    void close_stream();
    /// Octets, from the start of the stream, before and after what is being handled.
    std::uint64_t index() const { return static_cast<std::uint64_t>(XML_GetCurrentByteIndex(expat.get())); }
    std::uint64_t index_after() const { return index() + static_cast<std::uint64_t>(XML_GetCurrentByteCount(expat.get())); }
    void check_size(std::uint64_t until);
    bool has_room(const Element& parent);

    XmlParser expat;
    const Limits limits;
    const Root root;
    int streams_open = 0;
    bool closed = false;
    std::vector<Element> open;  ///< the stanza and the elements inside it that are not complete yet
    std::vector<StreamEvent> events;
    std::uint64_t fed = 0;       ///< octets
    std::uint64_t boundary = 0;  ///< where the last complete thing of the stream ended
    std::size_t names = 0;       ///< octets of all names in the stanza, a namespace counted wherever it applies
    std::optional<Error> error;
};

Element element_of(const char* name, const char** attributes) {
    Element element;
    assign_name(element, name);
    for (; *attributes; attributes += 2) {
        Attribute attribute;
        assign_name(attribute, attributes[0]);
        attribute.value = attributes[1];
        element.attributes.push_back(std::move(attribute));
    }
    return element;
}

std::size_t octets_of_names(const Element& element) {
    std::size_t octets = element.ns.size() + element.name.size();
    for (const auto& attribute : element.attributes) octets += attribute.ns.size() + attribute.name.size();
    return octets;
}

Parser::Parser(Limits limits_, Root root_) : limits(limits_), root(root_) {
    static constexpr XML_Memory_Handling_Suite kMemory{bounded_malloc, bounded_realloc, release};
    static constexpr char kSeparators[] = {kSeparator, '\0'};
    allocatable = kMaxAllocatedPerSlice;
    expat.reset(XML_ParserCreate_MM("UTF-8", &kMemory, kSeparators));
    if (!expat) throw std::bad_alloc();
    set_handlers();
#ifdef STOX_EXPAT_DEFERS
    // Newer expats wait with a token they met the first part of until much more has come; a stanza is wanted at once. What
    // that guards against, a long token fed in small pieces, ends at the limit of a stanza here.
    XML_SetReparseDeferralEnabled(expat.get(), XML_FALSE);
#endif
}

template <class Handler>
void Parser::guarded(void* data, Handler handler) noexcept {
    auto& self = *static_cast<Parser*>(data);
    if (self.error || self.closed) return;
    try {
        handler(self);
    } catch (const std::bad_alloc&) {
        self.refuse(Code::too_large, "out of memory");
    }
}

void Parser::set_handlers() {
    auto* parser = expat.get();
    XML_SetUserData(parser, this);
    XML_SetElementHandler(
        parser,
        [](void* data, const char* name, const char** attributes) {
            guarded(data, [&](Parser& self) { self.start(name, attributes); });
        },
        [](void* data, const char*) { guarded(data, [](Parser& self) { self.end(); }); });
    XML_SetCharacterDataHandler(parser, [](void* data, const char* text, int octets) {
        guarded(data, [&](Parser& self) { self.text({text, static_cast<std::size_t>(octets)}); });
    });
    // RFC 6120 §11.1. Without a DTD there are no entities but the five, and expat refuses all others by itself.
    XML_SetStartDoctypeDeclHandler(parser, [](void* data, const char*, const char*, const char*, int) {
        guarded(data, [](Parser& self) { self.refuse(Code::malformed, "a DTD"); });
    });
    XML_SetProcessingInstructionHandler(parser, [](void* data, const char*, const char*) {
        guarded(data, [](Parser& self) { self.refuse(Code::malformed, "a processing instruction"); });
    });
    XML_SetCommentHandler(
        parser, [](void* data, const char*) { guarded(data, [](Parser& self) { self.refuse(Code::malformed, "a comment"); }); });
    XML_SetXmlDeclHandler(parser, [](void* data, const char*, const char* encoding, int) {
        guarded(data, [&](Parser& self) {
            if (encoding && !is_utf8(encoding)) self.refuse(Code::malformed, "not in UTF-8");
        });
    });
}

void Parser::refuse(Code code, std::string why) {
    if (error) return;
    error = Error{code, std::move(why)};
    XML_StopParser(expat.get(), XML_FALSE);
}

void Parser::check_size(std::uint64_t until) {
    if (until - boundary > limits.stanza_octets) refuse(Code::too_large, "a stanza over the limit");
}

bool Parser::has_room(const Element& parent) {
    if (parent.children.size() < limits.children) return true;
    refuse(Code::too_large, "too many children in one element");
    return false;
}

void Parser::start(const char* name, const char** attributes) {
    check_size(index_after());
    if (XML_GetSpecifiedAttributeCount(expat.get()) / 2 > static_cast<long>(limits.attributes))
        refuse(Code::too_large, "too many attributes in one element");
    if (error) return;
    auto element = element_of(name, attributes);
    if (root == Root::stream && open.empty() && (streams_open == 0 || element.is(kStreams, "stream")))
        return open_stream(std::move(element));
    if (open.size() >= limits.depth) return refuse(Code::too_large, "elements too deep");
    if (!open.empty() && !has_room(open.back())) return;
    // Every element repeats its namespace: a long one declared once, with many short elements inside, would grow a
    // stanza without end.
    names += octets_of_names(element);
    if (names > kMaxNamesPerOctet * limits.stanza_octets) return refuse(Code::too_large, "names too long");
    open.push_back(std::move(element));
}

void Parser::open_stream(Element header) {
    // COMPAT: a server may open the stream again before it reports a stream error; read on to the error.
    if (++streams_open > kMaxStreams) return refuse(Code::malformed, "a stream inside the stream");
    if (streams_open == 1) events.push_back(StreamOpened{std::move(header)});
    boundary = index_after();
}

void Parser::close_stream() {
    // What came before the closing tag counts, whatever stands behind it.
    events.push_back(StreamClosed{});
    closed = true;
    XML_StopParser(expat.get(), XML_FALSE);
}

void Parser::end() {
    check_size(index_after());
    if (error) return;
    if (open.empty()) {
        boundary = index_after();
        if (--streams_open == 0) close_stream();
        return;
    }
    Element complete = std::move(open.back());
    open.pop_back();
    if (!open.empty()) {
        open.back().children.emplace_back(std::move(complete));
        return;
    }
    boundary = index_after();
    names = 0;
    events.push_back(StanzaRead{std::move(complete)});
}

void Parser::text(std::string_view text) {
    check_size(index_after());
    if (error) return;
    if (open.empty()) {
        // Spaces between stanzas keep the connection alive.   (RFC 6120 §4.6.1)
        if (!is_whitespace(text)) return refuse(Code::malformed, "text between stanzas");
        boundary = index_after();
        return;
    }
    auto& element = open.back();
    const bool adjoins = !element.children.empty() && std::holds_alternative<std::string>(element.children.back());
    if (adjoins || has_room(element)) element.add_text(text);
}

Result<std::vector<StreamEvent>> Parser::feed(std::string_view octets, bool last) {
    events.clear();
    // Expat takes UTF-16 for what it is, whatever it is told. UTF-8 has no NUL in XML, UTF-16 has one in every tag.
    // (RFC 6120 §11.6)
    const auto nul = octets.find('\0');
    parse(octets.substr(0, nul), last);
    if (nul != octets.npos && !closed) refuse(Code::malformed, "not in UTF-8");
    if (error) return fail(error->code, error->detail);
    return std::exchange(events, {});
}

void Parser::parse(std::string_view octets, bool last) {
    do {
        if (error || closed) return;
        const auto slice = octets.substr(0, kSlice);
        octets.remove_prefix(slice.size());
        fed += slice.size();
        allocatable = kMaxAllocatedPerSlice;
        const auto size = static_cast<int>(slice.size());
        if (XML_Parse(expat.get(), slice.data(), size, last && octets.empty()) != XML_STATUS_OK && !error && !closed) {
            const auto code = XML_GetErrorCode(expat.get());
            error = Error{code == XML_ERROR_NO_MEMORY ? Code::too_large : Code::malformed, XML_ErrorString(code)};
        }
        if (!error && !closed) check_size(fed);
    } while (!octets.empty());
}

}  // namespace

struct StreamReader::Impl : Parser {
    using Parser::Parser;
};

StreamReader::StreamReader(Limits limits) : impl_(std::make_unique<Impl>(limits, Parser::Root::stream)) {}
StreamReader::~StreamReader() = default;
StreamReader::StreamReader(StreamReader&&) noexcept = default;
StreamReader& StreamReader::operator=(StreamReader&&) noexcept = default;

Result<std::vector<StreamEvent>> StreamReader::feed(std::string_view octets) { return impl_->feed(octets, false); }

Result<Element> read_document(std::string_view octets, Limits limits) {
    if (octets.size() > limits.stanza_octets) return fail(Code::too_large, "a document over the limit");
    Parser reader(limits, Parser::Root::document);
    BOOST_OUTCOME_TRY(events, reader.feed(octets, true));
    STOX_ASSERT(events.size() == 1);  // expat takes exactly one root
    return std::move(std::get<StanzaRead>(events.front()).stanza);
}

}  // namespace stox::xml
