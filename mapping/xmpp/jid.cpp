#include "mapping/xmpp/jid.h"

#include <unicode/ustring.h>

#include <cstdint>

namespace stox::xmpp {

namespace {

constexpr std::size_t kMaxPart_octets = 1023;  // RFC 7622 §3.1

Result<std::string> part(std::string_view text, const char* name) {
    if (text.empty()) return fail(Code::malformed, std::string("empty ") + name);
    if (text.size() > kMaxPart_octets) return fail(Code::too_large, std::string(name) + " over 1,023 octets");
    // Only counts: with no room given, a text that is UTF-8 ends in "too small" and any other in "invalid".
    UErrorCode status = U_ZERO_ERROR;
    u_strFromUTF8(nullptr, 0, nullptr, text.data(), static_cast<std::int32_t>(text.size()), &status);
    if (status != U_BUFFER_OVERFLOW_ERROR) return fail(Code::malformed, std::string(name) + " is not UTF-8");
    return std::string(text);
}

}  // namespace

Result<Jid> Jid::parse(std::string_view text) {
    Jid jid;
    // The resource may hold '@' and '/', so the first '/' ends the bare JID.   (RFC 7622 §3.2)
    if (const auto slash = text.find('/'); slash != std::string_view::npos) {
        BOOST_OUTCOME_TRY(resource, part(text.substr(slash + 1), "resource"));
        jid.resource = std::move(resource);
        text = text.substr(0, slash);
    }
    if (const auto at = text.find('@'); at != std::string_view::npos) {
        BOOST_OUTCOME_TRY(local, part(text.substr(0, at), "localpart"));
        jid.local = std::move(local);
        text.remove_prefix(at + 1);
    }
    // What is left is a domain, in which no '@' can stand.
    if (text.find('@') != std::string_view::npos) return fail(Code::malformed, "two '@' in a JID");
    BOOST_OUTCOME_TRY(domain, part(text, "domain"));
    jid.domain = std::move(domain);
    return jid;
}

std::string Jid::to_string() const {
    std::string text;
    text.reserve(local.size() + domain.size() + resource.size() + 2);
    if (!local.empty()) text.append(local).append(1, '@');
    text.append(domain);
    if (!resource.empty()) text.append(1, '/').append(resource);
    return text;
}

}  // namespace stox::xmpp
