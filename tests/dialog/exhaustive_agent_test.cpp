// Calls and subscriptions of the dialog layer, either way, in every order of six inputs. Two states are equal when all that can
// be told from outside is: what was said so far and how often, what waits for whom, what there is, and when the next timer is
// due.

#include "tests/dialog/explore.h"
#include "tests/dialog/rig.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <string>

namespace stox::test {

namespace {

using namespace sip;

constexpr unsigned kDepth = 6;

UserAgent::Settings settings() {
    UserAgent::Settings made;
    made.calls.repeat_responses = false;
    made.calls.session_interval = std::chrono::seconds(0);
    return made;
}

/// One agent and what is known outside of it. A case says what can come and what its inputs are.
class AgentCase {
public:
    virtual ~AgentCase() = default;

    std::string key() const {
        std::string text = last_;
        for (const auto& [word, count] : said_) text += "; " + word + (count > 1 ? " again" : "");
        for (const auto& [key, request] : open_) text += "; waits " + request.method + ' ' + request.to.tag;
        for (const auto& [transaction, finals] : asked_) text += finals == 0 ? "; owes" : "";
        const auto due = rig_.agent.next_timeout();
        const auto in = due ? std::chrono::duration_cast<milliseconds>(*due - rig_.now).count() : -1;
        return text + "; " + std::to_string(rig_.agent.usages()) + ' ' + std::to_string(rig_.agent.dialogs()) + ' ' +
               std::to_string(rig_.agent.remembered()) + ' ' + std::to_string(in);
    }

    /// The application leaves, the peer is never heard again, and every timer runs.
    void end() {
        leave();
        for (int step = 0; step < 200; ++step) {
            if (!open_.empty()) {
                respond(open_.begin()->first, 408);
            } else if (const auto due = rig_.agent.next_timeout()) {
                pass(*due);
                leave();
            } else {
                break;
            }
        }
        require(rig_.agent.usages() == 0, "a usage that does not end");
        require(rig_.agent.dialogs() == 0 && rig_.agent.requests() == 0, "a dialog or a request of nothing");
        require(!rig_.agent.next_timeout(), "a timer of nothing");
        for (const auto& [transaction, finals] : asked_) require(finals == 1, "a request without a final answer");
        for (const auto& [usage, ends] : usages_) require(ends == 1 || refused_, "a usage whose end is not told");
    }

protected:
    virtual void leave() = 0;

    void note(const Words& words) {
        last_.clear();
        for (const auto& word : words) last_ += word + ", ", ++said_[word];
        for (; looked_at_ < rig_.all.size(); ++looked_at_)
            std::visit([this](const auto& action) { look(action); }, rig_.all[looked_at_]);
        check();
    }
    void pass(TimePoint due) { note(rig_.pass(std::chrono::ceil<milliseconds>(std::max(due, rig_.now) - rig_.now))); }
    void respond(RequestKey key, int status, const std::string& tag = "b", std::vector<Header> headers = {}) {
        Response response;
        response.status = status;
        response.to_tag = tag;
        response.contacts = {address("peer.example")};
        response.headers = std::move(headers);
        if (status >= 200 && status < 300 && invites_.contains(key))
            response.content_type = "application/sdp", response.body = "A";
        std::vector<Header> credentials;
        if (status == 401) credentials = {{"Authorization", "x"}};
        if (status >= 200) open_.erase(key);
        note(rig_.does([&](auto& out) { rig_.agent.receive({key, response, credentials}, rig_.now, out); }));
    }
    /// The open request of ours with that method; none: there is none.
    RequestKey open(const std::string& method) const {
        for (const auto& [key, request] : open_)
            if (request.method == method) return key;
        return RequestKey::none;
    }
    void ask(const Words& words) {
        asked_.try_emplace(rig_.transaction, 0);
        note(words);
    }
    virtual void check() const {}

