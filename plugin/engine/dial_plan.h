#pragma once
// Scheme phone: which numbers without plus there are, and which of them are for emergencies.   (CORE-35, CORE-36)

#include "mapping/phone.h"
#include "plugin/config/options.h"

#include <string_view>

namespace stox::engine {

/// "*21#" as it stands; x is any digit; a dot at the end one or more digits, stars or hashes.
bool matches(std::string_view pattern, std::string_view digits);

/// A global number; one whose phone-context is known; one without that the dial plan has.
bool is_known(const config::PhoneOptions& options, const PhoneNumber& number);

/// Whatever context or extension stands with it.
bool is_emergency(const config::PhoneOptions& options, const PhoneNumber& number);

}  // namespace stox::engine
