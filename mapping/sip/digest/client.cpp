#include "mapping/sip/digest/client.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

namespace stox::sip::digest {

namespace {

constexpr std::size_t kMaxEntries = 8;
constexpr std::size_t kMaxTogether = 2 * kMaxChallenge;  // octets
constexpr std::size_t kMaxHeaders = 16;
// Enough for a proxy and a server that each ask once and once more with stale=true.
constexpr unsigned kMaxRounds = 4;

struct RoleRow {
    Role role;
    std::string_view challenge, credentials;
};

constexpr std::array kRoles{
    RoleRow{Role::user_agent, "WWW-Authenticate", "Authorization"},
    RoleRow{Role::proxy, "Proxy-Authenticate", "Proxy-Authorization"},
};

struct Asked {
    Role role;
    Challenge challenge;
};

/// All digest challenges that can be read, in the order of the headers.
std::vector<Asked> challenges_in(std::span<const Header> headers) {
    std::vector<Asked> asked;
    std::size_t read = 0;
    for (const auto& header : headers) {
        const auto row = std::ranges::find_if(kRoles, [&](const RoleRow& r) { return same_word(r.challenge, header.name); });
        if (row == kRoles.end() || ++read > kMaxHeaders) continue;
        const auto values = parse_challenges(header.value);
        if (!values) continue;
        for (const auto& value : values.value())
            if (auto challenge = Challenge::from(value)) asked.push_back({row->role, std::move(challenge).value()});
    }
    return asked;
}

bool is_for(const Login& login, std::string_view realm) {
    return login.realms.empty() || std::ranges::find(login.realms, realm) != login.realms.end();
}

bool has_secret_for(const Login& login, const Challenge& challenge) {
    const auto* known = std::get_if<std::vector<Ha1>>(&login.secret);
    const auto algorithm = challenge.algorithm.value_or(Algorithm::md5);
    return !known ||
           std::ranges::any_of(*known, [&](const Ha1& h) { return h.realm == challenge.realm && h.algorithm == algorithm; });
}

Result<std::string> ha1_for(const Login& login, const Challenge& challenge) {
    const auto algorithm = challenge.algorithm.value_or(Algorithm::md5);
    if (const auto* password = std::get_if<Password>(&login.secret))
        return ha1(algorithm, login.user, challenge.realm, password->text);
    for (const auto& known : std::get<std::vector<Ha1>>(login.secret))
        if (known.realm == challenge.realm && known.algorithm == algorithm) return known.hex;
    return fail(Code::unsupported, "no HA1 for this realm and algorithm");
}

std::size_t size_of(const Challenge& challenge) {
    return challenge.realm.size() + challenge.nonce.size() + (challenge.opaque ? challenge.opaque->size() : 0);
}

/// auth where the server leaves the choice: proxies on the way may change a body, and then auth-int would fail.
std::optional<Qop> choose_qop(const std::vector<Qop>& offered) {
    if (offered.empty()) return std::nullopt;
    return std::ranges::find(offered, Qop::auth) != offered.end() ? Qop::auth : offered.front();
}

Result<std::string> credentials_text(const Login& login, const Session::Entry& entry, const RequestParts& request,
                                     std::string_view cnonce) {
    const auto& challenge = entry.challenge;
    Credentials credentials;
    credentials.username = login.user;
    credentials.realm = challenge.realm;
    credentials.nonce = challenge.nonce;
    credentials.uri = request.uri;
    credentials.algorithm = challenge.algorithm;
    credentials.opaque = challenge.opaque;
    if (const auto qop = choose_qop(challenge.qop))
        credentials.protection = Protection{.qop = *qop, .nc = nc_text(entry.used), .cnonce = std::string(cnonce)};
    BOOST_OUTCOME_TRY(secret, ha1_for(login, challenge));
    BOOST_OUTCOME_TRY(
        proof, response(challenge.algorithm.value_or(Algorithm::md5), secret, challenge.nonce, credentials.protection, request));
    credentials.response = std::move(proof);
    return credentials.to_string();
}

std::string_view realm_of(const Asked& asked) { return asked.challenge.realm; }
std::string_view realm_of(const Session::Entry& entry) { return entry.challenge.realm; }
std::string_view realm_of(const Attempt::Carried& carried) { return carried.realm; }

auto is_at(Role role, std::string_view realm) {
    return [role, realm](const auto& it) { return it.role == role && realm_of(it) == realm; };
}

/// Whether the server has seen our credentials and wants others. With stale=true it wants but a newer nonce; a nonce that the
/// request has not carried may come from a server that forgot to say so, once.
bool refuses_ours(const Attempt& attempt, const Asked& asked) {
    if (asked.challenge.stale) return false;
    return std::ranges::any_of(attempt.carried, [&](const Attempt::Carried& carried) {
        return is_at(asked.role, asked.challenge.realm)(carried) && (carried.asked || carried.nonce == asked.challenge.nonce);
    });
}

std::size_t octets_of(const Session& session) {
    std::size_t octets = 0;
    for (const auto& entry : session.entries) octets += size_of(entry.challenge);
    return octets;
}

void adopt(Session& session, Asked asked) {
    const auto known = std::ranges::find_if(session.entries, is_at(asked.role, asked.challenge.realm));
    std::uint32_t used = 0;
    if (known != session.entries.end()) {
        if (known->challenge.nonce == asked.challenge.nonce) used = known->used;  // the count belongs to the nonce
        session.entries.erase(known);
    }
    session.entries.push_back({asked.role, std::move(asked.challenge), used});
    // They stand in every request together, and who asked last is who has to be answered.
    while (session.entries.size() > kMaxEntries || octets_of(session) > kMaxTogether) session.entries.erase(session.entries.begin());
}

/// What the request carries, for this realm; a new entry where there was none.
Attempt::Carried& carried_at(Attempt& attempt, Role role, const Challenge& challenge) {
    const auto known = std::ranges::find_if(attempt.carried, is_at(role, challenge.realm));
    if (known != attempt.carried.end()) return *known;
    return attempt.carried.emplace_back(Attempt::Carried{.role = role, .realm = challenge.realm, .nonce = {}, .asked = false});
}

}  // namespace

Result<std::vector<Header>> authorize(const Login& login, Counterpart to, Session& session, Attempt& attempt,
                                      const RequestParts& request, std::string_view cnonce) {
    std::vector<Header> headers;
    if (to != Counterpart::peer_of_login) return headers;
    if (!is_quotable(login.user)) return fail(Code::malformed, "control character in the user name");
    std::erase_if(session.entries, [](const Session::Entry& e) { return e.used == std::numeric_limits<std::uint32_t>::max(); });
    for (auto& entry : session.entries) {
        ++entry.used;
        BOOST_OUTCOME_TRY(text, credentials_text(login, entry, request, cnonce));
        const auto row = std::ranges::find(kRoles, entry.role, &RoleRow::role);
        headers.push_back({std::string(row->credentials), std::move(text)});
        carried_at(attempt, entry.role, entry.challenge).nonce = entry.challenge.nonce;
    }
    return headers;
}

Result<std::vector<Header>> answer(const Login& login, Counterpart from, std::span<const Header> response_headers,
                                   Session& session, Attempt& attempt, const RequestParts& request, std::string_view cnonce) {
    if (from != Counterpart::peer_of_login) return fail(Code::forbidden, "challenge from somebody else than the peer");
    if (attempt.rounds == kMaxRounds) return fail(Code::forbidden, "challenged without end");
    auto error = Error{Code::unsupported, "no challenge that can be answered"};
    std::vector<Asked> chosen;
    for (auto& asked : challenges_in(response_headers)) {
        const auto place = is_at(asked.role, asked.challenge.realm);
        if (chosen.size() == kMaxEntries) break;
        if (std::ranges::any_of(chosen, place) || !has_secret_for(login, asked.challenge)) continue;
        if (!is_for(login, asked.challenge.realm)) {
            error = {Code::forbidden, "realm is none of the login's"};
        } else if (size_of(asked.challenge) > kMaxChallenge) {
            error = {Code::forbidden, "realm, nonce and opaque of the challenge exceed 512 octets"};
        } else if (refuses_ours(attempt, asked)) {
            error = {Code::forbidden, "credentials refused"};
            std::erase_if(session.entries, place);
        } else {
            chosen.push_back(std::move(asked));
        }
    }
    if (chosen.empty()) return fail(error.code, std::move(error.detail));
    ++attempt.rounds;
    for (auto& asked : chosen) {
        carried_at(attempt, asked.role, asked.challenge).asked = true;
        adopt(session, std::move(asked));
    }
    return authorize(login, from, session, attempt, request, cnonce);
}

}  // namespace stox::sip::digest
