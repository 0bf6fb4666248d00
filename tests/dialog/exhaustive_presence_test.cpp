// A relation each way, in every order of eight inputs. Two states are equal when every member is, times by how far they are away.

#include "mapping/presence/contact_relation.h"
#include "mapping/presence/watcher_relation.h"
#include "tests/dialog/explore.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <string>

namespace stox::presence {

namespace {

using test::require;
using namespace std::chrono_literals;

constexpr unsigned kDepth = 8;

std::string away(std::optional<TimePoint> at, TimePoint now) {
    return at ? std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(*at - now).count()) + ' ' : "- ";
}

void expect_whole(const char* what, const test::Explored& explored) {
    EXPECT_EQ(explored.broken, "");
    std::printf("%s: %zu distinct states after up to %u inputs, %zu steps\n", what, explored.states, kDepth, explored.steps);
    testing::Test::RecordProperty("states", std::to_string(explored.states));
}

/// A user's subscription to a contact, with what there is outside of it.
class ContactCase {
public:
    std::vector<std::string> inputs() const {
        std::vector<std::string> all{"subscribe", "unsubscribe", "probe", "online", "offline", "withdraw"};
        if (!relation_.is_over()) all.push_back("pretend");
        if (relation_.waits_for_turn()) all.push_back("turn");
        if (relation_.next_timeout()) all.push_back("time");
        if (relation_.expendable_since()) all.push_back("forget");
        if (usage_)
            for (const char* one : {"pending", "active", "deactivated", "rejected", "probation", "invariant", "404", "503", "302",
                                    "408", "left", "silent"})
                all.push_back(one);
        return all;
    }

    void give(const std::string& input) {
        ContactRelation::Actions out;
        if (input == "subscribe") relation_.subscribe(now_, out);
        if (input == "unsubscribe") relation_.unsubscribe(now_, out);
        if (input == "probe") relation_.probe(now_, out);
        if (input == "online") relation_.online(now_, out);
        if (input == "offline") relation_.offline(now_, out);
        if (input == "withdraw") relation_.withdraw(now_, out);
        if (input == "pretend") relation_.pretend(now_, out);
        if (input == "forget") relation_.forget(now_, out);
        if (input == "turn") relation_.turn(now_, out);
        if (input == "time") now_ = std::max(now_, *relation_.next_timeout());
        const auto notify = [&](std::string_view value, std::string_view reason = {}) {
            if (value == "terminated") usage_ = false;
            relation_.notified(value, reason, std::nullopt, now_, below_, out);
        };
        if (input == "pending" || input == "active") notify(input);
        if (input == "deactivated" || input == "rejected" || input == "probation" || input == "invariant")
            notify("terminated", input);
        if (input == "404" || input == "503" || input == "302" || input == "408") {
            usage_ = false;
            relation_.failed(std::stoi(input), std::nullopt, true, now_, below_, out);
        }
        if (input == "left" || input == "silent") {
            usage_ = false;
            relation_.ended(input == "silent", now_, below_, out);
        }
        if (!usage_) poll_ = ending_ = false;
        relation_.tick(now_, out);
        for (const auto act : out) perform(act);
        check();
    }

    /// The user wants it no longer, and the dialog that there may be ends.
    void end() {
        ContactRelation::Actions out;
        const bool was = !relation_.is_over();
        const auto told_before = refusals_;
        relation_.unsubscribe(now_, out);
        for (const auto act : out) perform(act);
        check();
        if (usage_) give("left");
        require(relation_.is_over(), "a subscription that does not end");
        require(!kept_ && !usage_ && !shown_, "something of a subscription that is over is left");
        require(!was || refusals_ == told_before + 1, "its end is told once");
        require(!relation_.next_timeout(), "a timer of nothing");
    }

    std::string key() const {
        const auto& parts = relation_.parts();
        return std::to_string(parts.state.index()) + ' ' + std::to_string(static_cast<int>(parts.authorization)) +
               std::to_string(parts.online) + std::to_string(parts.settled) + std::to_string(parts.redirected) +
               std::to_string(usage_) + std::to_string(poll_) + std::to_string(ending_) + std::to_string(kept_) +
               std::to_string(shown_) + ' ' + std::to_string(parts.failures) + ' ' +
               std::to_string(parts.rarely) + away(parts.assumed, now_) + away(std::max(parts.not_before, now_), now_) + away(parts.started, now_) + away(parts.polled, now_) +
               away(parts.away_at, now_) + away(relation_.next_timeout(), now_);
    }

private:
    void perform(ContactAct act) {
        switch (act) {
            case ContactAct::start_subscribe:
            case ContactAct::start_poll:
                require(!usage_, "two live dialogs");
                usage_ = true;
                poll_ = act == ContactAct::start_poll;
                break;
            case ContactAct::end_subscribe:
                require(usage_ && !ending_, "an end of no dialog, or one more");
                ending_ = true;
                break;
            case ContactAct::keep:
                kept_ = true;
                break;
            case ContactAct::erase:
                require(kept_, "nothing to erase");
                kept_ = false;
                break;
            case ContactAct::tell_presence:
                require(kept_ && relation_.authorization() == Authorization::granted, "shown without leave");
                shown_ = true;
                break;
            case ContactAct::tell_unavailable:
                shown_ = false;
                break;
            case ContactAct::tell_subscribed:
                require(kept_ && relation_.authorization() == Authorization::granted, "granted and not kept");
                break;
            case ContactAct::tell_unsubscribed:
                ++refusals_;
                break;
            case ContactAct::answer_probe:
                require(kept_, "a probe answered by nobody");
                break;
            case ContactAct::queue:
                require(relation_.waits_for_turn(), "queued for nothing");
                break;
        }
    }

