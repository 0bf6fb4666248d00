#pragma once
// P-Asserted-Identity and Privacy as values.   (RFC 3325 §9, RFC 3323 §4.2)

#include "mapping/sip/message.h"

#include <optional>
#include <vector>

namespace stox::sip {

enum class Asserted {
    address,  ///< the sip or sips identity; a tel identity beside it is passed over
    number,   ///< the tel identity where there is one, else the other
};

/// The identity that the header asserts; of several of a kind the first. Nothing: no such header, or none of that kind, or none
/// that can be read: at most 4 values of 1,024 octets are looked at.
std::optional<NameAddr> asserted_identity(const std::vector<Header>& headers, Asserted wanted = Asserted::address);

/// Whether the author wants not to be shown: Privacy with id, user, header or session.
bool wants_privacy(const std::vector<Header>& headers);

}  // namespace stox::sip
