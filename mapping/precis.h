#pragma once
// PRECIS (RFC 8264): the two string classes, the rules of context and the Bidi rule, over ICU's properties.

#include <unicode/unistr.h>

namespace stox::precis {

enum class StringClass { identifier, freeform };

/// Every code point is allowed in that class, where it stands.   (RFC 8264 §8, RFC 5892 appendix A)
bool allows(StringClass string_class, const icu::UnicodeString& text);

/// Full-width and half-width code points become what they decompose to.   (RFC 8264 §5.2.1)
icu::UnicodeString map_width(const icu::UnicodeString& text);

/// RFC 5893 §2 for a text that holds right-to-left code points; any other text obeys it.   (RFC 8264 §5.2.5)
bool obeys_bidi_rule(const icu::UnicodeString& text);

}  // namespace stox::precis
