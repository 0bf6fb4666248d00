#pragma once
// P-Asserted-Identity and Privacy as values.   (RFC 3325 §9, RFC 3323 §4.2)

#include "mapping/sip/message.h"

#include <optional>
#include <vector>

namespace stox::sip {

/// The sip or sips identity that the header asserts; of several the first. A tel identity beside it is passed over.
/// Nothing: no such header, or none that can be read: at most 4 values of 1,024 octets are looked at.
std::optional<NameAddr> asserted_identity(const std::vector<Header>& headers);

/// Whether the author wants not to be shown: Privacy with id, user, header or session.
bool wants_privacy(const std::vector<Header>& headers);

}  // namespace stox::sip
