#pragma once
// What the gateway itself says to people, in their language where it knows it.   (CORE-61)

#include "mapping/xmpp/stanza.h"

#include <string>
#include <string_view>
#include <vector>

namespace stox::engine {

/// An error whose text is one of the catalogue's English ones gets it in the language of `lang` (of the stanza it answers), else
/// of `otherwise` (the domain's), else in English, and says which. The text of anybody else, a reason phrase, stays as it is.
xmpp::StanzaError localized(xmpp::StanzaError error, std::string_view lang, std::string_view otherwise);

/// An error in the language that its stanza still names: that of the stanza it answers.
void speak_their_language(xmpp::Stanza& stanza, std::string_view otherwise);

/// The languages there are, English first.
std::vector<std::string_view> text_languages();

}  // namespace stox::engine
