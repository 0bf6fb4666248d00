#pragma once
// What stands inside header values that Sofia leaves to us: option tags, numbers, a value with parameters.

#include "mapping/sip/message.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stox::sip {

/// Header names, option tags and most tokens do not tell case.   (RFC 3261 §7.3.1)
bool same_token(std::string_view a, std::string_view b);

/// Whether a comma-separated token stands in any line of that header: `has_token(request.headers, "Supported", "timer")`.
bool has_token(const std::vector<Header>& headers, std::string_view name, std::string_view token);

/// Adds that header in the place of those of its name.
void put(std::vector<Header>& headers, const Header& header);

/// Digits alone, white space around them allowed. nullopt: no number, or one over 2^32 - 1.
std::optional<std::uint32_t> read_number(std::string_view text);

/// The number that starts the value of that header ("90;refresher=uac", "120 (in a meeting)"); nullopt when absent or none.
std::optional<std::uint32_t> leading_number(const std::string* value);

struct ParameterizedValue {
    std::string value;
    std::vector<UriParameter> parameters;  ///< names in lower case; values without their quotes

    /// The first of that name (in lower case), or null.
    const UriParameter* parameter(std::string_view name) const;
    friend bool operator==(const ParameterizedValue&, const ParameterizedValue&) = default;
};

/// value *(";" name ["=" value]), as Event, Subscription-State, Session-Expires and Replaces are made.
/// errors  malformed: no value, a nameless parameter, an open quote; too_large: over 1,024 octets or 16 parameters
Result<ParameterizedValue> read_parameterized(std::string_view text);

}  // namespace stox::sip
