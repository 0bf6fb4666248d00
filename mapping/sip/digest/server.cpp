#include "mapping/sip/digest/server.h"

#include "mapping/core/assert.h"
#include "mapping/sip/uri.h"

#include <algorithm>
#include <array>

namespace stox::sip::digest {

namespace {

constexpr std::size_t kMaxValues = 16;
constexpr std::uint16_t kSipPort = 5060, kSipsPort = 5061;

constexpr std::array kReasons{
    std::pair{Reason::malformed, std::string_view("malformed")},
    std::pair{Reason::unsupported, std::string_view("unsupported")},
    std::pair{Reason::uri, std::string_view("uri")},
    std::pair{Reason::unknown_user, std::string_view("unknown-user")},
    std::pair{Reason::response, std::string_view("response")},
    std::pair{Reason::replay, std::string_view("replay")},
    std::pair{Reason::unavailable, std::string_view("unavailable")},
};

template <class T>
bool holds(const std::vector<T>& set, T item) {
    return std::ranges::find(set, item) != set.end();
}

/// The credentials that were made for us, or the verdict when there are none.
std::variant<Credentials, Verdict> ours_among(std::span<const std::string> values, std::string_view realm) {
    Verdict verdict = Absent{};
    for (const auto& text : values.first(std::min(values.size(), kMaxValues))) {
        const auto value = parse_credentials(text);
        if (!value) {
            verdict = Wrong{Reason::malformed};
            continue;
        }
        const auto* named = value.value().parameter("realm");
        if (!same_word(value.value().scheme, "Digest") || (named && named->value != realm)) continue;
        auto credentials = Credentials::from(value.value());
        if (credentials) return std::move(credentials).value();
        return Verdict(Wrong{credentials.error().code == Code::unsupported ? Reason::unsupported : Reason::malformed});
    }
    return verdict;
}

std::uint16_t port_of(const Uri& uri) { return uri.port.value_or(uri.scheme == Scheme::sips ? kSipsPort : kSipPort); }

/// Whether both lead to the same resource. Parameters may differ: proxies add and remove them.   (RFC 3261 §22.4 item 6)
bool same_resource(std::string_view one, std::string_view other) {
    if (one == other) return true;
    const auto a = Uri::parse(one), b = Uri::parse(other);
    if (!a || !b) return false;
    const auto user_a = percent_decode(a.value().user), user_b = percent_decode(b.value().user);
    return a.value().scheme == b.value().scheme && a.value().host == b.value().host && port_of(a.value()) == port_of(b.value()) &&
           user_a && user_b && user_a.value() == user_b.value();
}

}  // namespace

std::string_view to_string(Reason reason) {
    return std::ranges::find(kReasons, reason, [](const auto& row) { return row.first; })->second;
}

Authenticator::Authenticator(Options options, const Key& key)
    : options_(std::move(options)), nonces_(options_.realm, key, options_.nonces), stand_in_(to_hex(key)) {
    STOX_ASSERT(!options_.algorithms.empty() && !options_.qop.empty() && is_quotable(options_.realm));
}

std::vector<std::string> Authenticator::challenges(TimePoint now, bool stale) {
    std::vector<std::string> values;
    Challenge challenge{
        .realm = options_.realm, .nonce = nonces_.make(now), .opaque = {}, .algorithm = {}, .qop = options_.qop, .stale = stale};
    for (const auto algorithm : options_.algorithms) {
        challenge.algorithm = algorithm;
        values.push_back(challenge.to_string());
    }
    return values;
}

Verdict Authenticator::verify(std::span<const std::string> values, const RequestParts& request, const Lookup& lookup,
                              TimePoint now) {
    const auto found = ours_among(values, options_.realm);
    const auto* credentials = std::get_if<Credentials>(&found);
    if (!credentials) return std::get<Verdict>(found);
    if (const auto reason = objection(*credentials, request)) return Wrong{*reason};
    if (const auto reason = check_response(*credentials, request, lookup)) return Wrong{*reason};
    // Only now the nonce: whoever does not know the secret must neither learn about nonces nor fill the table of counts.
    std::optional<std::uint32_t> count;
    if (credentials->protection) {
        const auto nc = parse_nc(credentials->protection->nc);
        if (!nc) return Wrong{Reason::malformed};
        count = nc.value();
    }
    switch (nonces_.use(credentials->nonce, count, now)) {
        case Nonces::Use::fresh:
            return Accepted{credentials->username};
        case Nonces::Use::replayed:
            return Wrong{Reason::replay};
        case Nonces::Use::stale:
            break;
    }
    return Stale{};
}

/// What can be seen without a secret.
std::optional<Reason> Authenticator::objection(const Credentials& credentials, const RequestParts& request) const {
    if (!holds(options_.algorithms, credentials.algorithm.value_or(Algorithm::md5))) return Reason::unsupported;
    // RFC 8760 §2.6 item 8: without qop it is auth.
    if (!holds(options_.qop, credentials.protection ? credentials.protection->qop : Qop::auth)) return Reason::unsupported;
    if (credentials.userhash) return Reason::unsupported;
    if (!same_resource(credentials.uri, request.uri)) return Reason::uri;
    return std::nullopt;
}

std::optional<Reason> Authenticator::check_response(const Credentials& credentials, const RequestParts& request,
                                                    const Lookup& lookup) const {
    const auto algorithm = credentials.algorithm.value_or(Algorithm::md5);
    const auto found = lookup(credentials.username, options_.realm, algorithm);
    // What is no H(A1) is no secret either: anybody knows an empty one.
    const bool known = found && found->size() == hex_digits(algorithm);
    // An unknown user goes the same way to the end, so that the time tells nothing.
    const auto secret = std::string_view(known ? *found : stand_in_).substr(0, hex_digits(algorithm));
    const auto expected = response(algorithm, secret, credentials.nonce, credentials.protection,
                                   {.method = request.method, .uri = credentials.uri, .body = request.body});
    if (!expected) return Reason::unavailable;
    const bool right = equal_in_constant_time(expected.value(), credentials.response);
    if (!known) return Reason::unknown_user;
    if (!right) return Reason::response;
    return std::nullopt;
}

}  // namespace stox::sip::digest
