// A user's subscription to a SIP contact over the dialog layer, in any order of events: what the user wants, a hostile notifier,
// time. Octets say what happens next. Whatever they say, there is one dialog at most, nothing but SUBSCRIBE is sent, who may not
// see is told nothing, what was shown is withdrawn before the end of it, what is kept is what was told, and when the user leaves
// everything ends.

#include "mapping/core/assert.h"
#include "mapping/presence/contact_relation.h"
#include "mapping/sip/header_values.h"
#include "mapping/sip/user_agent.h"
#include "tests/fuzz/octets.h"
#include "tests/fuzz/one_side.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

namespace {

using namespace stox::sip;
using std::chrono::seconds;
using stox::fuzz::address;
using stox::fuzz::AllSent;
using stox::fuzz::Octets;
using stox::presence::Authorization;
using stox::presence::ContactAct;
using stox::presence::ContactRelation;

constexpr std::size_t kMaxSteps = 600;

class Play {
public:
    Play(const std::uint8_t* data, std::size_t size)
        : in_(data, size),
          agent_(
              {}, [this](std::uint32_t bound) { return in_.below(bound); }, [this] { return "t" + std::to_string(++tags_); }) {}

    void run() {
        for (std::size_t step = 0; step < kMaxSteps && !in_.empty(); ++step) {
            one_step();
            check();
        }
        leave();
    }

private:
    void one_step() {
        switch (in_.below(12)) {
            case 0:
                return does([&](auto& acts) { relation_.subscribe(now_, acts); });
            case 1:
                if (in_.below(4) != 0) return;
                return does([&](auto& acts) { relation_.unsubscribe(now_, acts); });
            case 2:
                return does([&](auto& acts) { relation_.probe(now_, acts); });
            case 3:
                return does([&](auto& acts) { relation_.online(now_, acts); });
            case 4:
                return does([&](auto& acts) { relation_.offline(now_, acts); });
            case 5:
            case 6:
                return let_go();
            case 7:
                return respond();
            case 8:
            case 9:
                return notify();
            case 10:
                if (in_.below(4) == 0) return does([&](auto& acts) { relation_.withdraw(now_, acts); });
                if (in_.below(4) == 0) return does([&](auto& acts) { relation_.pretend(now_, acts); });
                return restart();
            default:
                return pass(in_.of(kPauses));
        }
    }

    // ---- The relation ----

    template <class Do>
    void does(Do work) {
        ContactRelation::Actions acts;
        work(acts);
        relation_.tick(now_, acts);
        const auto due = relation_.next_timeout();
        STOX_ASSERT(!due || *due > now_);
        for (const auto act : acts) perform(act);
    }

    void perform(ContactAct act) {
        switch (act) {
            case ContactAct::queue:
                STOX_ASSERT(usage_ == UsageKey::none);
                queued_ = true;
                return;
            case ContactAct::start_subscribe:
                return start("3600");
            case ContactAct::start_poll:
                STOX_ASSERT(granted_);
                return start("0");
            case ContactAct::end_subscribe:
                STOX_ASSERT(usage_ != UsageKey::none);
                return agent([&](auto& out) { agent_.unsubscribe(usage_, now_, out); });
            case ContactAct::tell_subscribed:
                granted_ = true;
                return;
            case ContactAct::tell_unsubscribed:
                STOX_ASSERT(!shown_ && (!kept_ || relation_.is_over()));
                granted_ = false;
                return;
            case ContactAct::tell_presence:
                STOX_ASSERT(granted_);
                shown_ = true;
                return;
            case ContactAct::tell_unavailable:
                shown_ = false;
                return;
            case ContactAct::answer_probe:
                STOX_ASSERT(granted_);
                return;
            case ContactAct::keep:
                kept_ = true;
                granted_ = relation_.authorization() == Authorization::granted;
                // Asked for anew: what was granted before is over, and was withdrawn.
                STOX_ASSERT(granted_ || !shown_);
                return;
            case ContactAct::erase:
                STOX_ASSERT(!shown_);
                kept_ = false;
                return;
        }
    }

