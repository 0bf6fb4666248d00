// SIP phones of one contact that watch an XMPP user over the dialog layer, in any order of events: SUBSCRIBEs of all kinds, what the
// user and their server say, hostile answers to NOTIFY, restarts, time. Octets say what happens next. Whatever they say, nothing but
// NOTIFY is sent, who may not see is shown nothing, the user is asked once a day at most and not for a day after they said no (unless
// what was said is dropped), each subscription that the relation counts is there, and when the phones leave everything ends.

#include "mapping/core/assert.h"
#include "mapping/presence/watcher_relation.h"
#include "mapping/sip/header_values.h"
#include "mapping/sip/user_agent.h"
#include "tests/fuzz/octets.h"
#include "tests/fuzz/one_side.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace {

using namespace stox::sip;
namespace watcher = stox::presence::watcher;
using stox::UtcTime;
using stox::fuzz::address;
using stox::fuzz::AllSent;
using stox::fuzz::Octets;
using stox::presence::WatcherRelation;
using std::chrono::days;
using std::chrono::seconds;

constexpr std::size_t kMaxSteps = 600;

UserAgent::Settings settings() {
    UserAgent::Settings made;
    made.calls.allow_events = "presence";
    return made;
}

class Play {
public:
    Play(const std::uint8_t* data, std::size_t size) : in_(data, size) { begin(); }

    void run() {
        for (std::size_t step = 0; step < kMaxSteps && !in_.empty(); ++step) {
            one_step();
            hear();
            check();
        }
        leave();
    }

private:
    void one_step() {
        switch (in_.below(14)) {
            case 0:
            case 1:
                return subscribe(in_.of(kExpires));
            case 2:
                return subscribe("0");
            case 3:
            case 4:
                return subscribe_inside();
            case 5:
                return does([&](auto& acts) { relation_->approved(now_, acts); });
            case 6:
                return does([&](auto& acts) { relation_->denied(now_, utc_, acts); });
            case 7:
                failed_ = true;
                return does([&](auto& acts) { relation_->failed(in_.of(kConditions), now_, acts); });
            case 8:
                return does([&](auto& acts) { relation_->told(now_, acts); });
            case 9:
                return change_stream();
            case 10:
                return respond();
            case 11:
                return restart();
            case 12:
                return does([&](auto& acts) { relation_->dropped("deactivated", now_, acts); });
            default:
                return pass(in_.of(kPauses));
        }
    }

    // ---- The relation ----

    template <class Do>
    void does(Do work) {
        WatcherRelation::Actions acts;
        work(acts);
        for (const auto& act : acts) std::visit([this](const auto& one) { this->on(one); }, act);
        if (relation_->is_over()) relation_.emplace(stream_up_);
    }

    void publish(UsageKey usage, SubscriptionPhase phase, const std::string& body, std::string_view reason = {}) {
        Notification made;
        made.own_words = true;
        made.state.phase = phase;
        made.state.reason = reason;
        made.body = body;
        if (!body.empty()) made.type = "application/pidf+xml";
        agent([&](auto& out) { agent_->publish(usage, made, now_, out); });
    }
    std::string shown() const { return relation_->is_known() ? "open" : ""; }

    void on(const watcher::Grant& act) {
        STOX_ASSERT(act.active == relation_->is_granted());
        Notification first;
        first.own_words = true;
        first.state.phase = act.active ? SubscriptionPhase::active : SubscriptionPhase::pending;
        if (act.active) first.body = shown();
        agent([&](auto& out) { agent_->grant(act.usage, first, now_, out); });
    }
    void on(const watcher::Repeat& act) {
        STOX_ASSERT(act.active == relation_->is_granted());
        publish(act.usage, act.active ? SubscriptionPhase::active : SubscriptionPhase::pending, act.active ? shown() : "");
    }
    void on(const watcher::Accept& act) {
        agent([&](auto& out) { agent_->accept(act.poll, now_, out); });
    }
    void on(const watcher::Answer& act) {
        STOX_ASSERT(!act.tells || relation_->is_granted());
        publish(act.poll, SubscriptionPhase::terminated, act.tells ? shown() : "", "timeout");
    }
    void on(const watcher::Publish&) { publish_to_all(); }
    void on(const watcher::Activate&) { publish_to_all(); }
    void publish_to_all() {
        STOX_ASSERT(relation_->is_granted());
        const auto all = relation_->watching();
        for (const auto usage : all) publish(usage, SubscriptionPhase::active, shown());
    }
    void on(const watcher::Terminate& act) { publish(act.usage, SubscriptionPhase::terminated, "", act.reason); }
    void on(const watcher::SayClosed& act) {
        publish(act.usage, SubscriptionPhase::terminated, relation_->is_granted() ? "closed" : "", "timeout");
    }
    void on(const watcher::AskUser&) {
        STOX_ASSERT(stream_up_);
        const auto at = relation_->asked();
        STOX_ASSERT(at);
        // What did not reach the user is no question.
        STOX_ASSERT(!asked_ || failed_ || *at >= *asked_ + days(1));
        STOX_ASSERT(!refused_ || *at >= *refused_ + days(1));
        asked_ = at;
        failed_ = false;
        refused_.reset();
    }
    void on(const watcher::ProbeUser&) { STOX_ASSERT(stream_up_ && relation_->is_granted()); }
    void on(const watcher::TellUnavailable&) { STOX_ASSERT(relation_->is_granted() && relation_->watching().empty()); }
    void on(const watcher::Keep&) {
        kept_ = relation_->state();
        if (const auto* refused = std::get_if<watcher::Refused>(&*kept_)) refused_ = refused->until - days(1);
        if (relation_->is_granted()) refused_.reset();
    }
    void on(const watcher::Erase&) {
        kept_.reset();
        asked_.reset();
        refused_.reset();
    }

