#pragma once
// Where each peer's next hops are, and which of their targets answer.
//
// A hop that is a number is its own target. One with a name is located (RFC 3263), again when the answer, or the lack of one, is
// older than a round of probes and kFresher: the names' own lifetimes are kept by whoever resolves them, so asking again costs
// nothing while they last. Probing asks each target with OPTIONS every `probe_interval_s`. Two misses in a row and it is down:
// nothing else is sent there, until a probe is answered. However seldom a peer is probed, what is down or not located is asked
// every kRetry, for it is nobody's way.

#include "plugin/engine/turn.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace stox::engine {

class NextHops {
public:
    static constexpr unsigned kMisses = 2;
    static constexpr std::chrono::seconds kRetry{15};     ///< at most, of what failed
    static constexpr std::chrono::seconds kFresher{5};    ///< beyond that: what is probed so often is always located
    static constexpr std::chrono::seconds kLocateIn{30};  ///< then it failed, should nobody have answered
    static constexpr std::chrono::hours kLongestRetryAfter{1};
    static constexpr std::chrono::milliseconds kSpread{10};  ///< between the first probes of two peers

    /// The peers of these options; what is known of hops that stay is kept.
    void configure(const config::DomainOptions& options);

    struct Way {
        enum class State {
            ready,     ///< `targets`: those not down, in the order of trying, nor busy where one is not
            locating,  ///< ask again after the next Located
            down,      ///< every target is down
            nowhere,   ///< `why`: no hop can be located
        } state = State::nowhere;
        std::vector<Target> targets;
        std::string why;
    };
    /// For one request to that peer.
    Way way(const std::string& peer, const Turn& turn);
    bool is_down(const std::string& peer, const Target& target) const;
    /// Whether one of that peer's hops leads there.
    bool leads_to(const std::string& peer, Transport transport, const Endpoint& endpoint) const;
    /// Whether one of them that is reached without TLS is at that address, whatever its port.
    bool is_at_in_clear(const std::string& peer, const Address& address) const;
    /// What is known of the way to that peer without asking; none: it has to be located.
    std::optional<Target> likely(const std::string& peer) const;
    /// That target has answered 503: what its Retry-After asks for is kept, an hour at most.   (RFC 3261 §21.5.4)
    void refused(const std::string& peer, const Target& target, const sip::Response& response, TimePoint now);
    /// Whether its time is not over. It is passed by while there is another.
    bool is_busy(const std::string& peer, const Target& target, TimePoint now) const;

    void located(const Located& in, const Turn& turn);
    /// False: not a probe's.
    bool on_response(const SipResponseIn& in, const Turn& turn);
    void tick(const Turn& turn);
    std::optional<TimePoint> next_timeout() const;

    using Reach = Engine::Reach;
    Reach reach(const std::string& peer) const;
    std::vector<std::pair<std::string, Reach>> targets(const std::string& peer) const;

private:
    struct Hop {
        config::NextHop hop;
        std::vector<Target> targets;
        std::optional<TimePoint> located_at;
        std::optional<Location> asked;
        TimePoint asked_at{};
        std::string error;  ///< of the last answer
    };
    struct Health {
        Reach reach = Reach::unknown;
        unsigned misses = 0;
    };
    struct Peer {
        bool probed = false;
        std::chrono::seconds interval{15}, answer_in{4};  ///< of probes
        std::vector<Hop> hops;
        std::map<Target, Health> health;
        std::map<Target, TimePoint> busy_until;
        std::optional<TimePoint> probe_at;  ///< none: before the first tick
        TimePoint retry_at{};               ///< of what failed

        std::chrono::seconds retry() const { return std::min(interval, kRetry); }
    };
    struct Probe {
        std::string peer;
        Target target;
        TimePoint silent_at;
        bool missed = false;
    };

    bool any_target(const std::string& peer, const std::function<bool(const Target&)>& is) const;
    static bool is_fresh(const Peer& peer, const Hop& hop, TimePoint now);
    void ask(Hop& hop, const Turn& turn);
    void drop_gone(Peer& peer);
    static bool is_down(const Peer& peer, const Target& target);
    static bool has_failed(const Peer& peer, const Hop& hop);
    enum class Which { all, failed };
    void probe(const std::string& name, Peer& peer, Which which, const Turn& turn);
    void probe(const std::string& name, const Hop& hop, const Target& target, const Turn& turn);
    void answered(const std::string& name, const Target& target, const Turn& turn);
    void missed(const std::string& name, const Target& target, const std::string& reason, const Turn& turn);
    void give_up_locating(const Turn& turn);

    std::string domain_;
    std::map<std::string, Peer> peers_;
    std::map<ClientTransaction, Probe> probes_;
    mutable std::optional<std::optional<TimePoint>> due_;  ///< next_timeout(), until something changes
};

}  // namespace stox::engine
