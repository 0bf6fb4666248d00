#pragma once
// The one place that turns text into XML. Whatever the text holds, what comes out is well-formed.

#include "mapping/xml/element.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace stox::xml {

/// The element as XML. A child repeats xmlns only where its namespace differs from its parent's; `inherited_ns` is the
/// default namespace where the text will stand (for a stanza: the stream's), so that it is not repeated either.
/// Characters that XML 1.0 does not allow, and octets that are not UTF-8, become U+FFFD.   (RFC 6120 §11.3, CORE-75)
std::string write(const Element& element, std::string_view inherited_ns = {});

/// The same, or nothing where it would be longer than `most` octets. The work ends there: a long namespace that many children share
/// is spelled out for each of those that do not stand inside one another.
std::optional<std::string> write_within(const Element& element, std::size_t most, std::string_view inherited_ns = {});

/// The text with & < > ' " as references and illegal characters replaced; fit for content and for attributes.
std::string escape(std::string_view text);

}  // namespace stox::xml
