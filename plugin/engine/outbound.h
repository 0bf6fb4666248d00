#pragma once
// Requests of ours outside any dialog: located, sent, moved to the next target where that is safe, until each has one outcome.
// An INVITE has more than one answer: each 2xx, of whatever target, is its dialog layer's to acknowledge and to end.

#include "plugin/engine/accounts.h"
#include "plugin/engine/next_hops.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace stox::engine {

/// A request of ours whatever number of transactions it takes; the number is the engine's and unique in it.
enum class RequestId : std::uint64_t {};

struct Outcome {
    RequestId request;
    enum class Kind {
        answered,   ///< `response` is the peer's last word
        timeout,    ///< it left, and nobody answered
        transport,  ///< the transport failed with the request on its way
        unsent,     ///< nothing of it ever left
        down,       ///< every target is down
        nowhere,    ///< no target could be located
        too_large,  ///< for the transports there are
    } kind;
    sip::Response response{};
    std::string why{};       ///< for the operator and the author, where nobody answered
    std::uint32_t cseq = 0;  ///< the last one used
    bool others_may_answer = false;  ///< a failed INVITE: a target that was left behind may accept it yet
    bool further = false;            ///< one more 2xx of an INVITE whose outcome was told
};

/// Octets on the wire: the fields, the names and separators around them, and the Via that the endpoint adds.
std::size_t wire_size(const sip::Request& request);

class Outbound {
public:
    /// RFC 3428 §8: over a transport without congestion control a request may not be larger.   (IM-10)
    static constexpr std::size_t kMaxUdpRequest = 1'300;
    /// What a peer need not take over a stream: as much as we take ourselves.
    static constexpr std::size_t kMaxRequest = 65'536;
    /// 64*T1: how long attempts of an INVITE are listened to after its outcome; at most so many of them, the oldest are forgotten.
    static constexpr std::chrono::seconds kListens{32};
    static constexpr std::size_t kMostListened = 10'000;

    /// With which the challenges of each peer are answered.
    Accounts& accounts() { return accounts_; }

    /// A message to that peer, whose challenges are answered. The outcome, when there is one at once.
    std::optional<Outcome> start(RequestId id, sip::Request request, std::string peer, NextHops& hops, const Turn& turn);
    /// A request of the dialog layer, which answers challenges itself and counts no message. targets: where it goes, at least
    /// one; empty: to the peer's next hops.
    std::optional<Outcome> start_dialog(RequestId id, sip::Request request, std::string peer, std::vector<Target> targets,
                                        NextHops& hops, const Turn& turn);
    /// Of an INVITE several may come: its outcome, then each further 2xx, for kListens.   (RFC 3261 §13.2.2.4)
    std::optional<Outcome> on_response(const SipResponseIn& in, NextHops& hops, const Turn& turn);
    /// Something was located, or the options changed: what waited for that goes on.
    std::vector<Outcome> resume(NextHops& hops, const Turn& turn);
    /// Silent targets are left behind, and INVITEs that are over forgotten.
    void tick(NextHops& hops, const Turn& turn);
    std::optional<TimePoint> next_timeout() const;

    std::size_t in_progress(const std::string& peer) const;
    /// Whether anything of that request may have reached its peer.
    bool has_left(RequestId id) const;
    /// Nothing more is heard of that one, nor sent.
    void cancel(RequestId id);

private:
    struct Entry {
        sip::Request request;  ///< without credentials, if they are ours to give
        std::string peer;
        std::optional<Failover> failover;         ///< none: waits for a location
        std::vector<ClientTransaction> attempts;  ///< the last one is for failover->target()
        std::optional<TimePoint> silent_at;
        sip::digest::Attempt credentials;  ///< what it carried so far
        bool of_dialog = false;
    };
    using Entries = std::map<RequestId, Entry>;

    std::optional<Outcome> begin(Entries::iterator entry, NextHops& hops, const Turn& turn);
    void send(Entries::iterator entry, const Turn& turn);
    void send(Entries::iterator entry, std::vector<sip::Header> credentials, const Turn& turn);
    bool answer_challenge(Entries::iterator entry, const sip::Response& response, const Turn& turn);
    void set_silence(Entries::iterator entry, std::optional<TimePoint> at);
    Outcome end(Entries::iterator entry, Outcome outcome);
    bool listen(const Entry& entry, RequestId id, ClientTransaction now_over, bool success, TimePoint now);
    std::optional<Outcome> on_late_response(const SipResponseIn& in);
    void forget(ClientTransaction transaction);

    Entries entries_;
    std::map<ClientTransaction, RequestId> attempts_;
    std::set<RequestId> waiting_;
    std::set<std::pair<TimePoint, RequestId>> silences_;
    struct Listened {
        RequestId request;
        std::uint32_t cseq;
        TimePoint until;
    };
    std::map<ClientTransaction, Listened> listened_;  ///< of INVITEs whose outcome was told
    std::set<std::pair<TimePoint, ClientTransaction>> forget_;
    std::map<std::string, std::size_t> per_peer_;
    Accounts accounts_;
};

}  // namespace stox::engine