    // What is said below
    void look(const SendRequest& action) {
        require(allowed_.contains(action.request.method), action.request.method + " in this part");
        open_.emplace(action.key, action.request);
        if (action.request.method == "INVITE") invites_.insert(action.key);
        if (action.request.method == "BYE") require(live_.erase(action.request.to.tag) == 1, "a BYE for no dialog, or one more");
    }
    void look(const SendAck& action) {
        if (acknowledged_.insert(action.request.to.tag).second) live_.insert(action.request.to.tag);
    }
    void look(const Respond& action) {
        if (action.response.status < 200) return;
        require(++asked_[action.transaction] == 1, "a request answered twice");
        if (action.transaction != first_ || action.response.status >= 300) return;
        accepted_ = true;
        if (allowed_.contains("BYE")) live_.insert("b");
    }
    // What is said above
    void look(const Progressed& action) { tell(action.call); }
    void look(const Answered& action) {
        require(answered_.insert(action.call).second && usages_[action.call] == 0, "answered twice");
    }
    void look(const Established& action) { tell(action.call); }
    void look(const Invited& action) { usages_.try_emplace(action.call, 0); }
    void look(const SubscriptionWanted& action) { usages_.try_emplace(action.subscription, 0); }
    void look(const SubscriptionRefreshed& action) { tell(action.subscription); }
    void look(const Failed& action) {
        require(!answered_.contains(action.usage), "failed after it was answered");
        finish(action.usage);
    }
    void look(const Ended& action) { finish(action.call); }
    void look(const SubscriptionEnded& action) { finish(action.subscription); }
    void look(const Notified& action) {
        if (action.state.phase == SubscriptionPhase::terminated)
            finish(action.subscription);
        else
            tell(action.subscription);
    }
    template <class Other>
    void look(const Other&) {}
    void tell(UsageKey usage) { require(usages_[usage] == 0, "something after the end was told"); }
    void finish(UsageKey usage) { require(++usages_[usage] == 1, "an end told twice"); }

