#include "sip/told_address.h"

#include "sip/edge/socket_address.h"

namespace stox::sip {

Address told_address(const Address& bound, const std::optional<Address>& configured) {
    if (configured && configured->is_v4() == bound.is_v4()) return *configured;
    if (!is_any(bound)) return bound;
    const auto world = bound.is_v4() ? Address::v4({192, 0, 2, 1}) : Address::parse("2001:db8::1").value();
    const auto source = source_for({world, 9});
    if (source.is_v4() == bound.is_v4() && !is_any(source)) return source;
    return bound.is_v4() ? Address::v4({127, 0, 0, 1}) : Address::parse("::1").value();
}

}  // namespace stox::sip