    void check() const {
        using namespace contact;
        const auto& state = relation_.state();
        require(relation_.has_usage() == usage_, "the dialog is lost sight of");
        const bool leaving = std::holds_alternative<Leaving>(state);
        require(kept_ == !(relation_.is_over() || leaving), "what a restart finds is not what there is");
        require(!shown_ || kept_, "shown by nothing");
        const bool ends = leaving || std::holds_alternative<Lapsing>(state) || std::holds_alternative<Returning>(state);
        require(!ends || ending_, "the end of a dialog is waited for and was not asked for");
        const bool waits_for_somebody = usage_ || relation_.waits_for_turn() || std::holds_alternative<Pretended>(state) ||
                                        std::holds_alternative<None>(state) || relation_.next_timeout();
        const auto& parts = relation_.parts();
        require(waits_for_somebody || !parts.online || parts.settled || std::holds_alternative<Idle>(state),
                "a state without timer or peer");
    }

    ContactRelation relation_;
    TimePoint now_{1h};
    ContactRelation::Below below_ = [](unsigned) { return 0u; };
    bool usage_ = false, poll_ = false;  ///< a SUBSCRIBE, or its dialog
    bool ending_ = false;                ///< which was asked to end
    bool kept_ = false, shown_ = false;  ///< in the store; to the user
    unsigned refusals_ = 0;
};

/// A contact's subscriptions to a user: two phones and a poll at most.
class WatcherCase {
public:
    std::vector<std::string> inputs() const {
        std::vector<std::string> all{"approved", "denied", "dropped", "not found", "timeout", "told", stream_ ? "lost" : "back"};
        for (const char* phone : {"1", "2"}) {
            if (!watching_.contains(phone)) all.push_back(std::string("watch ") + phone);
            if (watching_.contains(phone))
                for (const char* one : {"refresh ", "leave ", "refused "}) all.push_back(one + std::string(phone));
        }
        all.push_back(polls_.contains("3") ? "leave 3" : "poll 3");
        if (relation_.next_timeout()) all.push_back("time");
        if (!std::holds_alternative<watcher::None>(relation_.state())) all.push_back("a day");
        return all;
    }

    void give(const std::string& input) {
        WatcherRelation::Actions out;
        const auto usage = static_cast<sip::UsageKey>(input.back() - '0');
        const std::string name(1, input.back());
        answered_.clear();
        std::string owed;
        if (input == "approved") relation_.approved(now_, out);
        if (input == "denied") relation_.denied(now_, utc(), out);
        if (input == "dropped") relation_.dropped("noresource", now_, out);
        if (input == "not found") relation_.failed(xmpp::Condition::item_not_found, now_, out);
        if (input == "timeout") relation_.failed(xmpp::Condition::remote_server_timeout, now_, out);
        if (input == "told") relation_.told(now_, out);
        if (input == "lost" || input == "back") {
            stream_ = input == "back";
            stream_ ? relation_.stream_back(now_, out) : relation_.stream_lost(now_, out);
        }
        if (input.starts_with("watch")) owed = name, watching_.insert(name), relation_.watch(usage, now_, utc(), out);
        if (input.starts_with("poll")) owed = name, polls_.insert(name), relation_.poll(usage, now_, out);
        if (input.starts_with("refresh ")) owed = name, relation_.refreshed(usage, now_, utc(), out);
        if (input.starts_with("leave") || input.starts_with("refused")) {
            watching_.erase(name), polls_.erase(name), leaving_ = name;
            relation_.ended(usage, input.starts_with("leave"), now_, out);
        }
        if (input == "time") now_ = std::max(now_, *relation_.next_timeout());
        if (input == "a day") now_ += 24h;
        for (const auto& act : out) std::visit([this](const auto& one) { perform(one); }, act);
        out.clear();
        for (int step = 0; step < 8 && relation_.next_timeout() && *relation_.next_timeout() <= now_; ++step) {
            relation_.tick(now_, out);
            for (const auto& act : out) std::visit([this](const auto& one) { perform(one); }, act);
            out.clear();
        }
        require(owed.empty() || answered_[owed] == 1, "not exactly one answer to " + input);
        leaving_.clear();
        check();
    }