    Rig rig_{settings()};
    UsageKey usage_{};
    std::set<std::string> allowed_{};       ///< methods that this side may send
    std::map<RequestKey, Request> open_{};  ///< ours, without a final response
    std::set<RequestKey> invites_{};
    TransactionId first_ = 0;                    ///< the peer's, that began it
    bool accepted_ = false, refused_ = false;    ///< that one; by the application, which is not told of its own refusal
    std::map<TransactionId, unsigned> asked_{};  ///< of the peer, with the number of final responses
    std::map<UsageKey, unsigned> usages_{};      ///< how often their end was told
    std::set<UsageKey> answered_{};
    std::set<std::string> live_{}, acknowledged_{};  ///< dialogs of 2xx to an INVITE, by remote tag

private:
    std::map<std::string, unsigned> said_;
    std::string last_;
    std::size_t looked_at_ = 0;
};

/// A call of ours, to two phones behind one proxy.
class CallerCase : public AgentCase {
public:
    CallerCase() {
        allowed_ = {"INVITE", "BYE"};
        usage_ = rig_.call();
        usages_.emplace(usage_, 0);
        note({});
    }
    std::vector<std::string> inputs() const {
        std::vector<std::string> all{"hang up"};
        const auto invite = open("INVITE");
        if (invite != RequestKey::none)
            for (const char* one : {"100", "180 b", "180 c", "200 b", "200 c", "486 b", "401 b"}) all.push_back(one);
        else
            for (const char* one : {"200 b", "200 c"}) all.push_back(one);
        for (const auto& tag : acknowledged_) all.push_back("bye " + tag);
        if (open("BYE") != RequestKey::none)
            for (const char* one : {"bye ok", "bye lost"}) all.push_back(one);
        if (rig_.agent.next_timeout()) all.push_back("time");
        return all;
    }
    void give(const std::string& input) {
        if (input == "hang up") return leave();
        if (input == "time") return pass(*rig_.agent.next_timeout());
        if (input == "bye ok") return respond(open("BYE"), 200);
        if (input == "bye lost") return respond(open("BYE"), 481);
        if (input.starts_with("bye ")) {
            live_.erase(input.substr(4));
            return ask(rig_.inside("BYE", {.tag = input.substr(4)}));
        }
        respond(*invites_.rbegin(), std::stoi(input), input.size() > 4 ? input.substr(4) : "");
    }

private:
    void leave() override {
        note(rig_.does([&](auto& out) { rig_.agent.hang_up(usage_, {}, rig_.now, out); }));
    }
    void check() const override { require(live_.size() <= 1, "two live dialogs"); }
};

/// A call of the peer.
class CalleeCase : public AgentCase {
public:
    CalleeCase() {
        allowed_ = {"BYE"};
        ask(rig_.first("INVITE", {.body = "O", .headers = {{"Supported", "100rel"}}}));
        usage_ = rig_.last<Invited>().call;
        first_ = rig_.transaction;
        cseq_ = rig_.peer_cseq;
    }
    std::vector<std::string> inputs() const {
        std::vector<std::string> all{"ring",   "ring reliably", "answer", "refuse", "hang up",
                                     "cancel", "ack",           "bye",    "prack",  "invite"};
        if (open("BYE") != RequestKey::none)
            for (const char* one : {"bye ok", "bye lost"}) all.push_back(one);
        if (rig_.agent.next_timeout()) all.push_back("time");
        return all;
    }
    void give(const std::string& input) {
        const auto progress = [&](bool reliable) {
            note(rig_.does([&](auto& out) { rig_.agent.progress(usage_, {180, {}, {}}, reliable, rig_.now, out); }));
        };
        const auto answer = [&](int status) {
            Reply reply{status, {}, status < 300 ? sdp("A") : Description{}};
            refused_ = refused_ || (status >= 300 && !accepted_);
            note(rig_.does([&](auto& out) { rig_.agent.answer(usage_, reply, rig_.now, out); }));
        };
        if (input == "ring") return progress(false);
        if (input == "ring reliably") return progress(true);
        if (input == "answer") return answer(200);
        if (input == "refuse") return answer(486);
        if (input == "hang up") return hang_up();
        if (input == "cancel") return note(rig_.does([&](auto& out) { rig_.agent.cancelled(first_, rig_.now, out); }));
        if (input == "ack") return note(rig_.ack(cseq_));
        if (input == "bye") return live_.erase("b"), ask(rig_.inside("BYE"));
        if (input == "prack") return prack();
        if (input == "invite") return ask(rig_.inside("INVITE", {.body = "O2"}));
        if (input == "bye ok") return respond(open("BYE"), 200);
        if (input == "bye lost") return respond(open("BYE"), 481);
        pass(*rig_.agent.next_timeout());
    }

private:
    void hang_up() {
        refused_ = refused_ || !accepted_;
        note(rig_.does([&](auto& out) { rig_.agent.hang_up(usage_, {}, rig_.now, out); }));
    }
    void leave() override {
        refused_ = refused_ || !accepted_;
        note(rig_.does([&](auto& out) { rig_.agent.answer(usage_, {486, {}, {}}, rig_.now, out); }));
        hang_up();
    }
    void prack() {
        std::string rseq = "1";
        for (const auto& action : rig_.all)
            if (const auto* response = std::get_if<Respond>(&action))
                if (const auto* header = response->response.header("RSeq")) rseq = *header;
        ask(rig_.inside("PRACK", {.headers = {{"RAck", rseq + ' ' + std::to_string(cseq_) + " INVITE"}}}));
    }
    /// A BYE of ours is for the one dialog that there is.
    void check() const override { require(rig_.agent.dialogs() <= 1, "two live dialogs"); }

