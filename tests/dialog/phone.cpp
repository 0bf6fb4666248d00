#include "tests/dialog/phone.h"

namespace stox::test {

using namespace sip;
using std::chrono::seconds;

namespace {

UserAgent::Settings with_allow(UserAgent::Settings settings, bool updates) {
    if (!updates) settings.calls.allow = "INVITE, ACK, CANCEL, BYE, PRACK, INFO";
    return settings;
}

}  // namespace

Phone::Phone(Net& net, std::string host, UserAgent::Settings settings, Habits habits)
    : Node(net, std::move(host), with_allow(std::move(settings), habits.updates)), habits_(habits) {}

Request Phone::first(const std::string& method, const std::string& to) {
    Request request;
    request.method = method;
    request.uri.user = "u";
    request.uri.host = to;
    request.to.uri = request.uri;
    request.from.uri = contact().uri;
    request.from.tag = host() + "-from" + std::to_string(net_.random());
    request.call_id = host() + "-call" + std::to_string(net_.random());
    request.cseq = 1 + net_.below(1000);
    request.contacts = {contact()};
    return request;
}

void Phone::later(unsigned most_ms, std::function<void(UserAgent::Actions&)> input) {
    net_.in(milliseconds(net_.below(most_ms + 1)), [this, input] { run(input); });
}

void Phone::call(const std::string& to) {
    auto invite = first("INVITE", to);
    std::string offered;
    if (likely(habits_.offer)) {
        offered = "O" + std::to_string(net_.random());
        invite.content_type = "application/sdp";
        invite.body = offered;
    }
    run([&](auto& out) {
        const auto key = agent().invite(invite, to, net_.now, out);
        if (key == UsageKey::none) return;
        calls_[key] = {true, false, 0, false, {}, {}, offered, {offered}};
        if (likely(20)) later(3000, [this, key](auto& actions) { agent().hang_up(key, {}, net_.now, actions); });
        if (likely(30))
            later(8000, [this, key](auto& actions) {
                auto& call = calls_[key];
                Modify update{"UPDATE", {}, likely(50) ? description(key) : Description{}};
                agent().modify(key, update, net_.now, actions, call.tag);
            });
    });
}

void Phone::subscribe(const std::string& to, bool several) {
    auto request = first("SUBSCRIBE", to);
    request.headers = {{"Event", "presence"}, {"Expires", std::to_string(net_.below(3) * 600)}};
    run([&](auto& out) {
        const auto key = agent().subscribe(request, to, several, net_.now, out);
        if (key == UsageKey::none) return;
        subscriptions_[key].ours = true;
        later(2'000'000, [this, key](auto& actions) { agent().unsubscribe(key, net_.now, actions); });
    });
}

void Phone::application(const Action& action) {
    std::visit([this](const auto& event) { on(event); }, action);
}

/// What came must fit what was sent: an answer is the answer to our last offer.
void Phone::note(Call& call, DescriptionRole role, const std::string& body) {
    if (role == DescriptionRole::offer) {
        if (body.empty()) throw Broken("an offer without a description");
        call.owed = body;
    }
    // A refresh offers again what was said last, be it an answer.
    const bool fits = body == "A" + call.offered || (body.starts_with("A") && call.said.contains(body.substr(1)));
    if (role == DescriptionRole::answer && !fits) throw Broken("not the answer to our offer");
}

/// The answer that is owed, else an offer. Not sent where it has no place.
Description Phone::description(UsageKey key) {
    auto& call = calls_[key];
    const auto text = call.owed ? "A" + *call.owed : "O" + std::to_string(net_.random());
    call.owed.reset();
    call.said.insert(text);
    return {DescriptionRole::none, "application/sdp", text};
}

// ---- Our calls ----

void Phone::on(const Progressed& event) {
    auto& call = calls_.at(event.call);
    if (call.answered || call.ends) throw Broken("progress after the end");
    if (call.tag.empty()) call.tag = event.response.to_tag;
    if (event.role == DescriptionRole::preview) return;
    // Forks offer one by one: each gets its own answer.
    if (event.role == DescriptionRole::answer && event.response.body != "A" + call.offered) throw Broken("not our answer");
    if (event.role != DescriptionRole::offer || likely(habits_.never)) return;
    later(500, [this, event](auto& out) {
        const Description answer{DescriptionRole::none, "application/sdp", "A" + event.response.body};
        calls_[event.call].said.insert(answer.octets);
        agent().answer_provisional(event.call, event.response.to_tag, answer, net_.now, out);
    });
}

void Phone::on(const Answered& event) {
    auto& call = calls_.at(event.call);
    if (call.answered || call.ends) throw Broken("two finals told");
    call.answered = true;
    call.tag = event.response.to_tag;
    ++established;
    note(call, event.role, event.response.body);
    if (event.role == DescriptionRole::offer) answer_in_time(event.call);
    live(event.call);
}

void Phone::answer_in_time(UsageKey key) {
    if (likely(habits_.never)) return;
    later(1000, [this, key](auto& out) {
        if (calls_[key].owed) agent().acknowledge(key, description(key), net_.now, out);
    });
}

void Phone::on(const Failed& event) {
    if (const auto subscription = subscriptions_.find(event.usage); subscription != subscriptions_.end()) {
        ++subscription->second.ends;
        return;
    }
    auto& call = calls_.at(event.usage);
    if (call.ends || (call.ours && call.answered)) throw Broken("failed after the end");
    ++call.ends;
}

// ---- Calls to us ----

void Phone::on(const Invited& event) {
    auto& call = calls_[event.call];
    note(call, event.role, event.request.body);
    call.tag = event.request.from.tag;
    const auto key = event.call;
    for (unsigned i = net_.below(4); i > 0; --i)
        later(6000, [this, key](auto& out) {
            auto& mine = calls_[key];
            if (mine.answered || mine.refused || mine.ends) return;
            Reply reply{likely(50) ? 180 : 183};
            const bool reliable = likely(habits_.reliable);
            if (reliable && likely(habits_.early_answer) && mine.offered.empty()) {
                reply.description = description(key);
                if (reply.description.octets.starts_with("O")) mine.offered = reply.description.octets;
            }
            agent().progress(key, reply, reliable, net_.now, out);
        });
    if (likely(habits_.never)) return;  // rings until the caller gives up
    later(10'000, [this, key](auto& out) {
        auto& mine = calls_[key];
        if (mine.ends) return;
        if (likely(habits_.refuse)) {
            mine.refused = true;
            return agent().answer(key, Reply{486}, net_.now, out);
        }
        mine.answered = true;
        Reply reply{200};
        if (mine.offered.empty()) {
            reply.description = description(key);
            if (reply.description.octets.starts_with("O")) mine.offered = reply.description.octets;
        }
        agent().answer(key, reply, net_.now, out);
        live(key);
    });
}

