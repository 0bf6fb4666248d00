#pragma once
// Which configured peer a request comes from, and which one ours go to.   (contract: docs/architecture.md, Peers)

#include "mapping/sip/certified_names.h"
#include "mapping/sip/uri.h"
#include "plugin/config/options.h"

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stox::engine {

/// What is proven of the sender of a request.
struct Sender {
    Address source;
    sip::CertifiedNames tls{};  ///< of the client certificate
    std::string user{};         ///< of digest authentication; empty: has proven none
};

/// How closely a peer fits: a digest user before a TLS name before the longest prefix.
struct Closeness {
    bool by_user = false, by_tls_name = false;
    int prefix = -1;  ///< bits; -1: has no source condition

    auto operator<=>(const Closeness&) const = default;
};

struct Match {
    const config::Peer* peer = nullptr;  ///< null: nobody, or several that fit equally well
    bool several = false;
    Closeness closeness;
};

/// The peer all of whose conditions hold and that fits most closely. A request belongs to one or to none: a certificate with
/// the names of two peers, which no load could foresee, is nobody's.
Match match(const config::DomainOptions& options, const Sender& sender);

/// Whether the other end of the connection that this sender came over is that peer itself, and nobody else for whom it speaks: it
/// proves one of the peer's TLS names, or has the address of a next hop that is reached without TLS, or the one address that the
/// operator named. A digest user is one of many, and so is whoever has an address out of a range, or any address at all where
/// users are told apart by digest. A peer that is reached by TLS alone proves a name: what we prove to it is for no clear line.
/// at_next_hop  the sender has the address of one that is reached without TLS
bool is_peer_itself(const config::DomainOptions& options, const config::Peer& peer, const Sender& sender, bool at_next_hop);

/// Whether some peer is known by its digest user, so that a request of nobody's gets a chance to prove one.
bool has_digest_users(const config::DomainOptions& options);

/// The way to that SIP address: the longest number prefix that fits a number at the component's own SIP domain (or a tel URI),
/// else the longest domain, else the default peer, else the only one that has a next hop if it names no targets; null: no
/// peer, no traffic. Numbers at other domains are names of those domains.
const config::Peer* select_peer(const config::DomainOptions& options, const sip::Uri& target);

/// The same, but null where no peer names that address among its targets: a peer for everything else is no reason to go there.
const config::Peer* targeted_peer(const config::DomainOptions& options, const sip::Uri& target);

/// "+442071234567" of tel:+44-20-7123-4567 or sip:+44(20)71234567@anywhere; empty: no global number.   (RFC 3966 §5.1.4)
std::string global_number(const sip::Uri& uri);

/// Whether that host stands for the component itself on the SIP side.
bool is_own_sip_domain(const config::DomainOptions& options, std::string_view host);

}  // namespace stox::engine
