#pragma once
// A user agent on all that the gateway's calls will stand on: edge, guard, nta and its values (sip/endpoint), the dialog layer
// above, and for an application dice that do what phones do. Whoever attacks it attacks the product.
//
// Some users of it have habits: `ring` rings and says no more, `prack` rings reliably before it answers, `hold` answers and
// keeps the call, all others do by chance what a phone may do.

#include "mapping/sip/digest/client.h"
#include "mapping/sip/user_agent.h"
#include "sip/endpoint.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace stox::test {

class Softphone {
public:
    struct Settings {
        sip::Endpoint::Settings endpoint{};
        std::vector<Prefix> trusted{};  ///< without rate, ban and number of connections of their own
        std::uint64_t seed = 1;
        bool is_told_nothing = false;  ///< all places are those of messages: of this machine as of any other it dials none
    };

    /// errors  unavailable: an address cannot be bound
    static Result<std::unique_ptr<Softphone>> start(boost::asio::io_context& loop, Settings settings);

    std::vector<sip::ListenAddress> listening() const { return endpoint_->listening(); }

    /// Each returns whether it was begun.
    bool call(const sip::Uri& target, std::optional<std::chrono::milliseconds> give_up_after);
    bool subscribe(const sip::Uri& target);
    bool refer(const sip::Uri& target);
    /// MESSAGE, OPTIONS and whatever is sent outside any dialog.
    bool ask(const std::string& method, const sip::Uri& target);
    /// A re-INVITE in every call.
    void modify_all();
    void hang_up_all();
    /// One line of JSON: what it holds, and what has passed since the start.
    std::string counters() const;

private:
    using TimePoint = sip::TimePoint;
    using Actions = sip::UserAgent::Actions;
    enum class Habit { any, ring, prack, hold };

    /// How the peer of a Call-ID is reached again, and what it challenged us with.
    struct Way {
        sip::NextHop hop;  ///< endpoint and flow that its last request came by; port 0: none came
        sip::digest::Session challenges{};
        sip::digest::Attempt attempt{};
        TimePoint used{};
    };
    /// A request of ours until nothing more can come for it.
    struct Client {
        sip::ClientTransaction transaction;
        sip::Request request;
    };
    struct Acceptable {  ///< an INVITE that we answered with 2xx: whose dialog its ACK belongs to
        sip::NameAddr from, to;
        std::string call_id;
    };
    struct Call {
        Habit habit = Habit::any;
        std::string tag{};        ///< of the peer, while it is early
        bool unanswered = false;  ///< theirs, and we have not answered
    };

    Softphone(boost::asio::io_context& loop, std::uint64_t seed);

    // From the endpoint
    void receive(sip::IncomingRequest&& in);
    std::optional<sip::Response> refusal(const sip::Request& request) const;
    void acknowledged(sip::TransactionId transaction, sip::Request&& ack);
    void receive(sip::RequestKey key, sip::Response response);

    // To it
    void run(const std::function<void(Actions&)>& input);
    void perform(const sip::Action& action);
    void on(const sip::SendRequest& action);
    void on(const sip::SendAck& action);
    void on(const sip::SendCancel& action);
    void on(const sip::Respond& action);
    sip::NextHop next_hop(const sip::Request& request);
    std::vector<sip::Header> credentials(const Client& client, const sip::Response& response);
    void respond(sip::TransactionId transaction, int status);

    // What a phone does
    template <class Event>
    void on(const Event&) {}
    void on(const sip::Invited& event);
    void on(const sip::Progressed& event);
    void on(const sip::Answered& event);
    void on(const sip::Established& event);
    void on(const sip::ModifyRequested& event);
    void on(const sip::Modified& event);
    void on(const sip::Requested& event);
    void on(const sip::Ended& event);
    void on(const sip::Failed& event);
    void on(const sip::SubscriptionWanted& event);
    void on(const sip::ReferWanted& event);
    void on(const sip::Notified& event);
    void ring(const sip::Invited& event);
    void answer(sip::UsageKey key, sip::UsageKey replaced);
    void hang_up(sip::UsageKey key, Actions& out);
    void live(sip::UsageKey key);
    void serve(sip::UsageKey key);
    void follow(const sip::ReferWanted& event);

    sip::Request first(const std::string& method, const sip::Uri& target);
    sip::NameAddr contact(Transport transport) const;
    sip::Description description(sip::UsageKey key);
    std::uint32_t below(std::uint32_t bound) { return bound ? static_cast<std::uint32_t>(dice_() % bound) : 0; }
    bool likely(unsigned percent) { return below(100) < percent; }
    std::string token(const char* prefix);
    void later(unsigned most_ms, std::function<void(Actions&)> input);
    void wake();
    void forget_ways(TimePoint now);

    boost::asio::steady_timer timer_;
    sip::TimePoint wakes_at_ = sip::TimePoint::max();  ///< timer_ does; max: not
    std::mt19937_64 dice_;
    std::unique_ptr<sip::Endpoint> endpoint_;
    std::map<Transport, sip::NameAddr> contacts_;  ///< ours
    sip::UserAgent agent_;
    std::map<sip::RequestKey, Client> clients_;
    std::map<sip::TransactionId, Acceptable> acceptable_;
    std::set<sip::TransactionId> unanswered_;  ///< requests that we owe a final response
    std::unordered_map<std::string, Way> ways_;
    std::map<sip::UsageKey, Call> calls_;
    std::multimap<TimePoint, std::function<void(Actions&)>> plans_;
    std::deque<sip::Action> queue_;
    bool running_ = false;
    bool is_told_nothing_ = false;
    TimePoint forget_at_{};
    struct {
        std::uint64_t requests_in = 0, requests_out = 0, responses_in = 0;
        std::uint64_t calls = 0, answered = 0, established = 0, failed = 0, ended = 0, notified = 0;
    } tally_;
};

}  // namespace stox::test
