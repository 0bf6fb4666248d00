#pragma once
// The error element of a stanza; for the stanza codec alone.

#include "mapping/xml/element.h"
#include "mapping/xmpp/stanza_error.h"

namespace stox::xmpp {

/// Reads an <error/>. Whatever is missing or unknown takes its default: an error is never refused.   (RFC 6120 §8.3.2)
StanzaError decode_error(const xml::Element& element);

/// Writes the <error/> of a component stream's stanza: condition, text, and the SIP status in an element of ours.   (CORE-51)
xml::Element encode(const StanzaError& error);

}  // namespace stox::xmpp
