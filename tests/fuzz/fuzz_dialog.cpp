// The dialog layer in any order of events: responses and requests of a hostile peer, wishes of an application, time. Octets say
// what happens next. Whatever they say, each request of the peer gets one final answer, CANCEL and ACK go only where they may,
// CSeq rises, a timer that has run is not due any more, state is bounded, and when both sides have left nothing remains.

#include "mapping/core/assert.h"
#include "mapping/sip/mandatory_header.h"
#include "mapping/sip/user_agent.h"
#include "tests/fuzz/octets.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <set>

namespace {

using namespace stox::sip;
using stox::fuzz::Octets;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr DialogTable::Limits kLimits{.per_peer = 6, .in_all = 10};
constexpr std::size_t kMaxSteps = 400;

/// The input, read from its front; zeros when it is at its end.
NameAddr address(const std::string& host, const std::string& tag = {}) {
    NameAddr made;
    made.uri.user = "u";
    made.uri.host = host;
    made.tag = tag;
    return made;
}

Description sdp(bool wanted) { return wanted ? Description{DescriptionRole::none, "application/sdp", "v=0"} : Description{}; }

class Play {
public:
    Play(const std::uint8_t* data, std::size_t size)
        : in_(data, size),
          agent_(
              {.calls = {}, .limits = kLimits}, [this](std::uint32_t bound) { return in_.below(bound); },
              [this] { return "t" + std::to_string(++tags_); }) {}

    void run() {
        for (std::size_t step = 0; step < kMaxSteps && !in_.empty(); ++step) {
            one_step();
            check_bounds();
        }
        leave();
    }

private:
    struct Sent {  ///< a request of ours
        RequestKey key;
        Request request;
        int status = 0;  ///< last one it got
        std::set<std::string> accepted{};
        bool cancelled = false;
    };
    struct Received {  ///< a request of the peer
        TransactionId transaction;
        std::string method;
        int final = 0;
        Response last{};
    };
    struct Known {  ///< a dialog, as the peer knows it
        std::string call_id, ours, theirs;
        std::uint32_t cseq;    ///< of the peer's last request
        std::uint32_t invite;  ///< of the first one, whoever sent it
        std::uint32_t rseq = 0;
    };

    // ---- What happens ----

    void one_step() {
        switch (in_.below(10)) {
            case 0:
                return call_or_subscribe();
            case 1:
            case 2:
                return respond_to_us();
            case 3:
                return request(true);
            case 4:
            case 5:
                return request(false);
            case 6:
                return cancel_or_ack();
            case 7:
            case 8:
                return wish();
            default:
                return pass(in_.of(kPauses));
        }
    }

    template <class Do>
    void does(Do work) {
        std::vector<Action> out;
        work(out);
        for (auto& action : out) std::visit([this](const auto& one) { this->on(one); }, action);
    }

    void call_or_subscribe() {
        static constexpr std::array kFirst{"INVITE", "SUBSCRIBE", "REFER"};
        Request first;
        first.method = in_.of(kFirst);
        first.uri = address("peer.example").uri;
        if (in_.below(8) == 0) first.uri.scheme = Scheme::sips;
        first.to = address("peer.example");
        first.from = address("us.example", "o" + std::to_string(++tags_));
        first.call_id = "c" + std::to_string(tags_);
        first.cseq = 1 + in_.next();
        first.contacts = {address("us.example")};
        if (first.method == "SUBSCRIBE") first.headers = {{"Event", in_.of(kEvents)}, {"Expires", in_.of(kNumbers)}};
        if (first.method == "REFER") first.headers = {{"Refer-To", "<sip:c@else.example>"}};
        if (first.method == "INVITE") describe(first);
        const bool several = in_.flag();
        does([&](auto& out) {
            const auto key = first.method == "INVITE" ? agent_.invite(first, "peer", now_, out)
                                                      : agent_.subscribe(first, "peer", several, now_, out);
            if (key != UsageKey::none) usages_.push_back(key);
        });
    }

