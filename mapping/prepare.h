#pragma once
// Preparation of the parts of a JID that we make (RFC 7622 §3), and what address.cpp needs to judge them.

#include "mapping/core/result.h"

#include <string>
#include <string_view>

namespace stox {

/// PRECIS UsernameCaseMapped alone, enforced (RFC 8265 §3.3).   errors  unmappable, with the reason
Result<std::string> username_case_mapped(std::string_view text);

/// A resource that we make: PRECIS OpaqueString (RFC 8265 §4.2) and a fixed point of resourceprep; at most 1,023 octets.
/// errors  unmappable, too_large
Result<std::string> prepare_resource(std::string_view text);

/// What is left of a text's spelling once width, case and composition are gone: two spellings of one localpart have one
/// fold. For comparison only; nothing is checked.   errors  unmappable: no UTF-8
Result<std::string> fold(std::string_view text);

/// A fixed point of nameprep (RFC 3491), so that a server that prepares domains with it changes nothing.
bool is_nameprepped(std::string_view domain);

}  // namespace stox
