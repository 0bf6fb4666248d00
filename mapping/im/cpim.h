#pragma once
// message/cpim (RFC 3862): one message with headers of its own around its content.

#include "mapping/core/result.h"
#include "mapping/im/mime.h"

#include <string>
#include <string_view>
#include <vector>

namespace stox::im {

inline constexpr std::string_view kCpimType = "message/cpim";
inline constexpr std::string_view kCpimNs = "urn:ietf:params:cpim-headers:";
inline constexpr std::string_view kImdnHeaderNs = "urn:ietf:params:imdn";  // RFC 5438 §6.1

struct CpimHeader {
    std::string ns;     ///< the URI, whatever prefix stands for it
    std::string name;   ///< without prefix; case counts
    std::string value;  ///< without escapes, so it may hold any character
    std::string lang{};

    friend bool operator==(const CpimHeader&, const CpimHeader&) = default;
};

struct Cpim {
    std::vector<CpimHeader> headers;  ///< in order, NS and Require left out
    Entity content;                   ///< its headers are MIME headers

    /// The first of that name, or null.
    const CpimHeader* header(std::string_view ns, std::string_view name) const;
    std::vector<std::string> values(std::string_view ns, std::string_view name) const;
    friend bool operator==(const Cpim&, const Cpim&) = default;
};

/// Lines may end with LF alone, and the space behind the colon may be missing; else as RFC 3862 has it.
/// errors  malformed: no headers, a line that is none, control characters, a prefix nobody declared, octets that are not
///         UTF-8; unsupported: a Require that we do not fulfil (§3.5); too_large: more than 64 headers
Result<Cpim> read_cpim(std::string_view octets);

/// The message as octets. Control characters and backslashes of values are escaped, so no value ends its line; a header whose
/// name is none is left out. Content-Type of the content comes first.
std::string write_cpim(const Cpim& message);

/// What stands between '<' and '>' in a From, To or route header; empty when nothing does.
std::string cpim_uri(std::string_view value);

}  // namespace stox::im