    template <class Message>
    void describe(Message& message) {
        if (!in_.flag()) return;
        message.content_type = "application/sdp";
        message.body = "v=0";
    }

    void add_headers(std::vector<Header>& headers) {
        for (unsigned more = in_.next(), i = 0; i < 8; ++i) {
            if ((more >> i & 1) == 0) continue;
            static const std::array<const char*, 8> names{"Session-Expires", "Min-SE",    "Retry-After", "Expires",
                                                          "Require",         "Supported", "Allow",       "RSeq"};
            headers.push_back({names[i], in_.of(kValues)});
        }
    }

    void respond_to_us() {
        auto* sent = in_.of(sent_);
        if (!sent) return;
        const bool invite = sent->request.method == "INVITE";
        Response response;
        response.status = in_.of(kStatuses);
        const bool success = response.status >= 200 && response.status < 300;
        // What transactions let through: after a final only 2xx of an INVITE that had one; no provisionals but to INVITE.
        if (sent->status >= 200 && !(invite && success && sent->status < 300)) return;
        if (response.status < 200 && !invite) return;
        response.to_tag = sent->request.to.tag.empty() ? in_.of(kTags) : sent->request.to.tag;
        if (response.status <= 100) response.to_tag.clear();
        if (in_.below(4) != 0) response.contacts = {address(in_.of(kHosts))};
        add_headers(response.headers);
        describe(response);
        std::vector<Header> credentials;
        if ((response.status == 401 || response.status == 407) && in_.flag()) credentials = {{"Authorization", "x"}};
        sent->status = response.status;
        if (invite && success) sent->accepted.insert(response.to_tag);
        if (!response.to_tag.empty())
            know({sent->request.call_id, sent->request.from.tag, response.to_tag, 0, sent->request.cseq});
        const auto key = sent->key;
        does([&](auto& out) { agent_.receive({key, response, credentials}, now_, out); });
    }

    void request(bool first) {
        Request request;
        request.method = in_.of(kMethods);
        request.uri = address("us.example").uri;
        auto* known = in_.of(known_);
        if (!first && !known) return;
        request.from = address("peer.example", first ? in_.of(kTags) : known->theirs);
        request.to = address("us.example", first ? "" : known->ours);
        request.call_id = first ? "p" + std::to_string(in_.below(3)) : known->call_id;
        request.cseq = first ? 1 : known->cseq + in_.below(4);
        if (!first) known->cseq = std::max(known->cseq, request.cseq);
        if (in_.below(6) != 0) request.contacts = {address(in_.of(kHosts))};
        if (in_.below(4) == 0) request.record_routes = {address("proxy.example")};
        add_headers(request.headers);
        if (in_.flag()) request.headers.push_back({"Event", in_.of(kEvents)});
        if (in_.flag()) request.headers.push_back({"Subscription-State", in_.of(kStates)});
        if (in_.flag()) request.headers.push_back({"Refer-To", "<sip:c@else.example>"});
        if (known && in_.flag())
            request.headers.push_back(
                {"RAck", std::to_string(known->rseq + in_.below(2)) + ' ' + std::to_string(known->invite) + " INVITE"});
        if (known && in_.below(4) == 0)
            request.headers.push_back({"Replaces", known->call_id + ";to-tag=" + known->ours + ";from-tag=" + known->theirs});
        describe(request);
        deliver(request);
    }

    void deliver(const Request& request) {
        const auto transaction = ++transactions_;
        received_.push_back({transaction, request.method});
        last_request_ = request;
        does([&](auto& out) { agent_.receive({transaction, request, "peer", address("us.example"), in_.flag()}, now_, out); });
    }

    void cancel_or_ack() {
        if (in_.flag()) {
            auto* received = in_.of(received_);
            if (!received || received->method != "INVITE" || received->final) return;
            const auto invite = received->transaction;
            return does([&](auto& out) { agent_.cancelled(invite, now_, out); });
        }
        auto* known = in_.of(known_);
        if (!known) return;
        Request ack;
        ack.method = "ACK";
        ack.from = address("peer.example", known->theirs);
        ack.to = address("us.example", known->ours);
        ack.call_id = known->call_id;
        ack.cseq = in_.flag() ? known->invite : known->cseq;
        describe(ack);
        does([&](auto& out) { agent_.receive({0, ack, "peer", address("us.example"), false}, now_, out); });
    }

