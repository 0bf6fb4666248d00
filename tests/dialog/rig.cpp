#include "tests/dialog/rig.h"

#include "mapping/sip/mandatory_header.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace stox::test {

using namespace sip;

namespace {

std::string word(DescriptionRole role) {
    switch (role) {
        case DescriptionRole::none:
            return "";
        case DescriptionRole::offer:
            return " offer";
        case DescriptionRole::answer:
            return " answer";
        case DescriptionRole::preview:
            return " preview";
    }
    return " ?";
}

std::string word(EndCause cause) {
    constexpr std::array names{"local", "remote", "no_ack", "no_answer_given", "session_expired", "peer_lost"};
    return names.at(static_cast<std::size_t>(cause));
}

std::string word(SubscriptionEnded::Cause cause) {
    constexpr std::array names{"expired", "refused", "unanswered", "unsubscribed", "ended"};
    return names.at(static_cast<std::size_t>(cause));
}

std::string number(int status) { return ' ' + std::to_string(status); }
std::string body(const std::string& text) { return text.empty() ? "" : " [" + text + ']'; }

/// Actions to those below in small letters, to the application with a capital.
struct InWords {
    std::string operator()(const SendRequest& a) const { return "send " + a.request.method + body(a.request.body); }
    std::string operator()(const SendAck& a) const { return "ack" + body(a.request.body); }
    std::string operator()(const SendCancel&) const { return "cancel"; }
    std::string operator()(const Respond& a) const { return "respond" + number(a.response.status) + body(a.response.body); }
    std::string operator()(const Progressed& a) const {
        return "Progressed" + number(a.response.status) + word(a.role) + (a.reliable ? " reliable" : "");
    }
    std::string operator()(const Answered& a) const { return "Answered" + number(a.response.status) + word(a.role); }
    std::string operator()(const Failed& a) const { return "Failed" + number(a.response.status); }
    std::string operator()(const AnsweredByPrack&) const { return "AnsweredByPrack"; }
    std::string operator()(const Established& a) const { return "Established" + word(a.role); }
    std::string operator()(const ModifyRequested& a) const { return "ModifyRequested " + a.request.method + word(a.role); }
    std::string operator()(const ModifyWithdrawn&) const { return "ModifyWithdrawn"; }
    std::string operator()(const Modified& a) const { return "Modified" + number(a.response.status) + word(a.role); }
    std::string operator()(const ModifyFailed& a) const { return "ModifyFailed" + number(a.response.status); }
    std::string operator()(const Requested& a) const { return "Requested " + a.request.method; }
    std::string operator()(const RequestAnswered& a) const { return "RequestAnswered" + number(a.response.status); }
    std::string operator()(const Ended& a) const { return "Ended " + word(a.cause); }
    std::string operator()(const Invited& a) const {
        return "Invited" + word(a.role) + (a.replaces == UsageKey::none ? "" : " replaces");
    }
    std::string operator()(const SubscriptionWanted& a) const { return "SubscriptionWanted " + a.event.to_string(); }
    std::string operator()(const ReferWanted& a) const { return "ReferWanted " + a.target.to_string(); }
    std::string operator()(const Forked&) const { return "Forked"; }
    std::string operator()(const Notified& a) const { return "Notified " + a.state.to_string(); }
    std::string operator()(const SubscriptionRefreshed&) const { return "SubscriptionRefreshed"; }
    std::string operator()(const SubscriptionEnded& a) const { return "SubscriptionEnded " + word(a.cause); }
};

}  // namespace

NameAddr address(const std::string& host, const std::string& tag) {
    NameAddr made;
    made.uri.user = "u";
    made.uri.host = host;
    made.tag = tag;
    return made;
}

Description sdp(const std::string& text) { return {DescriptionRole::none, "application/sdp", text}; }

Rig::Rig(UserAgent::Settings settings)
    : agent(
          std::move(settings), [this](std::uint32_t bound) { return std::min(chance, bound - 1); },
          [this] { return ours = tag_prefix + "t" + std::to_string(++tags_); }) {}

