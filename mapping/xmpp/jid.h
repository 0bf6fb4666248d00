#pragma once
// The JID (RFC 7622) as a value.

#include "mapping/core/result.h"

#include <compare>
#include <string>
#include <string_view>

namespace stox::xmpp {

/// local and resource may be empty (absent); domain never is. The parts are as they stand on the wire: XEP-0106 escapes
/// are kept, so two Jids are the same address exactly when they are equal.   (XEP-0106 §4.3, CORE-37)
struct Jid {
    std::string local;
    std::string domain;
    std::string resource;

    /// Splits at the first '/' and then at the first '@'; checks that each part is UTF-8 of 1..1023 octets. A JID from the
    /// stream was prepared by the server and is taken as it is.   (RFC 7622 §3)
    static Result<Jid> parse(std::string_view text);

    Jid bare() const { return {local, domain, {}}; }
    bool is_bare() const { return resource.empty(); }
    std::string to_string() const;
    friend auto operator<=>(const Jid&, const Jid&) = default;
};

}  // namespace stox::xmpp
