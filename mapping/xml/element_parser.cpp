#include "mapping/xml/element_parser.h"

#include <expat.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

namespace stox::xml {

namespace {

constexpr char kSeparator = '\x01';  // between namespace and local name: no XML character, so in neither of them
constexpr std::size_t kMaxNamesPerOctet = 8;

// Expat writes a namespace out again for every attribute that has a prefix, before any handler sees the element: a start
// tag of 256 KiB could become gigabytes. So what one text may allocate is bounded, all growing of its buffers counted; over it
// expat ends with XML_ERROR_NO_MEMORY. Nothing honest comes near, and longer names than that are over a limit of ours anyway.
constexpr std::size_t kMaxAllocated = 16u << 20;
thread_local std::size_t allocatable = kMaxAllocated;

// Expat keeps every name it has met until its end, and a stream has none: whoever can write to us could fill the memory with
// names. A parser costs as much as three messages, so it is made anew now and then.
constexpr std::size_t kMaxFed = 1u << 20;

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

/// count  of the attributes
Element element_of(const char* name, const char** attributes, std::size_t count) {
    Element element;
    assign_name(element, name);
    element.attributes.reserve(count);
    for (; *attributes; attributes += 2) {
        auto& attribute = element.attributes.emplace_back();
        assign_name(attribute, attributes[0]);
        attribute.value = attributes[1];
    }
    return element;
}

std::size_t octets_of_names(const Element& element) {
    std::size_t octets = element.ns.size() + element.name.size();
    for (const auto& attribute : element.attributes) octets += attribute.ns.size() + attribute.name.size();
    return octets;
}

bool is_utf8(std::string_view encoding) {
    return std::ranges::equal(encoding, std::string_view("utf-8"), {},
                              [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
}

Code code_of(XML_Error error) {
    switch (error) {
        case XML_ERROR_NO_MEMORY:
            return Code::too_large;
        // COMPAT ejabberd: passes a prefix on that a client declared in the header of its own stream, which we never see.
        case XML_ERROR_UNBOUND_PREFIX:
        case XML_ERROR_UNDECLARING_PREFIX:
        case XML_ERROR_RESERVED_PREFIX_XML:
        case XML_ERROR_RESERVED_PREFIX_XMLNS:
        case XML_ERROR_RESERVED_NAMESPACE_URI:
            return Code::unsupported;
        // Without a DTD there are no entities but the five.
        case XML_ERROR_UNDEFINED_ENTITY:
            return Code::forbidden;
        default:
            return Code::malformed;
    }
}

}  // namespace

/// What expat calls. Each may be the last: after refuse() nothing is taken any more.
struct ElementParser::Callbacks {
    /// Nothing thrown passes through expat's C code.
    template <class Handler>
    static void guarded(void* data, Handler handler) noexcept {
        auto& self = *static_cast<ElementParser*>(data);
        if (self.error_) return;
        try {
            handler(self);
        } catch (const std::bad_alloc&) {
            self.refuse(Code::too_large, "out of memory");
        }
    }

    static void start(void* data, const char* name, const char** attributes) {
        guarded(data, [&](ElementParser& self) { self.start(name, attributes); });
    }
    static void end(void* data, const char*) {
        guarded(data, [](ElementParser& self) { self.end(); });
    }
    static void text(void* data, const char* text, int octets) {
        guarded(data, [&](ElementParser& self) { self.text({text, static_cast<std::size_t>(octets)}); });
    }
    // RFC 6120 §11.1.
    static void doctype(void* data, const char*, const char*, const char*, int) {
        guarded(data, [](ElementParser& self) { self.refuse(Code::forbidden, "a DTD"); });
    }
    static void instruction(void* data, const char*, const char*) { remark(data, "a processing instruction"); }
    static void comment(void* data, const char*) { remark(data, "a comment"); }
    static void remark(void* data, const char* what) {
        guarded(data, [&](ElementParser& self) {
            if (self.remarks_ == Remarks::forbidden) self.refuse(Code::forbidden, what);
        });
    }
    static void declaration(void* data, const char*, const char* encoding, int) {
        guarded(data, [&](ElementParser& self) {
            if (encoding && !is_utf8(encoding)) self.refuse(Code::malformed, "not in UTF-8");
        });
    }
};

ElementParser::ElementParser(Limits limits, std::string around) : limits_(limits), around_(std::move(around)) {}
ElementParser::~ElementParser() = default;

void ElementParser::free_parser(XML_ParserStruct* parser) noexcept { XML_ParserFree(parser); }

void ElementParser::renew() {
    static constexpr XML_Memory_Handling_Suite kMemory{bounded_malloc, bounded_realloc, release};
    static constexpr char kSeparators[] = {kSeparator, '\0'};
    allocatable = kMaxAllocated;
    expat_.reset(XML_ParserCreate_MM("UTF-8", &kMemory, kSeparators));
    if (!expat_) throw std::bad_alloc();
    auto* parser = expat_.get();
    XML_SetUserData(parser, this);
    XML_SetElementHandler(parser, Callbacks::start, Callbacks::end);
    XML_SetCharacterDataHandler(parser, Callbacks::text);
    XML_SetStartDoctypeDeclHandler(parser, Callbacks::doctype);
    XML_SetProcessingInstructionHandler(parser, Callbacks::instruction);
    XML_SetCommentHandler(parser, Callbacks::comment);
    XML_SetXmlDeclHandler(parser, Callbacks::declaration);
#ifdef STOX_EXPAT_DEFERS
    // Newer expats wait with a token they met the first part of until much more has come; here each text is whole.
    XML_SetReparseDeferralEnabled(parser, XML_FALSE);
#endif
    fed_ = 0;
    entered_ = around_.empty();
    feed(around_, false);
}

Result<Element> ElementParser::parse(std::string_view text, bool document, Remarks remarks) {
    remarks_ = remarks;
    open_.clear();
    complete_.reset();
    error_.reset();
    names_ = 0;
    // Expat takes UTF-16 for what it is, whatever it is told. UTF-8 has no NUL in XML, UTF-16 has one in every tag.
    // (RFC 6120 §11.6)
    if (document && text.find('\0') != text.npos) return fail(Code::malformed, "not in UTF-8");
    if (!expat_ || document || fed_ > kMaxFed) renew();
    allocatable = kMaxAllocated;  // what is around has had its own
    feed(text, document);
    if (!error_ && !complete_) refuse(Code::malformed, "not one element");
    if (document || error_) expat_.reset();
    if (error_) return fail(error_->code, std::move(error_->detail));
    return std::move(*complete_);
}

void ElementParser::feed(std::string_view text, bool last) {
    if (error_) return;
    fed_ += text.size();
    if (XML_Parse(expat_.get(), text.data(), static_cast<int>(text.size()), last) == XML_STATUS_OK || error_) return;
    const auto error = XML_GetErrorCode(expat_.get());
    error_ = Error{code_of(error), XML_ErrorString(error)};
}

void ElementParser::refuse(Code code, std::string why) {
    if (error_) return;
    error_ = Error{code, std::move(why)};
    XML_StopParser(expat_.get(), XML_FALSE);
}

bool ElementParser::has_room(const Element& parent) {
    if (parent.children.size() < limits_.children) return true;
    refuse(Code::too_large, "too many children in one element");
    return false;
}

void ElementParser::start(const char* name, const char** attributes) {
    if (!entered_) {
        entered_ = true;
        return;
    }
    if (open_.empty() && complete_) return refuse(Code::malformed, "more than one element");
    const auto count = static_cast<std::size_t>(XML_GetSpecifiedAttributeCount(expat_.get()) / 2);
    if (count > limits_.attributes) return refuse(Code::too_large, "too many attributes in one element");
    if (open_.size() >= limits_.depth) return refuse(Code::too_large, "elements too deep");
    if (!open_.empty() && !has_room(open_.back())) return;
    auto element = element_of(name, attributes, count);
    // Every element repeats its namespace: a long one declared once, with many short elements inside, would grow without end.
    names_ += octets_of_names(element);
    if (names_ > kMaxNamesPerOctet * limits_.stanza_octets) return refuse(Code::too_large, "names too long");
    open_.push_back(std::move(element));
}

void ElementParser::end() {
    if (open_.empty()) return refuse(Code::malformed, "the end of what is around");
    Element done = std::move(open_.back());
    open_.pop_back();
    if (open_.empty())
        complete_ = std::move(done);
    else
        open_.back().children.emplace_back(std::move(done));
}

void ElementParser::text(std::string_view text) {
    if (open_.empty()) return refuse(Code::malformed, "text outside the element");
    auto& element = open_.back();
    const bool adjoins = !element.children.empty() && std::holds_alternative<std::string>(element.children.back());
    if (adjoins || has_room(element)) element.add_text(text);
}

}  // namespace stox::xml
