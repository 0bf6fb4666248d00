#pragma once
// The one place that turns text into XML. Whatever the text holds, what comes out is well-formed.

#include "mapping/xml/element.h"

#include <string>
#include <string_view>

namespace stox::xml {

/// The element as XML. A child repeats xmlns only where its namespace differs from its parent's; `inherited_ns` is the
/// default namespace where the text will stand (for a stanza: the stream's), so that it is not repeated either.
/// Characters that XML 1.0 does not allow, and octets that are not UTF-8, become U+FFFD.   (RFC 6120 §11.3, CORE-75)
std::string write(const Element& element, std::string_view inherited_ns = {});

/// The text with & < > ' " as references and illegal characters replaced; fit for content and for attributes.
std::string escape(std::string_view text);

}  // namespace stox::xml