void Phone::on(const Established& event) {
    ++established;
    note(calls_.at(event.call), event.role, event.ack.body);
}

void Phone::on(const AnsweredByPrack& event) { note(calls_.at(event.call), DescriptionRole::answer, event.prack.body); }

// ---- While it lasts ----

/// What happens in a call, until one hangs up.
void Phone::live(UsageKey key) {
    const auto length = habits_.longest_call_s * 1000;
    for (unsigned i = net_.below(4); i > 0; --i)
        later(length, [this, key](auto& out) {
            auto& call = calls_[key];
            if (call.owed || call.ends) return;
            const bool update = likely(40);
            Modify modify{update ? "UPDATE" : "INVITE", {}, likely(80) ? description(key) : Description{}};
            agent().modify(key, modify, net_.now, out);
        });
    for (unsigned i = net_.below(3); i > 0; --i)
        later(length, [this, key](auto& out) { agent().send(key, "INFO", {}, "text/plain", "x", net_.now, out); });
    if (likely(20))
        later(length, [this, key](auto& out) {
            Request refer;
            refer.method = "REFER";
            refer.headers = {{"Refer-To", "<sip:u@elsewhere.example>"}};
            const auto made = agent().subscribe_inside(key, refer, net_.now, out);
            if (made != UsageKey::none) subscriptions_[made].ours = true;
        });
    later(length, [this, key](auto& out) { agent().hang_up(key, {}, net_.now, out); });
}