    /// Everybody goes, and the user says nothing any more.
    void end() {
        for (const auto& phone : std::set<std::string>(watching_)) give("leave " + phone);
        for (int step = 0; step < 8 && relation_.next_timeout(); ++step) give("time");
        require(polls_.empty(), "a poll that is never answered");
        if (relation_.is_granted()) give("denied");
        for (int step = 0; step < 8 && relation_.next_timeout(); ++step) give("time");
        require(relation_.is_over(), "a relation that does not end");
        require(!kept_, "kept for ever");
    }

    std::string key() const {
        const auto& parts = relation_.parts();
        std::string text = std::to_string(parts.state.index()) + ' ';
        if (const auto* asked = std::get_if<watcher::Asked>(&parts.state)) text += far(asked->at);
        if (const auto* refused = std::get_if<watcher::Refused>(&parts.state)) text += far(refused->until);
        for (const auto watching : parts.watching) text += 'w' + std::to_string(static_cast<unsigned>(watching));
        for (const auto& [poll, at] : parts.polls)
            text += 'p' + std::to_string(static_cast<unsigned>(poll)) + ' ' + away(at, now_);
        text += std::to_string(parts.stream_up) + std::to_string(parts.known) + std::to_string(parts.unsent);
        for (const auto& at :
             {parts.ask_after, parts.published, parts.publish_at, parts.probe_at, parts.probed, parts.give_up_at})
            text += away(at, now_);
        for (const auto& names : {watching_, polls_})
            for (const auto& name : names) text += ' ' + name;
        return text + ' ' + std::to_string(kept_);
    }

private:
    using Name = std::string;
    static Name name(sip::UsageKey usage) { return std::to_string(static_cast<unsigned>(usage)); }
    UtcTime utc() const {
        return UtcTime(std::chrono::days(20'000)) + std::chrono::duration_cast<UtcTime::duration>(now_.time_since_epoch());
    }
    std::string far(UtcTime at) const { return std::to_string((at - utc()).count()) + ' '; }

    void perform(const watcher::Grant& act) {
        require(act.active == relation_.is_granted(), "active without leave, or not told of it");
        answer(act.usage);
    }
    void perform(const watcher::Repeat& act) {
        require(act.active == relation_.is_granted(), "active without leave, or not told of it");
        answer(act.usage);
    }
    void perform(const watcher::Accept& act) {
        require(polls_.contains(name(act.poll)), "a poll of nobody");
        answer(act.poll);
    }
    void perform(const watcher::Answer& act) {
        require(polls_.erase(name(act.poll)) == 1, "a poll answered twice");
        require(!act.tells || relation_.is_granted(), "told without leave");
        answered_[name(act.poll)] = 1;
    }
    void perform(const watcher::Publish&) {
        require(relation_.is_granted() && !watching_.empty(), "published without leave, or to nobody");
    }
    void perform(const watcher::Activate&) {
        require(relation_.is_granted() && !watching_.empty(), "active without leave, or for nobody");
    }
    void perform(const watcher::Terminate& act) { require(watching_.erase(name(act.usage)) == 1, "an end of what has ended"); }
    void perform(const watcher::SayClosed& act) { require(name(act.usage) == leaving_, "a last word to who stays"); }
    void perform(const watcher::AskUser&) { require(stream_ && relation_.asked(), "asked for nothing, or nobody"); }
    void perform(const watcher::ProbeUser&) { require(stream_ && relation_.is_granted(), "a probe without leave or stream"); }
    void perform(const watcher::TellUnavailable&) {}
    void perform(const watcher::Keep&) { kept_ = true; }
    void perform(const watcher::Erase&) {
        require(kept_, "nothing to erase");
        kept_ = false;
    }
    void answer(sip::UsageKey usage) {
        require(watching_.contains(name(usage)) || polls_.contains(name(usage)), "an answer to nobody");
        ++answered_[name(usage)];
    }

    void check() const {
        std::set<Name> watching;
        for (const auto usage : relation_.watching()) watching.insert(name(usage));
        require(watching == watching_, "a dialog is lost sight of");
        require(kept_ == !std::holds_alternative<watcher::None>(relation_.state()), "what a restart finds is not what there is");
        std::set<Name> polls;
        for (const auto& [poll, at] : relation_.parts().polls)
            require(polls.insert(name(poll)).second && at > now_, "a poll overdue");
        require(polls == polls_, "a poll is lost sight of");
    }

    bool stream_ = true;
    WatcherRelation relation_{true};
    TimePoint now_{1h};
    std::set<Name> watching_, polls_;
    std::map<Name, unsigned> answered_;  ///< in this input
    Name leaving_;
    bool kept_ = false;
};

}  // namespace

TEST(Exhaustive, ContactRelation) {
    const auto explored = test::explore<ContactCase>(kDepth);
    expect_whole("contact relation", explored);
    EXPECT_GT(explored.states, 500u);
}

TEST(Exhaustive, WatcherRelation) {
    const auto explored = test::explore<WatcherCase>(kDepth);
    expect_whole("watcher relation", explored);
    EXPECT_GT(explored.states, 500u);
}

}  // namespace stox::presence