    void wish() {
        const auto* picked = in_.of(usages_);
        if (!picked) return;
        const auto key = *picked;
        const unsigned what = in_.below(13);
        const auto body = sdp(in_.flag());
        const int status = in_.of(kStatuses);
        Notification news{{in_.of(kPhases), {}, "", {}}, "text/plain", "x"};
        does([&](auto& out) {
            switch (what) {
                case 0:
                    return agent_.progress(key, {status, {}, body}, in_.flag(), now_, out);
                case 1:
                    return agent_.answer(key, {status, {}, body}, now_, out);
                case 2:
                    return agent_.answer(key, {200, {}, body}, now_, out);
                case 3:
                    return agent_.answer_modify(key, transactions_ - std::min<TransactionId>(in_.below(4), transactions_),
                                                {in_.flag() ? 200 : status, {}, body}, now_, out);
                case 4:
                    return agent_.answer_provisional(key, in_.of(kTags), body, now_, out);
                case 5:
                    return agent_.acknowledge(key, body, now_, out);
                case 6:
                    return agent_.modify(key, {in_.flag() ? "INVITE" : "UPDATE", {}, body}, now_, out, in_.of(kTags));
                case 7:
                    return void(agent_.send(key, in_.flag() ? "INFO" : "MESSAGE", {}, "", "", now_, out));
                case 8:
                    return agent_.hang_up(key, {}, now_, out);
                case 9:
                    return agent_.unsubscribe(key, now_, out);
                case 10:
                    return agent_.grant(key, news, now_, out);
                case 11:
                    return agent_.publish(key, news, now_, out);
                default: {
                    if (in_.flag()) return agent_.deny(key, {status}, now_, out);
                    Request inside;
                    inside.method = in_.flag() ? "SUBSCRIBE" : "REFER";
                    inside.headers = {{"Event", in_.of(kEvents)}, {"Refer-To", "<sip:c@else.example>"}};
                    const auto made = agent_.subscribe_inside(key, inside, now_, out);
                    if (made != UsageKey::none) usages_.push_back(made);
                }
            }
        });
    }

    void pass(milliseconds time) {
        const auto end = now_ + time;
        for (auto next = agent_.next_timeout(); next && *next <= end; next = agent_.next_timeout()) {
            now_ = std::max(now_, *next);
            does([&](auto& out) { agent_.tick(now_, out); });
            const auto after = agent_.next_timeout();
            STOX_ASSERT(!after || *after > now_);
            time_out();
        }
        now_ = end;
        time_out();
    }

    /// A transaction below answers for who stays silent; that is the end of it.   (timers B and F)
    void time_out() {
        for (std::size_t i = 0; i < sent_.size(); ++i) {
            const auto& sent = sent_[i];
            const bool ringing = sent.request.method == "INVITE" && sent.status >= 100;
            if (sent.status >= 200 || ringing || started_[i] + seconds(32) > now_) continue;
            fail(i, 408);
        }
    }

    void fail(std::size_t i, int status) {
        sent_[i].status = status;
        Response response;
        response.status = status;
        response.to_tag = sent_[i].request.to.tag;
        const auto key = sent_[i].key;
        does([&](auto& out) { agent_.receive({key, response}, now_, out); });
    }

    // ---- What the layer does ----

    template <class T>
    void on(const T&) {}