void Phone::on(const ModifyRequested& event) {
    note(calls_.at(event.call), event.role, event.request.body);
    if (likely(habits_.never)) return;
    later(event.request.method == "INVITE" ? 5000 : 300, [this, event](auto& out) {
        Reply reply;
        if (event.request.method != "PRACK" && likely(habits_.refuse)) {
            calls_[event.call].owed.reset();
            reply.status = 488;
        } else {
            reply.description = description(event.call);
            if (reply.description.octets.starts_with("O")) calls_[event.call].offered = reply.description.octets;
        }
        agent().answer_modify(event.call, event.transaction, reply, net_.now, out);
    });
}

void Phone::on(const Modified& event) {
    ++modified;
    auto& call = calls_.at(event.call);
    if (call.ends) throw Broken("modified after the end");
    if (event.role != DescriptionRole::offer) return;
    note(call, event.role, event.response.body);
    answer_in_time(event.call);
}

void Phone::on(const Requested& event) {
    Response response;
    response.status = 200;
    respond(event.transaction, response);
}

void Phone::on(const Ended& event) {
    auto& call = calls_.at(event.call);
    if (call.ends || !call.answered) throw Broken("ended twice, or before it began");
    ++call.ends;
    unacknowledged += event.cause == EndCause::no_ack;
}

// ---- Subscriptions ----

void Phone::on(const SubscriptionWanted& event) { grant(event.subscription); }
void Phone::on(const ReferWanted& event) { grant(event.subscription); }

void Phone::grant(UsageKey key) {
    if (likely(habits_.never)) return subscriptions_[key].ends = 0, void();
    auto& mine = subscriptions_[key];
    mine.denied = likely(habits_.refuse);
    later(50, [this, key, denied = mine.denied](auto& out) {
        if (denied) return agent().deny(key, Reply{403}, net_.now, out);
        agent().grant(key, {{likely(50) ? SubscriptionPhase::pending : SubscriptionPhase::active}}, net_.now, out);
    });
    for (unsigned i = net_.below(6); i > 0; --i)
        later(400'000, [this, key](auto& out) { agent().publish(key, {{}, "application/x", "news"}, net_.now, out); });
    if (likely(50))
        later(900'000, [this, key](auto& out) {
            agent().publish(key, {{SubscriptionPhase::terminated, {}, "noresource", {}}}, net_.now, out);
        });
}

void Phone::on(const Forked& event) { subscriptions_[event.fork].ours = true; }

void Phone::on(const Notified& event) {
    auto& mine = subscriptions_.at(event.subscription);
    if (mine.ends) throw Broken("notified after the end");
    ++notified;
    ++mine.news;
    mine.ends += event.state.phase == SubscriptionPhase::terminated;
}

void Phone::on(const SubscriptionEnded& event) {
    auto& mine = subscriptions_[event.subscription];
    if (mine.ends) throw Broken("a subscription ended twice");
    ++mine.ends;
}

void Phone::check_told() const {
    for (const auto& [key, call] : calls_)
        if (call.ends != (call.refused ? 0 : 1) && !(call.refused && call.ends == 1))
            throw Broken("the end of a call was not told");
    for (const auto& [key, subscription] : subscriptions_)
        if (subscription.ours && subscription.ends != 1) throw Broken("the end of a subscription was not told");
}

}  // namespace stox::test
