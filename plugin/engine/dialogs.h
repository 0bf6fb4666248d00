#pragma once
// The domain's dialogs: sip::UserAgent joined to next hops, digest logins and the addresses that the worker is reached at.
//
// Whoever owns a call or a subscription asks for things here, by its UsageKey, and hears of it by take_news(): never from inside
// a call, always within the same input of the engine. Nothing here knows what a dialog is for.

#include "mapping/sip/user_agent.h"
#include "plugin/engine/outbound.h"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace stox::engine {

/// What a dialog's requests go by, while one input is handled.
struct Ways {
    NextHops& hops;
    Outbound& outbound;
    const config::DomainOptions& options;
    Turn turn;
};

class Dialogs {
public:
    /// X2S and S2X together; each holds 6 KiB at most.
    static constexpr std::size_t kPerPeer = 30'000, kInAll = 40'000;
    /// Of all, what SUBSCRIBEs of the SIP side may not take: it is there for what XMPP users ask for.
    static constexpr std::size_t kForUsers = kInAll / 10;
    /// Whether that is free, with what a SUBSCRIBE of the SIP side has made.
    static constexpr bool leaves_room(std::size_t dialogs, std::size_t usages) {
        return dialogs + kForUsers <= kInAll && usages + 2 * kForUsers <= 2 * kInAll;
    }
    /// Connections that dialogs keep from ending for idleness. Those of further ones end as any, and are opened again if that can be.
    static constexpr std::size_t kHeld = 1'000;

    /// Once, before anything else.
    /// ids     outlives this
    /// domain  stands in Contact while nobody has said where we are reached
    void begin(IdGenerator& ids, std::string domain);
    /// For what is asked from now on.
    void use(sip::CallSettings calls);
    /// How many usages each of these peers may have.   (CORE-71)
    void limit_peers(std::map<std::string, std::size_t> most) { agent_->limit_peers(std::move(most)); }
    /// In the order of preference; of dialogs that are made from now on.
    void set_addresses(std::vector<sip::OwnAddress> addresses) { addresses_ = std::move(addresses); }
    /// The user of every Contact of ours: one for all dialogs, as long as this lives, and nobody guesses it.
    const std::string& token() const { return token_; }

    // ---- By the owners of usages ----

    /// SUBSCRIBE to that peer, outside any dialog. request   with method, Request-URI, From, To, and headers with Event; the rest
    /// is made here.   none: the limits are reached
    sip::UsageKey subscribe(sip::Request request, const std::string& peer, const Ways& ways);
    void unsubscribe(sip::UsageKey subscription, const Ways& ways);
    void grant(sip::UsageKey subscription, sip::Notification first, const Ways& ways);
    void deny(sip::UsageKey subscription, const sip::Reply& reply, const Ways& ways);
    void accept(sip::UsageKey poll, const Ways& ways);
    void publish(sip::UsageKey subscription, sip::Notification notification, const Ways& ways);
    /// The dialog of an established usage; null: none.
    sip::DialogRef dialog(sip::UsageKey usage) const { return agent_->dialog(usage); }
    /// Whom it is with; null: it is over.
    const std::string* peer_of(sip::UsageKey usage) const { return agent_->peer_of(usage); }

    // ---- By the engine ----

    /// Whom the dialog of a request with a To tag is with, who alone may speak in it; null: there is none.
    const std::string* peer_of(const sip::Request& inside) const { return agent_->peer_of(inside); }
    /// A request that passed its checks, in a dialog or as the beginning of one.
    void receive(const SipRequestIn& in, const std::string& peer, const Ways& ways);
    /// What became of a request of ours. False: it is none of a dialog.
    bool over(const Outcome& outcome, const Ways& ways);
    /// False: nothing of a dialog waits for that.
    bool located(const Located& in, const Ways& ways);
    void tick(const Ways& ways);
    std::optional<TimePoint> next_timeout() const;

    /// What usages come to, oldest first: of sip::Action those to the application above. Handling them may make more.
    std::vector<sip::Action> take_news() { return std::exchange(news_, {}); }

    std::size_t dialogs() const { return agent_->dialogs(); }
    std::size_t usages() const { return agent_->usages(); }
    std::size_t usages_of(const std::string& peer) const { return agent_->usages_of(peer); }
    /// Requests of ours without a final response yet.
    std::size_t requests() const { return sent_.size(); }

private:
    /// Where the peer of a dialog was last heard from.
    struct Heard {
        Endpoint source;
        Transport transport = Transport::udp;
        Flow flow = Flow::none;
        Flow held = Flow::none;     ///< that one, or none
        sip::CertifiedNames tls{};  ///< of its other end
    };
    /// A request that was challenged, on its way to be sent again.
    struct Challenged {
        sip::Request request;
        std::vector<sip::Header> credentials;
        sip::digest::Attempt attempt;
    };
    struct Sent {
        sip::RequestKey key;
        std::string peer;
        sip::Request request;          ///< without credentials
        sip::digest::Attempt attempt;  ///< what it and those before it carried
        std::optional<Location> locating{};
        bool to_next_hop = true;   ///< or to the peer itself, and nowhere else: they alone may see what our password makes
        bool by_its_flow = false;  ///< a connection that the peer itself has opened, while it lives
        std::optional<Challenged> answering{};  ///< it goes again, with these credentials
    };
    struct Locating {
        RequestId request;
        TimePoint until;
    };

    template <class Work>
    void drive(const Ways& ways, Work work);
    void perform(std::vector<sip::Action> actions, const Ways& ways);
    void send(sip::SendRequest action, const Ways& ways);
    std::vector<sip::Header> credentials_for(Sent& sent, const sip::Request& request, const Ways& ways);
    void hear(const SipRequestIn& in, const std::string& own_tag, Actions& out);
    void hold(Heard& heard, Actions& out);
    void release(Heard& heard, Actions& out);
    bool is_challenged(const sip::Request& request) const;
    const Heard* heard_of(const sip::Request& ours) const;
    void forget_gone(Actions& out);
    void send_inside(RequestId id, sip::Request request, const Ways& ways);
    void dispatch(RequestId id, std::vector<Target> targets, const Ways& ways);
    static bool is_peer_itself(const std::string& peer, const Heard* heard, const Ways& ways);
    sip::Uri next_hop_of(const sip::Request& request) const;
    void respond(const Outcome& outcome, const Ways& ways);
    std::vector<sip::Header> answer_challenge(Sent& sent, const sip::Response& response, const Ways& ways);
    sip::NameAddr contact(Transport transport, const Address& towards, bool gruu) const;

    std::unique_ptr<sip::UserAgent> agent_;
    std::string token_, domain_;
    std::vector<sip::OwnAddress> addresses_;
    std::map<std::string, Heard> heard_;  ///< of dialogs that there are, by Call-ID and our tag
    std::vector<std::string> gone_;       ///< keys of heard_ that are to go
    std::map<Flow, std::size_t> held_;    ///< by how many dialogs
    std::map<RequestId, Sent> sent_;
    std::map<Location, Locating> locating_;
    std::set<std::pair<TimePoint, Location>> give_up_;
    std::optional<Challenged> challenged_;
    std::deque<Outcome> outcomes_;  ///< of requests that came to nothing at once
    std::vector<sip::Action> news_;
};

}  // namespace stox::engine