Words Rig::take(std::vector<Action> out) {
    Words words;
    for (auto& action : out) {
        if (const auto* answer = std::get_if<Respond>(&action)) {
            const auto header = mandatory_header(answer->response.status);
            EXPECT_TRUE(header.empty() || answer->response.header(header)) << answer->response.status << " without " << header;
        }
        words.push_back(std::visit(InWords{}, action));
        all.push_back(std::move(action));
    }
    return words;
}

// ---- The application ----

UsageKey Rig::call(const std::string& offer, std::vector<Header> headers) {
    Request invite;
    invite.method = "INVITE";
    invite.uri = address("peer.example").uri;
    invite.to = address("peer.example");
    invite.from = address("us.example", ours = tag_prefix + "a");
    invite.call_id = call_id;
    invite.cseq = 1;
    invite.contacts = {own};
    invite.headers = std::move(headers);
    if (!offer.empty()) {
        invite.content_type = "application/sdp";
        invite.body = offer;
    }
    UsageKey key{};
    does([&](auto& out) { key = agent.invite(invite, "peer", now, out); });
    return key;
}

UsageKey Rig::subscribe(std::vector<Header> headers, bool several, const std::string& method) {
    Request request;
    request.method = method;
    request.uri = address("peer.example").uri;
    request.to = address("peer.example");
    request.from = address("us.example", ours = tag_prefix + "a");
    request.call_id = call_id;
    request.cseq = 1;
    request.contacts = {own};
    request.headers = std::move(headers);
    UsageKey key{};
    does([&](auto& out) { key = agent.subscribe(request, "peer", several, now, out); });
    return key;
}

// ---- The peer ----

const SendRequest& Rig::sent(const std::string& method) const {
    for (auto at = all.rbegin(); at != all.rend(); ++at)
        if (const auto* found = std::get_if<SendRequest>(&*at); found && found->request.method == method) return *found;
    throw std::runtime_error("never sent: " + method);
}

Words Rig::response(const std::string& method, int status, Say say) {
    Response response;
    response.status = status;
    response.to_tag = say.tag;
    if (!say.contact.empty()) response.contacts = {address(say.contact)};
    response.headers = say.headers;
    response.record_routes = say.record_routes;
    if (!say.body.empty()) response.content_type = say.type;
    response.body = say.body;
    const auto key = sent(method).key;
    return does([&](auto& out) { agent.receive({key, response, say.credentials, say.others}, now, out); });
}

Request Rig::from_peer(const std::string& method, const Say& say) const {
    Request request;
    request.method = method;
    request.uri = own.uri;
    request.from = address("peer.example", say.tag);
    request.to = address("us.example");
    request.call_id = call_id;
    if (!say.contact.empty()) request.contacts = {address(say.contact)};
    request.headers = say.headers;
    request.record_routes = say.record_routes;
    if (!say.body.empty()) request.content_type = say.type;
    request.body = say.body;
    return request;
}

Words Rig::first(const std::string& method, Say say) {
    auto request = from_peer(method, say);
    request.cseq = ++peer_cseq;
    ++transaction;
    return does([&](auto& out) { agent.receive({transaction, request, "peer", own, false}, now, out); });
}

Words Rig::inside(const std::string& method, Say say, std::uint32_t cseq) {
    auto request = from_peer(method, say);
    request.to.tag = ours;
    request.cseq = cseq ? cseq : ++peer_cseq;
    ++transaction;
    return does([&](auto& out) { agent.receive({transaction, request, "peer", own, false}, now, out); });
}

Words Rig::ack(std::uint32_t invite_cseq, Say say) {
    auto request = from_peer("ACK", say);
    request.to.tag = ours;
    request.cseq = invite_cseq;
    return does([&](auto& out) { agent.receive({0, request, "peer", own, false}, now, out); });
}

Words Rig::pass(milliseconds time) {
    const auto end = now + time;
    Words words;
    const auto tick = [&] {
        const auto more = does([&](auto& out) { agent.tick(now, out); });
        words.insert(words.end(), more.begin(), more.end());
    };
    for (auto next = agent.next_timeout(); next && *next <= end; next = agent.next_timeout()) {
        now = std::max(now, *next);
        tick();
        if (const auto after = agent.next_timeout(); after && *after <= now) throw std::runtime_error("a timer stands still");
    }
    now = end;
    return words;
}

}  // namespace stox::test