    std::uint32_t cseq_ = 0;
};

/// A subscription of ours; two notifiers may answer.
class SubscriberCase : public AgentCase {
public:
    SubscriberCase() {
        allowed_ = {"SUBSCRIBE"};
        usage_ = rig_.subscribe({{"Event", "presence"}, {"Expires", "3600"}});
        usages_.emplace(usage_, 0);
        note({});
    }
    std::vector<std::string> inputs() const {
        std::vector<std::string> all{"active b", "pending b", "terminated b", "active c", "unsubscribe"};
        if (open("SUBSCRIBE") != RequestKey::none)
            for (const char* one : {"200", "401", "404", "408", "481", "489", "503"}) all.push_back(one);
        if (rig_.agent.next_timeout()) all.push_back("time");
        return all;
    }
    void give(const std::string& input) {
        if (input == "unsubscribe") return leave();
        if (input == "time") return pass(*rig_.agent.next_timeout());
        if (input[0] >= '0' && input[0] <= '9') return respond(open("SUBSCRIBE"), std::stoi(input), "b", {{"Expires", "3600"}});
        auto state = input.substr(0, input.size() - 2);
        if (state != "terminated") state += ";expires=3600";
        ask(rig_.inside("NOTIFY", {.tag = input.substr(input.size() - 1),
                                   .headers = {{"Event", "presence"}, {"Subscription-State", state}}}));
    }

private:
    void leave() override {
        note(rig_.does([&](auto& out) { rig_.agent.unsubscribe(usage_, rig_.now, out); }));
    }
    void check() const override { require(rig_.agent.dialogs() <= 1, "two live dialogs"); }
};

/// A subscription of the peer.
class NotifierCase : public AgentCase {
public:
    NotifierCase() {
        allowed_ = {"NOTIFY"};
        ask(rig_.first("SUBSCRIBE", {.headers = {{"Event", "presence"}, {"Expires", "600"}}}));
        usage_ = rig_.last<SubscriptionWanted>().subscription;
        first_ = rig_.transaction;
    }
    std::vector<std::string> inputs() const {
        std::vector<std::string> all{"grant", "deny", "publish", "finish", "refresh", "leave", "brief"};
        if (open("NOTIFY") != RequestKey::none)
            for (const char* one : {"200", "401", "408", "481", "503"}) all.push_back(one);
        if (rig_.agent.next_timeout()) all.push_back("time");
        return all;
    }
    void give(const std::string& input) {
        const auto does = [&](auto work) { note(rig_.does(work)); };
        const auto subscribe = [&](const char* expires) {
            ask(rig_.inside("SUBSCRIBE", {.headers = {{"Event", "presence"}, {"Expires", expires}}}));
        };
        if (input == "grant")
            return does([&](auto& out) { rig_.agent.grant(usage_, {{SubscriptionPhase::pending}, {}, {}}, rig_.now, out); });
        if (input == "deny") return deny();
        if (input == "publish")
            return does([&](auto& out) { rig_.agent.publish(usage_, {{}, "text/plain", "1"}, rig_.now, out); });
        if (input == "finish") return finish_it();
        if (input == "refresh") return subscribe("600");
        if (input == "leave") return subscribe("0");
        if (input == "brief") return subscribe("5");
        if (input == "time") return pass(*rig_.agent.next_timeout());
        respond(open("NOTIFY"), std::stoi(input));
    }

private:
    void deny() {
        refused_ = refused_ || !accepted_;
        note(rig_.does([&](auto& out) { rig_.agent.deny(usage_, Reply{403}, rig_.now, out); }));
    }
    void finish_it() {
        refused_ = refused_ || !accepted_;
        const Notification last{{SubscriptionPhase::terminated, {}, "noresource", {}}, {}, {}};
        note(rig_.does([&](auto& out) { rig_.agent.publish(usage_, last, rig_.now, out); }));
    }
    void leave() override {
        deny();
        finish_it();
    }
    void check() const override { require(rig_.agent.dialogs() <= 1, "two live dialogs"); }
};

template <class Case>
void expect_whole(const char* what) {
    const auto explored = explore<Case>(kDepth);
    EXPECT_EQ(explored.broken, "");
    EXPECT_GT(explored.states, 100u);
    std::printf("%s: %zu distinct states after up to %u inputs, %zu steps\n", what, explored.states, kDepth, explored.steps);
}

TEST(Exhaustive, CallOfOurs) { expect_whole<CallerCase>("call of ours"); }
TEST(Exhaustive, CallOfThePeer) { expect_whole<CalleeCase>("call of the peer"); }
TEST(Exhaustive, SubscriptionOfOurs) { expect_whole<SubscriberCase>("subscription of ours"); }
TEST(Exhaustive, SubscriptionOfThePeer) { expect_whole<NotifierCase>("subscription of the peer"); }

}  // namespace

}  // namespace stox::test