    void change_stream() {
        stream_up_ = !stream_up_;
        does([&](auto& acts) { stream_up_ ? relation_->stream_back(now_, acts) : relation_->stream_lost(now_, acts); });
    }

    void begin() {
        agent_.emplace(
            settings(), [this](std::uint32_t bound) { return in_.below(bound); }, [this] { return "t" + std::to_string(++tags_); });
        if (kept_)
            relation_.emplace(*kept_, stream_up_, now_, utc_);
        else
            relation_.emplace(stream_up_);
        sent_.clear();
        dialogs_.clear();
        news_.clear();
    }

    /// A kill: what was kept comes back, dialogs do not.
    void restart() {
        if (in_.below(4) == 0) begin();
    }

    // ---- The dialog layer ----

    template <class Do>
    void agent(Do work) {
        std::vector<Action> out;
        work(out);
        for (const auto& action : out) std::visit([this](const auto& one) { this->on(one); }, action);
    }

    template <class T>
    void on(const T&) {
        STOX_ASSERT(false && "nothing else can come of subscriptions to us");
    }
    void on(const SendRequest& action) {
        STOX_ASSERT(action.request.method == "NOTIFY");
        // What was challenged and goes again was theirs to see when it went first.
        STOX_ASSERT(action.request.body != "open" || relation_->is_granted() || repeating_);
        sent_.add(action.key, action.request, now_);
    }
    /// Of a SUBSCRIBE outside any dialog: what begins one.
    void on(const Respond& action) {
        if (action.transaction != first_ || action.response.status != 200) return;
        auto inside = subscribe_;
        inside.to.tag = action.response.to_tag;
        dialogs_.push_back(std::move(inside));
    }
    // Told within the same input, and never from inside another call.
    void on(const SubscriptionWanted& wanted) { news_.push_back(wanted); }
    void on(const SubscriptionRefreshed& again) { news_.push_back(again); }
    void on(const SubscriptionEnded& ended) { news_.push_back(ended); }

    void hear() {
        while (!news_.empty()) {
            const auto news = std::move(news_.front());
            news_.pop_front();
            std::visit([this](const auto& one) { this->take(one); }, news);
        }
    }
    void take(const SubscriptionWanted& wanted) {
        if (wanted.event.name != "presence") {
            Reply reply;
            reply.status = 489;
            return agent([&](auto& out) { agent_->deny(wanted.subscription, reply, now_, out); });
        }
        const bool is_poll = leading_number(wanted.request.header("Expires")) == 0u;
        does([&](auto& acts) {
            if (is_poll)
                relation_->poll(wanted.subscription, now_, acts);
            else
                relation_->watch(wanted.subscription, now_, utc_, acts);
        });
        STOX_ASSERT(is_poll != relation_->watching().contains(wanted.subscription));
    }
    void take(const SubscriptionRefreshed& news) {
        does([&](auto& acts) { relation_->refreshed(news.subscription, now_, utc_, acts); });
    }
    void take(const SubscriptionEnded& news) {
        using Cause = SubscriptionEnded::Cause;
        const bool wants_word = news.cause == Cause::unsubscribed || news.cause == Cause::expired;
        does([&](auto& acts) { relation_->ended(news.subscription, wants_word, now_, acts); });
    }

    void receive(const Request& request) {
        const auto transaction = ++transactions_;
        if (request.to.tag.empty()) first_ = transaction;
        agent([&](auto& out) { agent_->receive({transaction, request, "peer", address("us.example"), false}, now_, out); });
    }

