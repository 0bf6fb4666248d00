#pragma once
// XEP-0203: when a stanza was first handed to whoever delivers it late.

#include "mapping/core/utc_time.h"
#include "mapping/xml/element.h"

#include <string>

namespace stox::xmpp {

/// by   the JID of who kept it
/// at   written in UTC with milliseconds   (XEP-0082)
xml::Element delay(const std::string& by, UtcTime at);

}  // namespace stox::xmpp