    void let_go() {
        if (!std::exchange(queued_, false)) return;
        does([&](auto& acts) { relation_.turn(now_, acts); });
    }

    /// A kill: what was kept comes back, and its user is there.
    void restart() {
        if (in_.below(8) != 0 || !kept_ || usage_ != UsageKey::none) return;
        relation_ = ContactRelation(relation_.authorization(), relation_.assumed());
        queued_ = false;
        shown_ = false;
        does([&](auto& acts) { relation_.online(now_, acts); });
    }

    // ---- The dialog layer ----

    void start(const std::string& expires) {
        STOX_ASSERT(usage_ == UsageKey::none);
        Request request;
        request.method = "SUBSCRIBE";
        request.uri = address("peer.example").uri;
        request.to = address("peer.example");
        request.from = address("us.example", "o" + std::to_string(++tags_));
        request.call_id = "c" + std::to_string(tags_);
        request.cseq = 1;
        request.contacts = {address("us.example")};
        request.headers = {{"Event", "presence"}, {"Expires", expires}};
        agent([&](auto& out) { usage_ = agent_.subscribe(request, "peer", false, now_, out); });
        STOX_ASSERT(usage_ != UsageKey::none);
    }

    template <class Do>
    void agent(Do work) {
        std::vector<Action> out;
        work(out);
        for (const auto& action : out) std::visit([this](const auto& one) { this->on(one); }, action);
    }

    template <class T>
    void on(const T&) {
        STOX_ASSERT(false && "nothing else can come of subscriptions of ours");
    }
    void on(const SendRequest& action) {
        STOX_ASSERT(action.request.method == "SUBSCRIBE");
        sent_.add(action.key, action.request, now_);
    }
    void on(const Respond&) {}
    void on(const Failed& news) {
        STOX_ASSERT(news.usage == usage_);
        usage_ = UsageKey::none;
        const auto after = leading_number(news.response.header("Retry-After"));
        const auto said = after ? std::optional(seconds(*after)) : std::nullopt;
        const bool can_follow = in_.flag();
        does([&](auto& acts) { relation_.failed(news.response.status, said, can_follow, now_, below_, acts); });
    }
    void on(const Notified& news) {
        STOX_ASSERT(news.subscription == usage_);
        if (news.state.phase == SubscriptionPhase::terminated) usage_ = UsageKey::none;
        const auto* value = news.notify.header("Subscription-State");
        STOX_ASSERT(value);
        does([&](auto& acts) { relation_.notified(*value, news.state.reason, news.state.retry_after, now_, below_, acts); });
    }
    void on(const SubscriptionEnded& news) {
        STOX_ASSERT(news.subscription == usage_);
        usage_ = UsageKey::none;
        const bool silent = news.cause == SubscriptionEnded::Cause::unanswered;
        does([&](auto& acts) { relation_.ended(silent, now_, below_, acts); });
    }

    void respond() {
        const auto* sent = sent_.unanswered(in_);
        if (!sent) return;
        Response response;
        response.status = in_.of(kStatuses);
        response.to_tag = sent->request.to.tag.empty() ? in_.of(kTags) : sent->request.to.tag;
        response.headers = {{"Expires", in_.of(kNumbers)}, {"Min-Expires", in_.of(kNumbers)}, {"Retry-After", in_.of(kNumbers)}};
        std::vector<Header> credentials;
        if (response.status == 401 && in_.flag()) credentials = {{"Authorization", "x"}};
        const auto key = sent->key;
        agent([&](auto& out) { agent_.receive({key, response, credentials}, now_, out); });
    }

