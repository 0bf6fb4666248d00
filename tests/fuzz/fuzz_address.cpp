// Any octets as userinfo, localpart, domain and whole addresses: what maps maps back, and nobody lands in a foreign domain.

#include "mapping/address.h"
#include "mapping/core/assert.h"
#include "mapping/error_table.h"
#include "mapping/phone.h"

namespace {

using namespace stox;

constexpr std::string_view kComponent = "gw.example", kTrunk = "trunk.example";

void check_localpart(std::string_view text) {
    const auto user = localpart_to_user(text);
    if (!user) return;
    const auto back = user_to_localpart(user.value());
    const auto prepared = prepare_localpart(text);
    STOX_ASSERT(prepared);
    // A \5c that no code follows is the one spelling that is not kept (docs/spec 1.5).
    const bool lossy = escape_localpart(unescape_localpart(prepared.value())) != prepared.value();
    STOX_ASSERT(lossy || (back && back.value() == prepared.value()));
    STOX_ASSERT(localpart_to_im_user(text));
}

void check_user(std::string_view text) {
    const auto local = user_to_localpart(text);
    if (!local) return;
    STOX_ASSERT(local.value().find_first_of(" \"&'/:<>@") == std::string::npos);
    STOX_ASSERT(prepare_localpart(local.value()) == local);
    const auto user = localpart_to_user(local.value());
    STOX_ASSERT(user && user_to_localpart(user.value()) == local);
}

void check_domain(std::string_view text) {
    const auto domain = domain_to_jid(text);
    if (!domain) return;
    const auto host = domain_to_sip(domain.value());
    STOX_ASSERT(host && domain_to_jid(host.value()) == domain);
}

/// Whatever a localpart spells as a number goes to the trunk and comes back as the same number.
void check_number(const xmpp::Jid& jid) {
    const auto number = phone_number(jid);
    if (!number) return;
    const auto uri = to_uri_phone(number.value(), kTrunk);
    STOX_ASSERT(uri && uri.value().host == kTrunk && sip::Uri::parse(uri.value().to_string()) == uri);
    const auto again = phone_number(uri.value());
    STOX_ASSERT(again && again.value().text() == number.value().text());
    const auto back = to_jid_phone(uri.value(), kComponent);
    STOX_ASSERT(!back || (back.value().domain == kComponent && to_uri_phone(phone_number(back.value()).value(), kTrunk) == uri));
}

void check_uri(std::string_view text) {
    const auto uri = sip::Uri::parse(text);
    if (!uri) return;
    if (const auto jid = to_jid_native(uri.value())) {
        STOX_ASSERT(xmpp::Jid::parse(jid.value().to_string()) == jid);
        STOX_ASSERT(domain_to_jid(uri.value().host).value() == jid.value().domain);
        const auto back = to_uri_native(jid.value());
        STOX_ASSERT(back && sip::Uri::parse(back.value().to_string()) == back);
    }
    if (const auto jid = to_jid_nested(uri.value(), kComponent)) {
        STOX_ASSERT(jid.value().domain == kComponent);
        const auto back = to_uri_nested(jid.value(), "");
        STOX_ASSERT(back && back.value().host == domain_to_sip(domain_to_jid(uri.value().host).value()).value());
    }
    if (const auto jid = to_jid_phone(uri.value(), kComponent)) {
        STOX_ASSERT(jid.value().domain == kComponent);
        STOX_ASSERT(xmpp::Jid::parse(jid.value().to_string()) == jid);
        check_number(jid.value());
    }
}

/// A JID as a client writes it, under each scheme. Whatever it spells, what comes back is the component's.
void check_jid(std::string_view local) {
    const xmpp::Jid jid{std::string(local), std::string(kComponent), {}};
    if (const auto uri = to_uri_native(jid)) STOX_ASSERT(uri.value().host == kComponent);
    check_number(jid);
    for (const std::string_view otherwise : {"", "d.example"}) {
        const auto uri = to_uri_nested(jid, otherwise);
        if (!uri) continue;
        STOX_ASSERT(sip::Uri::parse(uri.value().to_string()) == uri);
        // An alias, a short form or a lone \5c comes back in the one spelling that comes back as itself.
        const auto canonical = to_jid_nested(uri.value(), kComponent);
        if (!canonical) continue;
        STOX_ASSERT(canonical.value().domain == kComponent);
        STOX_ASSERT(to_uri_nested(canonical.value(), "elsewhere.example") == uri);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    check_localpart(text);
    check_user(text);
    check_domain(text);
    check_jid(text);
    check_uri(text);
    const auto error = to_stanza_error(486, text);
    STOX_ASSERT(!error.text || error.text->size() <= 256);
    return 0;
}
