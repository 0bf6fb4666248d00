#include "plugin/engine/presence/publish.h"

#include "mapping/presence/pidf.h"
#include "mapping/sip/event_package.h"
#include "mapping/sip/header_values.h"
#include "plugin/engine/addressing.h"
#include "plugin/engine/presence/contact_work.h"

#include <algorithm>
#include <utility>

namespace stox::engine {

namespace {

constexpr unsigned kRetryFull_s = 300, kRetryLeaving_s = 10;
constexpr std::uint32_t kDefaultExpires_s = 3600;

Refusal refuse(int status, std::string why, std::vector<sip::Header> headers = {}) {
    sip::Response response;
    response.status = status;
    response.headers = std::move(headers);
    return {std::move(response), std::move(why)};
}

Refusal later(const config::Peer& peer, unsigned seconds, std::string why) {
    return {try_later(peer.kind, seconds), std::move(why)};
}

/// Of whom it is, or why it is of nobody: who publishes for somebody else is not believed.   (RFC 3903 §6, steps 1 and 2)
std::variant<xmpp::Jid, Refusal> presentity(const State& state, const sip::Request& request, const Author& author) {
    if (author.anonymous) return refuse(433, "nobody's presence");
    const auto about = contact_jid(state.options, request.uri);
    if (!about) return refuse(404, "no address that could be watched");
    const auto by = contact_jid(state.options, author.uri);
    if (!by || by.value().bare() != about.value().bare()) return refuse(403, "the presence of somebody else");
    return about.value().bare();
}

/// For how long, as it is granted; 0: it is taken back.   (step 4)
std::variant<std::chrono::seconds, Refusal> lifetime(const State& state, const sip::Request& request) {
    const auto& options = state.options.presence;
    const auto asked = sip::leading_number(request.header("Expires")).value_or(kDefaultExpires_s);
    // Who asks for an hour or more is never too brief.
    if (asked > 0 && asked < kDefaultExpires_s && asked < options.min_expires)
        return refuse(423, "too brief", {{"Min-Expires", std::to_string(options.min_expires)}});
    return std::chrono::seconds(std::min<std::uint32_t>(asked, options.max_expires));
}

/// What it says; nothing: as before.   (step 5)
std::variant<std::optional<presence::Presentity>, Refusal> document(const State& state, const sip::Request& request) {
    if (request.body.empty()) return std::nullopt;
    if (const auto* encoding = request.header("Content-Encoding"); encoding && !sip::same_token(*encoding, "identity"))
        return refuse(415, "an encoded document",
                      {{"Accept-Encoding", "identity"}, {"Accept", std::string(presence::kPidfType)}});
    const auto type = sip::read_parameterized(request.content_type);
    if (!type || !sip::same_token(type.value().value, presence::kPidfType))
        return refuse(415, "no PIDF", {{"Accept", std::string(presence::kPidfType)}});
    const auto* language = request.header("Content-Language");
    auto read = presence::read_pidf(request.body, language ? *language : "", state.utc);
    if (!read) return refuse(read.error().code == Code::too_large ? 413 : 400, "a document that cannot be read");
    return std::move(read).value().presentity;
}

bool has_several(const sip::Request& request, std::string_view name) {
    return std::ranges::count_if(request.headers, [&](const auto& one) { return sip::same_token(one.name, name); }) > 1;
}

std::variant<presence::Publish, Refusal> read(const State& state, const sip::Request& request, const config::Peer& peer,
                                              const Author& author) {
    const auto event = sip::EventPackage::read(request.header("Event"));
    if (!event || event.value().name != "presence" || state.options.presence.mode == config::PresenceMode::off)
        return refuse(489, "an event that nobody here is told of", {{"Allow-Events", "presence"}});
    auto about = presentity(state, request, author);
    if (auto* refusal = std::get_if<Refusal>(&about)) return std::move(*refusal);
    if (has_several(request, "SIP-If-Match")) return refuse(400, "several entity tags");
    const auto expires = lifetime(state, request);
    if (const auto* refusal = std::get_if<Refusal>(&expires)) return *refusal;
    auto said = document(state, request);
    if (auto* refusal = std::get_if<Refusal>(&said)) return std::move(*refusal);
    const auto* match = request.header("SIP-If-Match");
    return presence::Publish{std::get<xmpp::Jid>(about).to_string(),
                             peer.name,
                             match ? std::optional(*match) : std::nullopt,
                             std::get<std::chrono::seconds>(expires),
                             std::get<0>(std::move(said)),
                             author.uri.to_string()};
}

}  // namespace

std::variant<sip::Response, Refusal> publish(State& state, const sip::Request& request, const config::Peer& peer,
                                             const Author& author, TimePoint now) {
    if (state.leaving) return later(peer, kRetryLeaving_s, "the domain is leaving");
    auto wanted = read(state, request, peer, author);
    if (auto* refusal = std::get_if<Refusal>(&wanted)) return std::move(*refusal);
    auto& what = std::get<presence::Publish>(wanted);
    sip::Response response;
    response.status = 200;
    response.headers = {{"SIP-ETag", state.ids.wire_id()}, {"Expires", std::to_string(what.expires.count())}};
    switch (state.publications.publish(std::move(what), response.headers.front().value, now)) {
        case presence::Publications::Outcome::taken:
            return response;
        case presence::Publications::Outcome::no_match:
            return refuse(412, "no publication with that entity tag");
        case presence::Publications::Outcome::no_document:
            return refuse(400, "nothing is published");
        case presence::Publications::Outcome::full:
            break;
    }
    return later(peer, kRetryFull_s, "as many publications as may be");
}

/// One phone may have thousands of watchers: a few at once, and others have their turn between.
void publications_tick(State& state, TimePoint now, Actions& out) {
    if (state.leaving) return;
    auto& contacts = state.contacts;
    while (const auto contact = state.publications.take_changed(now))
        for (auto* watched : contacts.watching(*contact))
            if (!std::exchange(watched->waits_to_follow, true)) contacts.following.push_back(watched->number);
    for (; !contacts.following.empty() && contacts.followed.left(now) > 0; contacts.following.pop_front()) {
        auto* watched = contacts.find(contacts.following.front());
        if (!watched) continue;
        contacts.followed.spend(now);
        watched->waits_to_follow = false;
        perform(state, *watched, {}, now, out);
    }
}

std::optional<TimePoint> publications_due(const State& state) {
    if (state.leaving) return std::nullopt;
    auto due = state.publications.next_timeout();
    if (!state.contacts.following.empty() && (!due || state.contacts.followed.next() < *due))
        due = state.contacts.followed.next();
    return due;
}

void publications_configure(State& state, bool same_addresses, TimePoint now) {
    const auto& options = state.options;
    const bool any = same_addresses && options.presence.mode != config::PresenceMode::off;
    const auto is_wanted = [&](const std::string& name, const std::string& by) {
        const auto* peer = any ? options.find_peer(name) : nullptr;
        const auto uri = sip::Uri::parse(by);
        return peer && uri && may_assert(options, *peer, uri.value());
    };
    state.publications.keep(is_wanted, now);
}

}  // namespace stox::engine