    void notify() {
        const auto* sent = sent_.any(in_);
        if (!sent) return;
        Request request;
        request.method = "NOTIFY";
        request.uri = address("us.example").uri;
        request.from = address("peer.example", in_.of(kTags));
        request.to = address("us.example", sent->request.from.tag);
        request.call_id = sent->request.call_id;
        request.cseq = cseq_ += in_.below(4);
        request.contacts = {address("peer.example")};
        request.headers = {{"Event", "presence"}, {"Subscription-State", in_.of(kStates)}};
        const auto transaction = ++transactions_;
        agent([&](auto& out) { agent_.receive({transaction, request, "peer", address("us.example"), false}, now_, out); });
    }

    // ---- Time ----

    void pass(seconds time) {
        const auto end = now_ + time;
        for (auto next = soonest(); next && *next <= end; next = soonest()) {
            now_ = std::max(now_, *next);
            agent([&](auto& out) { agent_.tick(now_, out); });
            does([](auto&) {});
            time_out();
        }
        now_ = end;
        does([](auto&) {});
        time_out();
    }

    std::optional<TimePoint> soonest() const {
        auto next = agent_.next_timeout();
        if (const auto due = relation_.next_timeout(); due && (!next || *due < *next)) next = due;
        return next;
    }

    void time_out() {
        sent_.time_out(now_, [&](const auto& silence) { agent([&](auto& out) { agent_.receive(silence, now_, out); }); });
    }

    // ---- What holds ----

    void check() {
        STOX_ASSERT(agent_.usages() <= 1 && agent_.dialogs() <= 1);
        STOX_ASSERT(relation_.has_usage() == (usage_ != UsageKey::none));
        if (relation_.waits_for_turn()) STOX_ASSERT(queued_);
        if (granted_ && kept_) STOX_ASSERT(relation_.authorization() == Authorization::granted);
    }

    void leave() {
        does([&](auto& acts) { relation_.unsubscribe(now_, acts); });
        for (int i = 0; i < 4; ++i) pass(seconds(120));
        STOX_ASSERT(relation_.is_over() && !kept_ && !shown_ && usage_ == UsageKey::none);
        pass(seconds(90'000));
        STOX_ASSERT(agent_.usages() == 0 && agent_.dialogs() == 0 && agent_.requests() == 0);
        STOX_ASSERT(!agent_.next_timeout() && !relation_.next_timeout());
    }

    static constexpr std::array kStatuses{200, 200, 200, 202, 204, 302, 401, 403, 404, 407, 408,
                                          410, 423, 480, 481, 489, 500, 503, 600, 603, 604};
    static constexpr std::array kStates{"active;expires=600",
                                        "active",
                                        "active;expires=0",
                                        "pending",
                                        "pending;expires=60",
                                        "waiting",
                                        "terminated",
                                        "terminated;reason=rejected",
                                        "terminated;reason=noresource",
                                        "terminated;reason=deactivated",
                                        "terminated;reason=probation",
                                        "terminated;reason=probation;retry-after=10",
                                        "terminated;reason=giveup;retry-after=4294967295",
                                        "terminated;reason=timeout",
                                        "terminated;reason=invariant",
                                        ";"};
    static constexpr std::array kTags{"x", "x", "x", "y"};
    static constexpr std::array kNumbers{"0", "1", "60", "3600", "4294967295", "x"};
    static constexpr std::array<seconds, 6> kPauses{seconds(0),  seconds(1),    seconds(20),
                                                    seconds(61), seconds(1800), seconds(7200)};

    Octets in_;
    UserAgent agent_;
    ContactRelation relation_;
    ContactRelation::Below below_ = [this](unsigned bound) { return in_.below(bound); };
    TimePoint now_{std::chrono::hours(1)};
    AllSent sent_;
    UsageKey usage_ = UsageKey::none;
    bool queued_ = false, granted_ = false, shown_ = false, kept_ = false;
    std::uint32_t cseq_ = 1;
    TransactionId transactions_ = 0;
    unsigned tags_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Play(data, size).run();
    return 0;
}