    void on(const SendRequest& action) {
        const auto& request = action.request;
        STOX_ASSERT(action.key > last_key_);
        last_key_ = action.key;
        auto& cseq = cseqs_[request.call_id + ' ' + request.from.tag + ' ' + request.to.tag];
        STOX_ASSERT(request.cseq > cseq && request.method != "ACK" && request.method != "CANCEL");
        cseq = request.cseq;
        STOX_ASSERT(!request.uri.host.empty() && !request.call_id.empty() && !request.from.tag.empty());
        sent_.push_back({action.key, request});
        started_.push_back(now_);
        if (!request.to.tag.empty()) know({request.call_id, request.from.tag, request.to.tag, 0, request.cseq});
        // Only subscriptions and calls can be known by an answer; a NOTIFY may make the dialog first.
        if (request.method == "SUBSCRIBE" || request.method == "REFER")
            know({request.call_id, request.from.tag, in_.of(kTags), 0, request.cseq});
    }

    Sent& invite(RequestKey key) {
        const auto found = std::ranges::find(sent_, key, &Sent::key);
        STOX_ASSERT(found != sent_.end() && found->request.method == "INVITE");
        return *found;
    }

    void on(const SendCancel& action) {
        auto& sent = invite(action.invite);
        STOX_ASSERT(sent.status >= 100 && sent.status < 200 && !sent.cancelled);
        sent.cancelled = true;
    }

    void on(const SendAck& action) {
        const auto& sent = invite(action.invite);
        STOX_ASSERT(sent.accepted.contains(action.request.to.tag) && action.request.cseq == sent.request.cseq);
    }

    void on(const Respond& action) {
        const auto found = std::ranges::find(received_, action.transaction, &Received::transaction);
        STOX_ASSERT(found != received_.end() && found->method != "ACK");
        const int status = action.response.status;
        STOX_ASSERT(status > 100 && status < 700);
        const auto header = mandatory_header(status);
        STOX_ASSERT(header.empty() || action.response.header(header));  // CORE-58
        if (found->final) {
            const bool repeated = found->method == "INVITE" && found->final < 300 && found->last == action.response;
            STOX_ASSERT(repeated);
            return;
        }
        if (status >= 200) found->final = status;
        found->last = action.response;
        note(action.response, found->transaction);
    }

    /// The peer learns of the dialog, and of what it has to acknowledge.
    void note(const Response& response, TransactionId transaction) {
        if (response.to_tag.empty()) return;
        if (transaction == transactions_)
            know({last_request_.call_id, response.to_tag, last_request_.from.tag, last_request_.cseq, last_request_.cseq});
        const auto* rseq = response.header("RSeq");
        for (auto& known : known_)
            if (rseq && known.ours == response.to_tag) known.rseq = static_cast<std::uint32_t>(std::stoul(*rseq));
    }

    void on(const Invited& action) {
        usages_.push_back(action.call);
        // Its tag is told by our first response; the provisional brings it.
        does([&](auto& out) { agent_.progress(action.call, {180}, in_.flag(), now_, out); });
    }
    void on(const SubscriptionWanted& action) { usages_.push_back(action.subscription); }
    void on(const ReferWanted& action) { usages_.push_back(action.subscription); }
    void on(const Forked& action) { usages_.push_back(action.fork); }
    /// The application answers such requests itself.
    void on(const Requested& action) {
        const auto found = std::ranges::find(received_, action.transaction, &Received::transaction);
        STOX_ASSERT(found != received_.end() && !found->final);
        found->final = 200;
    }
    // Of each call and subscription the end is told once, and nothing after it.
    void told(UsageKey key) { STOX_ASSERT(!ended_.contains(key)); }
    void end(UsageKey key) { STOX_ASSERT(ended_.insert(key).second); }
    void on(const Progressed& action) { told(action.call); }
    void on(const Answered& action) { told(action.call); }
    void on(const Established& action) { told(action.call); }
    void on(const Modified& action) { told(action.call); }
    void on(const Failed& action) { end(action.usage); }
    void on(const Ended& action) { end(action.call); }
    void on(const SubscriptionEnded& action) { end(action.subscription); }
    void on(const Notified& action) {
        told(action.subscription);
        if (action.state.phase == SubscriptionPhase::terminated) end(action.subscription);
    }

