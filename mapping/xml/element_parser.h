#pragma once
// One whole element at a time becomes a value, by expat and within the limits.

#include "mapping/core/handle.h"
#include "mapping/core/result.h"
#include "mapping/xml/element.h"
#include "mapping/xml/limits.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct XML_ParserStruct;

namespace stox::xml {

class ElementParser {
public:
    /// around  the start tag of the element around those that are parsed, whose namespaces hold in them; with its prolog
    explicit ElementParser(Limits limits, std::string around = {});
    ~ElementParser();
    ElementParser(const ElementParser&) = delete;
    ElementParser& operator=(const ElementParser&) = delete;

    /// Each call stands for itself: a fault in one says nothing about the next.
    /// document  the text is a whole document and may have a prolog; else it has no NUL, which the framer would not pass on
    /// errors    malformed: not one well-formed element in UTF-8; forbidden: what RFC 6120 §11.1 forbids; unsupported: a
    ///           prefix that nobody declared or may declare; too_large: over a limit, or over what it may take of memory
    Result<Element> parse(std::string_view text, bool document = false, Remarks remarks = Remarks::forbidden);

private:
    static void free_parser(XML_ParserStruct* parser) noexcept;
    struct Callbacks;

    void renew();
    void feed(std::string_view text, bool last);
    void start(const char* name, const char** attributes);
    void end();
    void text(std::string_view text);
    void refuse(Code code, std::string why);
    bool has_room(const Element& parent);

    const Limits limits_;
    const std::string around_;

    Handle<XML_ParserStruct, &free_parser> expat_;
    std::size_t fed_ = 0;  ///< octets since it was made

    // Of the element that is parsed.
    Remarks remarks_ = Remarks::forbidden;
    bool entered_ = false;       ///< the element around it is
    std::vector<Element> open_;  ///< it and those inside it that are not complete yet
    std::optional<Element> complete_;
    std::size_t names_ = 0;  ///< octets of all names in it, a namespace counted wherever it applies
    std::optional<Error> error_;
};

}  // namespace stox::xml