    void subscribe(const std::string& expires) {
        subscribe_ = {};
        subscribe_.method = "SUBSCRIBE";
        subscribe_.uri = address("us.example").uri;
        subscribe_.to = address("us.example");
        subscribe_.from = address("peer.example", "p" + std::to_string(++tags_));
        subscribe_.call_id = "c" + std::to_string(tags_);
        subscribe_.cseq = 1;
        subscribe_.contacts = {address("peer.example")};
        subscribe_.headers = {{"Event", "presence"}, {"Expires", expires}};
        receive(subscribe_);
    }

    void subscribe_inside() {
        auto* dialog = in_.of(dialogs_);
        if (!dialog) return;
        dialog->cseq += in_.below(3);
        dialog->headers = {{"Event", in_.of(kEvents)}, {"Expires", in_.of(kExpires)}};
        const auto request = *dialog;
        receive(request);
    }

    void respond() {
        const auto* sent = sent_.unanswered(in_);
        if (!sent) return;
        Response response;
        response.status = in_.of(kStatuses);
        response.to_tag = sent->request.to.tag;
        std::vector<Header> credentials;
        if (response.status == 401 && in_.flag()) credentials = {{"Authorization", "x"}};
        const auto key = sent->key;
        repeating_ = !credentials.empty();
        agent([&](auto& out) { agent_->receive({key, response, credentials}, now_, out); });
        repeating_ = false;
    }

    // ---- Time ----

    void pass(seconds time) {
        const auto end = now_ + time;
        for (auto next = soonest(); next && *next <= end; next = soonest()) {
            forward(std::max(now_, *next));
            does([&](auto& acts) { relation_->tick(now_, acts); });
            agent([&](auto& out) { agent_->tick(now_, out); });
            hear();
            const auto due = relation_->next_timeout();
            STOX_ASSERT(!due || *due > now_);
            time_out();
            hear();
        }
        forward(end);
        time_out();
        hear();
    }

    void forward(TimePoint to) {
        utc_ += std::chrono::duration_cast<UtcTime::duration>(to - now_);
        now_ = to;
    }

    std::optional<TimePoint> soonest() const {
        auto next = agent_->next_timeout();
        if (const auto due = relation_->next_timeout(); due && (!next || *due < *next)) next = due;
        return next;
    }

    void time_out() {
        sent_.time_out(now_, [&](const auto& silence) { agent([&](auto& out) { agent_->receive(silence, now_, out); }); });
    }

    // ---- What holds ----

    void check() {
        for (const auto usage : relation_->watching()) STOX_ASSERT(agent_->peer_of(usage));
        STOX_ASSERT(kept_.has_value() != std::holds_alternative<watcher::None>(relation_->state()));
    }

    void leave() {
        if (stream_up_) change_stream();
        for (int i = 0; i < 3; ++i) pass(seconds(4'000));
        STOX_ASSERT(relation_->watching().empty());
        STOX_ASSERT(agent_->usages() == 0 && agent_->dialogs() == 0 && agent_->requests() == 0 && !agent_->next_timeout());
        does([&](auto& acts) { relation_->denied(now_, utc_, acts); });
        pass(days(31));
        STOX_ASSERT(!kept_ && relation_->is_over() && !relation_->next_timeout());
    }

    static constexpr std::array kExpires{"600", "60", "3600", "5", "0", "4294967295", "x"};
    static constexpr std::array kEvents{"presence", "presence", "presence", "presence;id=1", "dialog"};
    static constexpr std::array kStatuses{200, 200, 200, 202, 302, 401, 404, 408, 480, 481, 489, 500, 503, 603};
    static constexpr std::array kConditions{stox::xmpp::Condition::item_not_found, stox::xmpp::Condition::remote_server_timeout,
                                            stox::xmpp::Condition::forbidden};
    static constexpr std::array<seconds, 8> kPauses{seconds(0),  seconds(1),     seconds(6),      seconds(33),
                                                    seconds(61), seconds(3'600), seconds(43'200), seconds(86'400)};

    Octets in_;
    std::optional<UserAgent> agent_;
    std::optional<WatcherRelation> relation_;
    TimePoint now_{std::chrono::hours(1)};
    UtcTime utc_{days(20'000)};
    bool stream_up_ = true;
    std::optional<watcher::State> kept_;
    std::optional<UtcTime> asked_, refused_;
    AllSent sent_;
    std::vector<Request> dialogs_;
    std::deque<std::variant<SubscriptionWanted, SubscriptionRefreshed, SubscriptionEnded>> news_;
    bool repeating_ = false, failed_ = false;
    Request subscribe_;
    TransactionId transactions_ = 0, first_ = 0;
    unsigned tags_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Play(data, size).run();
    return 0;
}
