#include "plugin/engine/accounts.h"

#include "plugin/engine/log.h"

#include <algorithm>

namespace stox::engine {

namespace digest = sip::digest;

namespace {

/// Of one header, without what the challenge and the login bring: names, a proof of SHA-512-256, a cnonce, a Request-URI.
constexpr std::size_t kHeader = 340;
/// What servers ask for: one realm, and a nonce of a line.
constexpr std::size_t kUsual = 400;

}  // namespace

void Accounts::configure(std::map<std::string, digest::Login> logins) {
    accounts_.clear();
    told_.clear();
    for (auto& [peer, login] : logins) accounts_.emplace(peer, Account{std::move(login), {}, false});
}

bool Accounts::is_bound(const std::string& peer) const {
    const auto account = accounts_.find(peer);
    return account != accounts_.end() && account->second.login.is_bound();
}

std::size_t Accounts::octets(const std::string& peer) const {
    const auto account = accounts_.find(peer);
    if (account == accounts_.end()) return 0;
    std::size_t sum = 0;
    for (const auto& [role, challenge, used] : account->second.session.entries)
        sum += kHeader + account->second.login.user.size() + challenge.realm.size() + challenge.nonce.size() +
               challenge.opaque.value_or("").size();
    return std::max(sum, kUsual);
}

std::vector<sip::Header> Accounts::authorize(const std::string& peer, const sip::Request& request, digest::Attempt& attempt,
                                             const Turn& turn) {
    const auto account = accounts_.find(peer);
    if (account == accounts_.end()) return {};
    const auto uri = request.uri.to_string();
    auto headers = digest::authorize(account->second.login, digest::Counterpart::peer_of_login, account->second.session, attempt,
                                     {request.method, uri, request.body}, turn.ids.wire_id());
    return headers ? std::move(headers).value() : std::vector<sip::Header>();
}

std::optional<std::vector<sip::Header>> Accounts::answer(const std::string& peer, const sip::Request& request,
                                                         const sip::Response& challenge, digest::Attempt& attempt,
                                                         const Turn& turn) {
    const auto account = accounts_.find(peer);
    if (account == accounts_.end()) return std::nullopt;
    const auto uri = request.uri.to_string();
    auto headers = digest::answer(account->second.login, digest::Counterpart::peer_of_login, challenge.headers,
                                  account->second.session, attempt, {request.method, uri, request.body}, turn.ids.wire_id());
    if (headers) return std::move(headers).value();
    if (!account->second.told)
        turn.out.push_back(
            line(Level::error, {}, "challenge not answered", {{"reason", headers.error().detail}}, account->first));
    account->second.told = true;
    return std::nullopt;
}

std::optional<std::vector<sip::Header>> Accounts::answer_once(const std::string& peer, const sip::Request& request,
                                                              const sip::Response& challenge, digest::Attempt& attempt,
                                                              const Turn& turn) {
    const auto account = accounts_.find(peer);
    if (account == accounts_.end()) return std::nullopt;
    auto& session = account->second.session;
    auto once = session;
    const auto uri = request.uri.to_string();
    auto headers = digest::answer(account->second.login, digest::Counterpart::peer_of_login, challenge.headers, once, attempt,
                                  {request.method, uri, request.body}, turn.ids.wire_id());
    // What the peer itself asked for goes along (a proxy on the way), and its nonces are counted wherever they are used.
    for (auto& entry : session.entries)
        for (const auto& used : once.entries)
            if (used.role == entry.role && used.challenge == entry.challenge) entry.used = used.used;
    if (headers) return std::move(headers).value();
    not_answered(peer, headers.error().detail, turn);
    return std::nullopt;
}

void Accounts::not_answered(const std::string& peer, const std::string& what_to_set, const Turn& turn) {
    if (told_.insert({peer, what_to_set}).second)
        turn.out.push_back(line(Level::warn, {}, "challenge not answered", {{"reason", what_to_set}}, peer));
}

void Accounts::accepted(const std::string& peer) {
    if (const auto account = accounts_.find(peer); account != accounts_.end()) account->second.told = false;
}

}  // namespace stox::engine
