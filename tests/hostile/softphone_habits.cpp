// What the softphone does with calls and subscriptions: by habit of the user that is called, else by chance.

#include "tests/hostile/softphone.h"

#include <array>

namespace stox::test {

using namespace sip;
using std::chrono::seconds;
using std::chrono::steady_clock;

namespace {

constexpr unsigned kRingMs = 1'500, kLongestCallMs = 3'000, kSubscriptionMs = 5'000, kSoonMs = 300;
constexpr const char* kDescription =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n";

}  // namespace

Description Softphone::description(UsageKey) { return {DescriptionRole::none, "application/sdp", kDescription}; }

// ---- Ours ----

Request Softphone::first(const std::string& method, const Uri& target) {
    Request request;
    request.method = method;
    request.uri = target;
    request.to.uri = target;
    request.from = {"", Uri::parse("sip:ua@127.0.0.1").value(), token("from")};
    request.call_id = token("call");
    request.cseq = 1 + below(1000);
    const auto* transport = target.parameter("transport");
    const auto parsed = transport && transport->value ? parse_transport(*transport->value) : Result<Transport>(Transport::udp);
    request.contacts = {contact(parsed ? parsed.value() : Transport::udp)};
    return request;
}

bool Softphone::call(const Uri& target, std::optional<std::chrono::milliseconds> give_up_after) {
    auto invite = first("INVITE", target);
    const bool offers = likely(70);
    if (offers) {
        invite.content_type = "application/sdp";
        invite.body = kDescription;
    }
    auto key = UsageKey::none;
    run([&](auto& out) {
        key = agent_.invite(std::move(invite), target.host, steady_clock::now(), out);
        if (key == UsageKey::none) return;
        ++tally_.calls;
        calls_[key] = {};
        const auto leave = [this, key](auto& actions) { hang_up(key, actions); };
        if (give_up_after)
            plans_.emplace(steady_clock::now() + *give_up_after, leave);
        else if (likely(30))
            later(kRingMs, leave);
    });
    return key != UsageKey::none;
}

void Softphone::on(const Progressed& event) {
    auto& call = calls_[event.call];
    if (call.tag.empty()) call.tag = event.response.to_tag;
    if (event.role == DescriptionRole::offer && event.reliable)
        later(kSoonMs, [this, event](auto& out) {
            agent_.answer_provisional(event.call, event.response.to_tag, description(event.call), steady_clock::now(), out);
        });
    if (likely(20))
        later(kSoonMs, [this, key = event.call, tag = event.response.to_tag](auto& out) {
            const Modify update{"UPDATE", {}, likely(50) ? description(key) : Description{}};
            agent_.modify(key, update, steady_clock::now(), out, tag);
        });
}

void Softphone::on(const Answered& event) {
    ++tally_.answered;
    const auto key = event.call;
    if (event.role == DescriptionRole::offer && likely(95))
        later(kSoonMs, [this, key](auto& out) { agent_.acknowledge(key, description(key), steady_clock::now(), out); });
    live(key);
}

void Softphone::on(const Failed& event) {
    ++tally_.failed;
    calls_.erase(event.usage);
}

bool Softphone::subscribe(const Uri& target) {
    auto request = first("SUBSCRIBE", target);
    request.headers = {{"Event", likely(50) ? "presence" : "dialog"}, {"Expires", std::to_string(below(3) * 600)}};
    auto key = UsageKey::none;
    run([&](auto& out) {
        key = agent_.subscribe(std::move(request), target.host, likely(50), steady_clock::now(), out);
        if (key == UsageKey::none) return;
        later(kSubscriptionMs, [this, key](auto& actions) { agent_.unsubscribe(key, steady_clock::now(), actions); });
    });
    return key != UsageKey::none;
}

bool Softphone::refer(const Uri& target) {
    auto request = first("REFER", target);
    request.headers = {{"Refer-To", "<sip:hold@127.0.0.1:9>"}};
    auto key = UsageKey::none;
    run([&](auto& out) {
        key = agent_.subscribe(std::move(request), target.host, false, steady_clock::now(), out);
        if (key == UsageKey::none) return;
        later(kSubscriptionMs, [this, key](auto& actions) { agent_.unsubscribe(key, steady_clock::now(), actions); });
    });
    return key != UsageKey::none;
}

bool Softphone::ask(const std::string& method, const Uri& target) {
    auto request = first(method, target);
    ++tally_.requests_out;
    const auto hop = next_hop(request);
    endpoint_->send(std::move(request), hop, [this](const Outcome&) { ++tally_.responses_in; });
    return true;
}

// ---- Calls to us ----

void Softphone::on(const Invited& event) {
    auto& call = calls_[event.call];
    const auto& user = event.request.uri.user;
    call.habit = user == "ring" ? Habit::ring : user == "prack" ? Habit::prack : user == "hold" ? Habit::hold : Habit::any;
    call.tag = event.request.from.tag;
    call.unanswered = true;
    acceptable_[event.transaction] = {event.request.from, event.request.to, event.request.call_id};
    ring(event);
}

void Softphone::ring(const Invited& event) {
    const auto key = event.call;
    const auto now_progress = [this, key](Reply reply, bool reliable) {
        run([&](auto& out) { agent_.progress(key, std::move(reply), reliable, steady_clock::now(), out); });
    };
    switch (calls_[key].habit) {
        case Habit::ring:
            return now_progress(Reply{180, {}, {}}, false);
        case Habit::hold:
            return answer(key, event.replaces);
        case Habit::prack:
            now_progress(Reply{183, {}, description(key)}, true);
            return answer(key, event.replaces);
        case Habit::any:
            break;
    }
    for (auto i = below(4); i > 0; --i)
        later(kRingMs, [this, key](auto& out) {
            const bool early = likely(40);
            Reply reply{likely(50) ? 180 : 183, {}, early ? description(key) : Description{}};
            agent_.progress(key, std::move(reply), likely(50), steady_clock::now(), out);
        });
    if (likely(5)) return;  // until the caller gives up
    later(kRingMs, [this, key, replaces = event.replaces](auto& out) {
        if (!calls_.contains(key)) return;
        if (likely(80)) return answer(key, replaces);
        constexpr std::array refusals{302, 404, 480, 486, 488, 503, 603};
        calls_.erase(key);
        agent_.answer(key, Reply{refusals[below(refusals.size())], {}, {}}, steady_clock::now(), out);
    });
}

void Softphone::answer(UsageKey key, UsageKey replaced) {
    const auto call = calls_.find(key);
    if (call == calls_.end()) return;  // it ended with our ringing
    const bool held = call->second.habit == Habit::hold;
    call->second.unanswered = false;
    run([&](auto& out) {
        agent_.answer(key, Reply{200, {}, description(key)}, steady_clock::now(), out);
        if (replaced != UsageKey::none) hang_up(replaced, out);
    });
    if (!held) live(key);
}

void Softphone::on(const Established&) { ++tally_.established; }

/// What happens in a call, until one hangs up.
void Softphone::live(UsageKey key) {
    const auto at_some_time = [this](auto input) { later(kLongestCallMs, input); };
    for (auto i = below(3); i > 0; --i)
        at_some_time([this, key](auto& out) {
            Modify modify{likely(40) ? "UPDATE" : "INVITE", {}, likely(80) ? description(key) : Description{}};
            agent_.modify(key, std::move(modify), steady_clock::now(), out);
        });
    if (likely(30))
        at_some_time([this, key](auto& out) { agent_.send(key, "INFO", {}, "text/plain", "x", steady_clock::now(), out); });
    if (likely(20))
        at_some_time([this, key](auto& out) {
            Request refer;
            refer.method = "REFER";
            refer.headers = {{"Refer-To", "<sip:hold@127.0.0.1:9>"}};
            const auto subscription = agent_.subscribe_inside(key, std::move(refer), steady_clock::now(), out);
            // It outlives the call, for as long as the peer says.
            later(kSubscriptionMs,
                  [this, subscription](auto& last) { agent_.unsubscribe(subscription, steady_clock::now(), last); });
        });
    at_some_time([this, key](auto& out) { hang_up(key, out); });
}

void Softphone::on(const ModifyRequested& event) {
    if (event.request.method == "INVITE")
        acceptable_[event.transaction] = {event.request.from, event.request.to, event.request.call_id};
    if (likely(5)) return;
    later(kSoonMs, [this, event](auto& out) {
        Reply reply{200, {}, description(event.call)};
        if (event.request.method != "PRACK" && likely(15)) reply = Reply{488, {}, {}};
        agent_.answer_modify(event.call, event.transaction, reply, steady_clock::now(), out);
    });
}

void Softphone::on(const Modified& event) {
    if (event.role != DescriptionRole::offer || likely(5)) return;
    later(kSoonMs, [this, key = event.call](auto& out) { agent_.acknowledge(key, description(key), steady_clock::now(), out); });
}

void Softphone::on(const Requested& event) { respond(event.transaction, 200); }

void Softphone::on(const Ended& event) {
    ++tally_.ended;
    calls_.erase(event.call);
}

void Softphone::modify_all() {
    run([this](auto& out) {
        for (const auto& [key, call] : calls_)
            agent_.modify(key, Modify{"INVITE", {}, description(key)}, steady_clock::now(), out);
    });
}

void Softphone::hang_up_all() {
    run([this](auto& out) {
        const auto calls = calls_;
        for (const auto& [key, call] : calls) hang_up(key, out);
    });
}

void Softphone::hang_up(UsageKey key, Actions& out) {
    agent_.hang_up(key, {}, steady_clock::now(), out);
    // What we refuse ourselves we are not told of.
    if (const auto call = calls_.find(key); call != calls_.end() && call->second.unanswered) calls_.erase(call);
}

// ---- Subscriptions ----

void Softphone::on(const SubscriptionWanted& event) {
    if (likely(10)) return run([&](auto& out) { agent_.deny(event.subscription, Reply{403, {}, {}}, steady_clock::now(), out); });
    serve(event.subscription);
}

void Softphone::serve(UsageKey key) {
    run([&](auto& out) {
        const auto phase = likely(50) ? SubscriptionPhase::pending : SubscriptionPhase::active;
        agent_.grant(key, {{phase, {}, {}, {}}, {}, {}, {}}, steady_clock::now(), out);
    });
    for (auto i = below(4); i > 0; --i)
        later(kSubscriptionMs, [this, key](auto& out) {
            agent_.publish(key, {{}, "text/plain", "news", {}}, steady_clock::now(), out);
        });
    plans_.emplace(steady_clock::now() + std::chrono::milliseconds(kSubscriptionMs), [this, key](auto& out) {
        agent_.publish(key, {{SubscriptionPhase::terminated, {}, "noresource", {}}, {}, {}, {}}, steady_clock::now(), out);
    });
}

void Softphone::on(const ReferWanted& event) {
    serve(event.subscription);
    if (likely(30)) follow(event);
}

/// Calls whom it is told to, if that is one of us.
void Softphone::follow(const ReferWanted& event) {
    if (event.target.method == "INVITE" && event.target.uri.host == "127.0.0.1" && event.target.uri.port)
        call(event.target.uri, {});
}

void Softphone::on(const Notified&) { ++tally_.notified; }

}  // namespace stox::test
