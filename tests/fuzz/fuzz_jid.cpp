// Any octets as a JID: what parses prints to itself. The same octets as IP addresses, for they are as short.

#include "mapping/core/assert.h"
#include "mapping/core/endpoint.h"
#include "mapping/xmpp/jid.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stox;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto jid = xmpp::Jid::parse(text)) {
        STOX_ASSERT(jid.value().to_string() == text);
        STOX_ASSERT(!jid.value().domain.empty() && jid.value().bare().is_bare());
    }
    if (const auto prefix = Prefix::parse(text)) {
        const auto again = Prefix::parse(prefix.value().to_string());
        STOX_ASSERT(again && again.value() == prefix.value() && prefix.value().contains(prefix.value().address));
    }
    if (const auto endpoint = Endpoint::parse(text)) {
        const auto again = Endpoint::parse(endpoint.value().to_string());
        STOX_ASSERT(again && again.value() == endpoint.value());
    }
    return 0;
}
