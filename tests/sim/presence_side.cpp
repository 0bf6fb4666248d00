// Who watches whom, in some of the worlds: users and their server, phones that watch users, and notifiers of contacts. All of
// them by their own chance, so that worlds without presence stay as they are.

#include "plugin/engine/admin_command.h"
#include "tests/sim/broken.h"
#include "tests/sim/world.h"

#include <array>

namespace stox::sim {

using namespace std::chrono_literals;

namespace {

const Address kPhone = Address::v4({10, 0, 0, 1});
constexpr std::array<const char*, 2> kUsers{"romeo", "mercutio"}, kContacts{"juliet", "nurse"};
constexpr unsigned kMostTries = 400;

const std::string kPidf =
    "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='pres:x@capulet.test'>"
    "<tuple id='ID-balcony'><status><basic>open</basic></status></tuple></presence>";

std::uint64_t below(std::mt19937_64& random, std::uint64_t bound) { return random() % bound; }

template <class All>
std::string one_of(const All& all, std::mt19937_64& random) {
    return all[below(random, all.size())];
}

sip::Response status(int code, const std::string& tag = "them") {
    sip::Response made;
    made.status = code;
    made.to_tag = tag;
    return made;
}

}  // namespace

void World::in_this_life_within(Milliseconds most, Event event) {
    in_this_life(now_ + Milliseconds(below(presence_random_, static_cast<std::uint64_t>(most.count()) + 1)), std::move(event));
}

void World::schedule_presence(unsigned span) {
    const auto within = [&] { return Milliseconds(below(presence_random_, span + 1)); };
    for (auto acts = 2 + below(presence_random_, 12); acts > 0; --acts) after(within(), [this] { user_does_something(); });
    for (auto phones = below(presence_random_, 5); phones > 0; --phones) after(within(), [this] { phone_subscribes(); });
    after(Milliseconds(2 * span) + 90s, [this] { end_presence(kMostTries); });
}

// ---- Users and their server ----

void World::user_sends(xmpp::PresenceType type, const std::string& user, const std::string& contact, const std::string& id) {
    if (!up_) return;
    xmpp::Presence made;
    made.from = {user, "montague.test", {}};
    made.to = {contact, "capulet.test", {}};
    made.type = type;
    made.id = id;
    if (type == xmpp::PresenceType::available || type == xmpp::PresenceType::unavailable) made.from.resource = "garden";
    if (type == xmpp::PresenceType::error) {
        made.error = xmpp::StanzaError{};
        made.error->condition = xmpp::Condition::item_not_found;
    }
    to_engine(made);
}

void World::user_does_something() {
    using Type = xmpp::PresenceType;
    static constexpr std::array kActs{Type::subscribe,   Type::subscribe,   Type::subscribe,    Type::subscribe,
                                      Type::unsubscribe, Type::probe,       Type::probe,        Type::available,
                                      Type::available,   Type::unavailable, Type::unsubscribed, Type::subscribed};
    const auto type = kActs[below(presence_random_, kActs.size())];
    const auto user = one_of(kUsers, presence_random_);
    user_sends(type, user, one_of(kContacts, presence_random_));
}

void World::server_reads(const xmpp::Presence& presence) {
    using Type = xmpp::PresenceType;
    const auto user = presence.to.local, contact = presence.from.local;
    const auto dice = below(presence_random_, 10);
    note("server has presence for " + user);
    if (presence.type == Type::subscribe && dice < 8) {
        user_sends(dice < 6 ? Type::subscribed : Type::unsubscribed, user, contact);
        if (dice < 4) user_sends(Type::available, user, contact);
    }
    if (presence.type != Type::probe) return;
    if (dice < 7) return user_sends(dice < 5 ? Type::available : Type::unavailable, user, contact);
    if (dice == 7) user_sends(Type::unsubscribed, user, contact);
    if (dice == 8) user_sends(Type::error, user, contact, presence.id);
}

// ---- Phones that watch users ----

void World::ask(sip::Request request, std::function<void(const sip::Response&)> answered) {
    const auto transaction = ++last_transaction_;
    note("request " + std::to_string(transaction) + ' ' + request.method + ' ' + request.call_id);
    ++(request.method == "SUBSCRIBE" ? counts_.watches : counts_.notifications);
    asked_[transaction] = std::move(answered);
    engine::SipRequestIn in{engine::ServerTransaction{transaction}, std::move(request), {kPhone, 5060}, Transport::udp};
    in.received = wall_clock();
    feed(in);
}

void World::phone_subscribes() {
    if (!engine_ || presence_over_) return;
    const auto contact = one_of(kContacts, presence_random_), user = one_of(kUsers, presence_random_);
    const auto call_id = "phone" + std::to_string(++last_call_);
    auto& request = phones_[call_id].request;
    request.method = "SUBSCRIBE";
    request.uri = sip::Uri::parse("sip:" + user + "@montague.test").value();
    request.from = {"", sip::Uri::parse("sip:" + contact + "@capulet.test").value(), "tag" + call_id};
    request.to = {"", request.uri, ""};
    request.call_id = call_id;
    request.contacts = {{"", sip::Uri::parse("sip:" + contact + "@10.0.0.1").value(), ""}};
    phone_asks(call_id, below(presence_random_, 6) ? 600 : 0);
}

void World::phone_asks(const std::string& call_id, unsigned expires) {
    const auto phone = phones_.find(call_id);
    if (!engine_ || phone == phones_.end() || std::exchange(phone->second.asks, true)) return;
    auto request = phone->second.request;
    request.cseq = ++phone->second.request.cseq;
    request.headers = {{"Event", "presence"}, {"Expires", std::to_string(expires)}};
    ask(std::move(request), [this, call_id, expires](const sip::Response& response) {
        const auto found = phones_.find(call_id);
        if (found == phones_.end()) return;
        found->second.asks = false;
        if (response.status >= 300 || expires == 0) return void(phones_.erase(found));
        if (!response.to_tag.empty()) found->second.request.to.tag = response.to_tag;
        if (!response.contacts.empty()) found->second.request.uri = response.contacts.front().uri;
        found->second.stands = true;
        in_this_life_within(8s, [this, call_id] { phone_goes_on(call_id); });
    });
}

void World::phone_goes_on(const std::string& call_id) {
    const auto phone = phones_.find(call_id);
    if (phone == phones_.end() || !phone->second.stands) return;
    const auto dice = presence_over_ ? 9 : below(presence_random_, 10);
    if (dice < 2) return void(phones_.erase(phone));  // without a word
    phone_asks(call_id, dice < 6 ? 600 : 0);
}

void World::answer_notify(const engine::SendSip& action) {
    ++counts_.notifications;
    const auto& request = action.request;
    const auto dice = below(presence_random_, 20);
    const auto phone = phones_.find(request.call_id);
    const auto* state = request.header("Subscription-State");
    require(state != nullptr, "a NOTIFY without Subscription-State", request.call_id);
    note("send NOTIFY " + request.call_id + ' ' + *state);
    engine::SipResponseIn outcome{action.transaction, status(phone != phones_.end() && dice < 17 ? 200 : 481),
                                  engine::LocalFailure::none};
    auto most = Milliseconds(200);
    if (dice == 19) outcome = {action.transaction, status(408), engine::LocalFailure::timeout}, most = Milliseconds(32s);
    const bool over = state->starts_with("terminated") || outcome.response.status != 200;
    if (phone != phones_.end() && over && !phone->second.asks) phones_.erase(phone);
    in_this_life_within(most, [this, outcome] { feed(outcome); });
}

// ---- Notifiers of contacts ----

void World::answer_subscribe(const engine::SendSip& action) {
    ++counts_.watches;
    const auto& request = action.request;
    note("send SUBSCRIBE " + request.call_id);
    const auto expires = *request.header("Expires");
    const bool known = notifiers_.contains(request.call_id), first = request.to.tag.empty();
    static constexpr std::array kFirst{200, 200, 200, 200, 200, 200, 404, 403, 503, 408};
    int code = first ? kFirst[below(presence_random_, kFirst.size())] : known ? 200 : 481;
    if (!first && below(presence_random_, 15) == 0) code = 481;
    auto answer = status(code);
    answer.headers = {{"Expires", expires}};
    answer.contacts = {{"", sip::Uri::parse("sip:" + request.uri.user + "@10.0.0.1").value(), ""}};
    const auto local = code == 408 ? engine::LocalFailure::timeout : engine::LocalFailure::none;
    if (code != 200)
        notifiers_.erase(request.call_id);
    else if (first)
        notifiers_[request.call_id].subscribe = request;
    const engine::SipResponseIn outcome{action.transaction, answer, local};
    in_this_life_within(code == 408 ? Milliseconds(32s) : Milliseconds(300), [this, outcome] { feed(outcome); });
    if (code != 200 || below(presence_random_, 20) == 0) return;
    const std::string state = expires == "0"                    ? "terminated;reason=timeout"
                              : below(presence_random_, 3) == 0 ? "pending;expires=3600"
                                                                : "active;expires=3600";
    in_this_life_within(400ms, [this, call_id = request.call_id, state] { notify(call_id, state); });
}

void World::notify(const std::string& call_id, const std::string& state) {
    const auto found = notifiers_.find(call_id);
    if (!engine_ || found == notifiers_.end()) return;
    auto& [subscribe, cseq, notifies] = found->second;
    if (notifies) return in_this_life_within(400ms, [this, call_id, state] { notify(call_id, state); });
    notifies = true;
    sip::Request request;
    request.method = "NOTIFY";
    request.uri = subscribe.contacts.front().uri;
    request.from = {"", subscribe.to.uri, "them"};
    request.to = subscribe.from;
    request.call_id = call_id;
    request.cseq = ++cseq;
    request.contacts = {{"", sip::Uri::parse("sip:" + subscribe.to.uri.user + "@10.0.0.1").value(), ""}};
    request.headers = {{"Event", *subscribe.header("Event")}, {"Subscription-State", state}};
    if (state.starts_with("active")) request.content_type = "application/pidf+xml", request.body = kPidf;
    ask(std::move(request), [this, call_id, over = state.starts_with("terminated")](const sip::Response& response) {
        const auto answered = notifiers_.find(call_id);
        if (answered == notifiers_.end()) return;
        answered->second.notifies = false;
        if (over || response.status >= 300) return void(notifiers_.erase(answered));
        in_this_life_within(20s, [this, call_id] { goes_on(call_id); });
    });
}

void World::goes_on(const std::string& call_id) {
    if (!notifiers_.contains(call_id) || presence_over_) return;
    static constexpr std::array kStates{"active;expires=3600",         "active;expires=3600",
                                        "pending;expires=3600",        "terminated;reason=deactivated",
                                        "terminated;reason=rejected",  "terminated;reason=noresource",
                                        "terminated;reason=probation", "terminated;reason=timeout",
                                        "terminated;reason=invariant", "terminated"};
    const auto dice = below(presence_random_, 14);
    if (dice < kStates.size()) return notify(call_id, kStates[dice]);
    if (dice == 13) notifiers_.erase(call_id);  // without a word
}

// ---- The end ----

/// Users want nothing any more and agree to nothing, phones leave; who said no is forgotten after a day.
void World::end_presence(unsigned tries) {
    presence_over_ = true;
    const auto is_left = [](const engine::Record& record) {
        const auto* watcher = std::get_if<engine::WatcherRow>(&record.value);
        return record.collection == engine::Collection::contacts ||
               (watcher && watcher->said != engine::WatcherRow::Said::refused);
    };
    bool left = !engine_ || stopping_since_ || !up_ || !asked_.empty() || !phones_.empty();
    for (const auto& record : disk_.records()) left = left || is_left(record);
    if (!left) return;
    require(tries > 0, "presence without end", std::to_string(disk_.size()));
    for (const char* user : kUsers)
        for (const char* contact : kContacts) {
            user_sends(xmpp::PresenceType::unsubscribe, user, contact);
            user_sends(xmpp::PresenceType::unsubscribed, user, contact);
        }
    std::vector<std::string> phones;
    for (const auto& [call_id, phone] : phones_) phones.push_back(call_id);
    for (const auto& call_id : phones) {
        const auto phone = phones_.find(call_id);
        if (phone == phones_.end()) continue;
        // Its answer went with an engine that is no more.
        if (!phone->second.stands && !phone->second.asks)
            phones_.erase(phone);
        else
            phone_goes_on(call_id);
    }
    after(60s, [this, tries] { end_presence(tries - 1); });
}

/// In the words of name_of, what the engine says there is.
std::set<std::string> World::believed() {
    static const auto order =
        engine::read_order(engine::admin_command(engine::AdminVerb::subscriptions), engine::AdminArguments{{"user", "all"}})
            .value();
    std::set<std::string> all;
    if (!presence_) return all;
    const auto outcome = engine_->administer(order);
    for (const auto& row : outcome.tables.front().rows) {
        const auto text = [&](std::size_t column) { return std::get<std::string>(row[column]); };
        const auto direction = text(3), state = text(4);
        if (state == "ending") continue;
        const auto word = direction == "to_xmpp" || state == "granted" ? state : std::string("asks");
        all.insert(direction + ' ' + text(1) + ' ' + text(2) + ' ' + word);
    }
    return all;
}

}  // namespace stox::sim