    void know(Known known) {
        const auto same = [&](const Known& old) {
            return old.call_id == known.call_id && old.ours == known.ours && old.theirs == known.theirs;
        };
        if (std::ranges::none_of(known_, same)) known_.push_back(std::move(known));
    }

    // ---- What must hold ----

    void check_bounds() {
        STOX_ASSERT(agent_.usages() <= 2 * kLimits.in_all);
        STOX_ASSERT(agent_.dialogs() <= 2 * kLimits.in_all * 16 /* forks */);
        STOX_ASSERT(agent_.remembered() <= 32 * agent_.usages());
        STOX_ASSERT(agent_.requests() <= agent_.remembered());
    }

    /// Both sides go: after that nothing may be left.
    void leave() {
        const auto usages = usages_;
        for (const auto key : usages) {
            does([&](auto& out) { agent_.hang_up(key, {}, now_, out); });
            does([&](auto& out) { agent_.unsubscribe(key, now_, out); });
            does([&](auto& out) { agent_.deny(key, {403}, now_, out); });
            does([&](auto& out) { agent_.publish(key, {{SubscriptionPhase::terminated, {}, "", {}}, "", ""}, now_, out); });
        }
        for (int round = 0; round < 20; ++round) {
            for (std::size_t i = 0; i < sent_.size(); ++i)
                if (sent_[i].status < 200) fail(i, sent_[i].request.method == "INVITE" ? 487 : 481);
            pass(std::chrono::minutes(10));
        }
        pass(std::chrono::hours(48));
        STOX_ASSERT(!agent_.next_timeout());
        STOX_ASSERT(agent_.usages() == 0 && agent_.dialogs() == 0 && agent_.remembered() == 0);
        for (const auto& received : received_) STOX_ASSERT(received.final || received.method == "ACK");
        for (const auto& sent : sent_)
            for (const auto& tag : sent.accepted) STOX_ASSERT(sent.request.method == "INVITE" && !tag.empty());
    }

    static constexpr std::array kStatuses{100, 180, 183, 183, 200, 200, 200, 202, 204, 302, 401, 404, 407, 408,
                                          422, 423, 480, 481, 486, 487, 489, 491, 500, 501, 503, 504, 603, 604};
    static constexpr std::array kMethods{"INVITE", "INVITE", "BYE",    "UPDATE", "PRACK",     "PRACK",
                                         "INFO",   "NOTIFY", "NOTIFY", "REFER",  "SUBSCRIBE", "MESSAGE"};
    static constexpr std::array kTags{"x", "y", "z", "w"};
    static constexpr std::array kHosts{"peer.example", "moved.example", "other.example"};
    static constexpr std::array kEvents{"presence", "refer", "conference", "presence;id=1", ";"};
    static constexpr std::array kNumbers{"0", "1", "60", "600", "3600", "4294967295"};
    static constexpr std::array kValues{
        "0",   "1",          "2",      "3", "100rel", "90", "timer", "1800;refresher=uac", "90;refresher=uas",
        "600", "4294967295", "UPDATE", "x"};
    static constexpr std::array kStates{"active;expires=600", "pending", "terminated;reason=timeout", "active;expires=0", ";"};
    static constexpr std::array kPhases{SubscriptionPhase::active, SubscriptionPhase::pending, SubscriptionPhase::terminated};
    static constexpr std::array<milliseconds, 7> kPauses{milliseconds(1),        milliseconds(500),    milliseconds(4000),
                                                         milliseconds(20'000),   milliseconds(33'000), milliseconds(200'000),
                                                         milliseconds(1'000'000)};

    Octets in_;
    UserAgent agent_;
    TimePoint now_{std::chrono::hours(1)};
    std::vector<UsageKey> usages_;
    std::vector<Sent> sent_;
    std::vector<TimePoint> started_;
    std::vector<Received> received_;
    std::vector<Known> known_;
    std::map<std::string, std::uint32_t> cseqs_;
    std::set<UsageKey> ended_;
    Request last_request_;
    RequestKey last_key_{};
    TransactionId transactions_ = 0;
    unsigned tags_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Play(data, size).run();
    return 0;
}
