#include "plugin/engine/author.h"

#include "mapping/sip/asserted_identity.h"
#include "plugin/engine/addressing.h"
#include "plugin/engine/peers.h"

#include <algorithm>

namespace stox::engine {

namespace {

/// A temporary GRUU: a riddle that names a device and nobody.   (RFC 5627 §3.1.2, CORE-41)
bool is_temporary(const sip::Uri& uri) {
    const auto* gr = uri.parameter("gr");
    return gr && !gr->value;
}

/// Who says so in From hides from everybody.   (RFC 3323 §4.1.1.3)
bool is_nobody(const sip::Uri& uri) { return uri.host == "anonymous.invalid"; }

bool covers(const config::DomainOptions& options, const config::Identity& allowed, const sip::Uri& identity) {
    const bool at_home = allowed.domain.empty() ? identity.scheme == sip::Scheme::tel || is_own_sip_domain(options, identity.host)
                                                : identity.host == allowed.domain;
    if (!at_home) return false;
    if (allowed.numbers) {
        const auto number = global_number(identity);
        return !number.empty() && allowed.numbers->contains(number);
    }
    if (allowed.user.empty()) return true;
    const auto user = sip::percent_decode(identity.user);
    return user && user.value() == allowed.user;
}

}  // namespace

bool may_assert(const config::DomainOptions& options, const config::Peer& peer, const sip::Uri& identity) {
    using sip::Scheme;
    if (identity.scheme != Scheme::sip && identity.scheme != Scheme::sips && identity.scheme != Scheme::tel) return false;
    if (identity.user.empty() || serves(options, identity.host)) return false;
    // With scheme phone a number is a user of the component's own, whether it stands in a tel URI or at its SIP domain.
    if (peer.identities.empty())
        return identity.scheme == Scheme::tel ? options.scheme == config::AddressScheme::phone
                                              : is_own_sip_domain(options, identity.host);
    return std::ranges::any_of(peer.identities, [&](const auto& allowed) { return covers(options, allowed, identity); });
}

std::string rate_key(const sip::Uri& uri) {
    const auto number = global_number(uri);
    return "sip:" + (number.empty() ? sip::canonical_user(uri.user) : number) + '@' + uri.host;
}

std::optional<Author> author_of(const config::DomainOptions& options, const config::Peer& peer, const sip::Request& request) {
    const bool hidden = sip::wants_privacy(request.headers);
    const auto wanted = options.scheme == config::AddressScheme::phone ? sip::Asserted::number : sip::Asserted::address;
    const auto asserted = peer.pai_trusted ? sip::asserted_identity(request.headers, wanted) : std::nullopt;
    if (asserted && !is_temporary(asserted->uri)) {
        if (!may_assert(options, peer, asserted->uri)) return std::nullopt;
        return Author{asserted->uri, hidden};
    }
    const auto& from = request.from.uri;
    if (is_nobody(from)) return Author{from, true};
    if (!may_assert(options, peer, from)) return std::nullopt;
    return Author{from, hidden || is_temporary(from)};
}

}  // namespace stox::engine
