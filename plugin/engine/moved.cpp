#include "plugin/engine/moved.h"

#include "plugin/engine/addressing.h"

#include <cctype>

namespace stox::engine {

namespace {

/// xmpp:local@domain; what is not unreserved stands as %XX.   (RFC 5122 §2.2)
std::string xmpp_uri(const xmpp::Jid& jid) {
    static constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string uri = "xmpp:";
    for (const char c : jid.local) {
        const auto octet = static_cast<unsigned char>(c);
        if (std::isalnum(octet) || std::string_view("-._~").find(c) != std::string_view::npos)
            uri += c;
        else
            (uri += '%', uri += kHex[octet >> 4], uri += kHex[octet & 15]);
    }
    return uri + '@' + jid.domain;
}

}  // namespace

std::string new_address(const config::DomainOptions& options, const sip::Response& response) {
    for (const auto& contact : response.contacts)
        if (const auto jid = contact_jid(options, contact.uri)) return xmpp_uri(jid.value());
    return {};
}

}  // namespace stox::engine
