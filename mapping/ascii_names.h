#pragma once
// Most names are plain ASCII, for which preparation is a matter of a few comparisons: what mapping/prepare.h and mapping/address.h
// make of them, without Unicode's tables. Nothing: the tables must judge, also where only the reason for a refusal is wanted.

#include <optional>
#include <string>
#include <string_view>

namespace stox::ascii {

/// In lower case; nothing when a character is not ASCII.
std::optional<std::string> lower(std::string_view text);

/// A localpart that UsernameCaseMapped (RFC 8265 §3.3) and nodeprep (RFC 3920 appendix A) make the same: graphic characters but
/// the eight that nodeprep prohibits.
std::optional<std::string> localpart(std::string_view text);

/// OpaqueString (RFC 8265 §4.2) and resourceprep (RFC 3920 appendix B) change nothing and refuse nothing of it.
bool is_resource(std::string_view text);

/// A name in lower case that IDNA leads to itself both ways and SIP reads as a host: labels of letters, digits and hyphens
/// (RFC 5890 §2.3.1) but those with hyphens where A-labels have theirs, the last one starting with a letter (RFC 3261 §25.1).
std::optional<std::string> domain(std::string_view text);

}  // namespace stox::ascii
