// Any octets from the server: the session ends at most once, tells nobody the secret, and all it sends is XML from our domain.

#include "mapping/core/assert.h"
#include "mapping/xml/reader.h"
#include "mapping/xmpp/component_session.h"

#include <cstddef>
#include <cstdint>
#include <functional>

namespace {

/// Whether a server that reads this finds nothing wrong with it.
bool is_read(stox::xml::StreamReader& server, std::string_view octets) {
    for (const auto& event : server.feed(octets))
        if (std::holds_alternative<stox::xml::StanzaRefused>(event) || std::holds_alternative<stox::xml::StreamFault>(event))
            return false;
    return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stox;
    const std::string_view octets(reinterpret_cast<const char*>(data), size);
    // Nothing the server says can hold it by chance, so that what holds it has leaked it.
    const auto secret = "secret" + std::to_string(std::hash<std::string_view>()(octets));
    xmpp::ComponentSession session("sip.example", secret);
    xml::StreamReader server;
    bool ended = false;
    const auto check = [&](const std::vector<xmpp::SessionEvent>& events) {
        for (const auto& event : events) {
            STOX_ASSERT(!ended);
            if (const auto* send = std::get_if<xmpp::SendOctets>(&event)) {
                STOX_ASSERT(send->octets.find(secret) == std::string::npos);
                STOX_ASSERT(is_read(server, send->octets));
            } else if (const auto* received = std::get_if<xmpp::StanzaReceived>(&event)) {
                const auto answer = xmpp::make_error(received->stanza, {});
                const auto encoded = answer ? session.encode(*answer) : fail(Code::unsupported, {});
                if (encoded) STOX_ASSERT(is_read(server, encoded.value()));
            } else if (const auto* refused = std::get_if<xmpp::StanzaRefused>(&event)) {
                const auto answer = refused->envelope ? xmpp::make_error(*refused->envelope, {}) : std::nullopt;
                const auto encoded = answer ? session.encode(*answer) : fail(Code::unsupported, {});
                if (encoded) STOX_ASSERT(is_read(server, encoded.value()));
            } else if (const auto* over = std::get_if<xmpp::StreamEnded>(&event)) {
                STOX_ASSERT(over->detail.find(secret) == std::string::npos);
                ended = true;
            }
        }
    };
    check(session.open());
    // Half of it at a time, so that the cut falls anywhere.
    check(session.receive(octets.substr(0, size / 2)));
    check(session.receive(octets.substr(size / 2)));
    const auto closing = session.close();
    STOX_ASSERT(!ended || closing.empty());
    return 0;
}
