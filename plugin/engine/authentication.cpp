#include "plugin/engine/authentication.h"

#include "plugin/engine/peers.h"

#include <algorithm>

namespace stox::engine {

namespace digest = sip::digest;

namespace {

digest::Key random_key(IdGenerator& ids) {
    digest::Key key{};
    for (std::size_t i = 0; i < key.size(); i += 8)
        for (std::uint64_t bits = ids.trace().bits, octet = 0; octet < 8; ++octet, bits >>= 8)
            key[i + octet] = static_cast<std::uint8_t>(bits);
    return key;
}

std::vector<std::string> authorizations(const sip::Request& request) {
    std::vector<std::string> values;
    for (const auto& header : request.headers)
        if (digest::same_word(header.name, "Authorization")) values.push_back(header.value);
    return values;
}

}  // namespace

std::vector<digest::Algorithm> usable_algorithms(const config::DomainOptions& options, const digest::Ha1Table& users) {
    std::vector<digest::Algorithm> usable;
    for (const auto& name : options.digest.algorithms) {
        const auto algorithm = digest::parse_algorithm(name);
        if (!algorithm || std::ranges::find(usable, algorithm.value()) != usable.end()) continue;
        const bool all = std::ranges::all_of(options.peers, [&](const config::Peer& peer) {
            return std::ranges::all_of(peer.users, [&](const std::string& user) {
                return users.find(user, options.digest.realm, algorithm.value()).has_value();
            });
        });
        if (all) usable.push_back(algorithm.value());
    }
    return usable;
}

void Authentication::configure(const config::DomainOptions& options, const digest::Ha1Table& users, IdGenerator& ids) {
    authenticator_.reset();
    auto algorithms = usable_algorithms(options, users);
    if (!has_digest_users(options) || algorithms.empty()) return;
    digest::Authenticator::Options how;
    how.realm = options.digest.realm;
    how.algorithms = std::move(algorithms);
    authenticator_.emplace(std::move(how), random_key(ids));
}

digest::Verdict Authentication::verify(const sip::Request& request, const digest::Ha1Table& users, TimePoint now) {
    const auto values = authorizations(request);
    if (!authenticator_ || values.empty()) return digest::Absent{};
    const auto uri = request.uri.to_string();
    return authenticator_->verify(
        values, {request.method, uri, request.body},
        [&](std::string_view user, std::string_view realm, digest::Algorithm algorithm) {
            return users.find(user, realm, algorithm);
        },
        now);
}

sip::Response Authentication::challenge(TimePoint now, bool stale) {
    sip::Response response;
    response.status = authenticator_ ? 401 : 403;
    if (authenticator_)
        for (auto& value : authenticator_->challenges(now, stale))
            response.headers.push_back({"WWW-Authenticate", std::move(value)});
    return response;
}

}  // namespace stox::engine
