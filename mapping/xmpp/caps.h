#pragma once
// XEP-0115: a hash in a presence that stands for the features of who sends it, so that they are asked for once.

#include "mapping/xmpp/disco.h"

#include <string>
#include <string_view>

namespace stox::xmpp {

/// The SHA-1 of identities and features in their one order, in Base64; empty: the host's libcrypto refuses SHA-1.   (XEP-0115
/// §5.1)
std::string caps_version(const DiscoInfo& info);

/// `<c hash='sha-1' node='...' ver='...'/>`.
/// node  a URI of the program; the features are asked for at `node#version`
xml::Element caps(std::string_view node, const DiscoInfo& info);

}  // namespace stox::xmpp
