#pragma once
// Members of a stored row, read back by the grammar of each: whatever became of the file, nothing that is read here breaks a
// header line or a stanza.

#include "mapping/core/ids.h"
#include "mapping/core/result.h"
#include "mapping/sip/uri.h"
#include "mapping/xmpp/jid.h"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stox::store {

constexpr std::size_t kMaxRowIdOctets = 4096;  ///< a Call-ID, a tag, a sid
constexpr std::size_t kMaxRowRoutes = 64;

// Sets of octets.
bool is_token_octet(char c);    ///< RFC 3261 §25.1 token
bool is_call_id_octet(char c);  ///< word, and the "@" between two
bool is_printable(char c);      ///< no control character

/// malformed: this member is missing or against its grammar.
Error wrong_member(const char* name);

/// The object, or why the text is none. A member that stands twice has no one meaning.
Result<nlohmann::json> parse_row(std::string_view text, std::size_t most_octets);
/// Null: it is not there.
const nlohmann::json* member_of(const nlohmann::json& object, const char* name);

Result<std::string> text_of(const nlohmann::json& object, const char* name);
/// Between `shortest` and kMaxRowIdOctets octets, all of them allowed.
Result<std::string> id_of(const nlohmann::json& object, const char* name, bool (*allowed)(char), std::size_t shortest = 1);
Result<std::uint64_t> number_of(const nlohmann::json& object, const char* name, std::uint64_t most);
/// True where it stands; what is not there is false.
Result<bool> flag_of(const nlohmann::json& object, const char* name);
/// Without headers ("?...").
Result<sip::Uri> uri_of(const nlohmann::json& object, const char* name);
/// Of scheme sip or sips.
Result<sip::Uri> sip_uri_of(const nlohmann::json& object, const char* name);
/// kMaxRowRoutes at most, each as sip_uri_of.
Result<std::vector<sip::Uri>> routes_of(const nlohmann::json& object, const char* name);
Result<xmpp::Jid> jid_of(const nlohmann::json& object, const char* name);
Result<Trace> trace_of(const nlohmann::json& object, const char* name);

}  // namespace stox::store
