#pragma once
// The dialog layer of one endpoint: all its calls and subscriptions, between transactions below and the application above.
//
// Pure: each input appends what is to be done to `out`; the caller does it in order before the next input, and gives tick()
// when next_timeout() is due.   (RFC 3261 §5: the user agent core)

#include "mapping/sip/dialog_table.h"
#include "mapping/sip/invite_client.h"
#include "mapping/sip/invite_server.h"
#include "mapping/sip/notifier.h"
#include "mapping/sip/subscriber.h"

#include <functional>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace stox::sip {

/// A request that the caller has checked as far as it stands alone (CORE-80).
struct InDialogLayer {
    TransactionId transaction = 0;  ///< 0 for an ACK of a 2xx
    Request request;
    std::string peer;  ///< whose dialogs are counted together
    NameAddr contact;  ///< our own address for it
    bool over_tls = false;
};

class UserAgent {
public:
    using Actions = std::vector<Action>;

    struct Settings {
        CallSettings calls{};
        DialogTable::Limits limits{};
        /// The last usage of that dialog ended. Called from inside an input; asks for nothing itself.
        std::function<void(const DialogId&)> on_dialog_over{};
    };

    /// below    a random number under its argument
    /// new_tag  a tag that nobody guesses (IdGenerator::wire_id)
    UserAgent(Settings settings, std::function<std::uint32_t(std::uint32_t)> below, std::function<std::string()> new_tag);

    /// For what begins or is asked from now on.
    void use(CallSettings calls) { settings_.calls = std::move(calls); }
    /// How many calls and subscriptions a peer may have, whoever begins them; of those that are not named the limits say enough.
    /// A quarter, one at least, is not for what the peer begins: one phone with many must not take all that we could ask.
    /// What there is already stays.
    void limit_peers(std::map<std::string, std::size_t> most) { most_of_peer_ = std::move(most); }

    // ---- From below ----

    /// Any request but CANCEL.
    void receive(const InDialogLayer& in, TimePoint now, Actions& out);
    /// A CANCEL that matches this INVITE's transaction; it has been answered.
    void cancelled(TransactionId invite, TimePoint now, Actions& out);
    void receive(const IncomingResponse& in, TimePoint now, Actions& out);
    void tick(TimePoint now, Actions& out);
    std::optional<TimePoint> next_timeout() const;

    // ---- Calls. What names no call of ours is ignored. ----

    /// none: the limits are reached.
    UsageKey invite(Request request, std::string peer, TimePoint now, Actions& out);
    void progress(UsageKey call, Reply reply, bool reliable, TimePoint now, Actions& out);
    /// The final answer to Invited.
    void answer(UsageKey call, Reply reply, TimePoint now, Actions& out);
    /// The final answer to ModifyRequested.
    void answer_modify(UsageKey call, TransactionId transaction, const Reply& reply, TimePoint now, Actions& out);
    /// The answer to an offer of Progressed with that To tag.
    void answer_provisional(UsageKey call, const std::string& remote_tag, const Description& answer, TimePoint now, Actions& out);
    /// The answer to an offer of Answered or Modified.
    void acknowledge(UsageKey call, const Description& answer, TimePoint now, Actions& out);
    /// On the established session; before that on the early one with that remote tag (UPDATE only).
    void modify(UsageKey call, Modify modify, TimePoint now, Actions& out, const std::string& remote_tag = {});
    RequestKey send(UsageKey call, std::string_view method, std::vector<Header> headers, std::string type, std::string body,
                    TimePoint now, Actions& out);
    void hang_up(UsageKey call, std::vector<Header> headers, TimePoint now, Actions& out);

    // ---- Subscriptions ----

    /// SUBSCRIBE or REFER outside any dialog. none: the limits are reached, or Event cannot be read.
    UsageKey subscribe(Request request, std::string peer, bool several, TimePoint now, Actions& out);
    /// In the dialog of an established call; `request` gives method and headers. none: there is no such call.
    UsageKey subscribe_inside(UsageKey call, Request request, TimePoint now, Actions& out);
    void unsubscribe(UsageKey subscription, TimePoint now, Actions& out);
    /// To SubscriptionWanted and ReferWanted.
    void grant(UsageKey subscription, Notification first, TimePoint now, Actions& out);
    void deny(UsageKey subscription, const Reply& reply, TimePoint now, Actions& out);
    /// To SubscriptionWanted with Expires: 0: 200 now, publish() soon.
    void accept(UsageKey subscription, TimePoint now, Actions& out);
    void publish(UsageKey subscription, Notification notification, TimePoint now, Actions& out);

    // ---- What there is ----

    std::size_t dialogs() const { return table_.size(); }
    std::size_t usages() const { return usages_.size(); }
    std::size_t usages_of(const std::string& peer) const;
    /// Requests of ours without a final response yet.
    std::size_t requests() const;
    /// Of those and of INVITEs whose 2xx may come again.
    std::size_t remembered() const { return keys_.size(); }
    /// The dialog of an established call or a subscription, for the journal; null: none.
    DialogRef dialog(UsageKey usage) const;
    /// Null: there is none of that id.
    DialogRef dialog(const DialogId& id) const;
    /// Whose dialog a request with a To tag is in, or whose answer to a SUBSCRIBE of ours it is; null: nobody's.
    const std::string* peer_of(const Request& inside) const;
    /// Whom a request of ours goes to; null: its usage is over.
    const std::string* peer_of(RequestKey key) const;
    const std::string* peer_of(UsageKey usage) const;

private:
    struct Usage {
        std::variant<InviteClient, InviteServer, Subscriber, Notifier> machine;
        std::string peer;
        std::vector<DialogRef> listed{};                                  ///< in the table
        std::optional<TimePoint> deadline{};                              ///< in deadlines_
        std::vector<RequestKey> keys{};                                   ///< in keys_
        std::vector<TransactionId> invites{};                             ///< in invites_
        std::optional<std::pair<std::string, std::string>> subscriber{};  ///< in subscribers_

        bool is_theirs() const {
            return std::holds_alternative<InviteServer>(machine) || std::holds_alternative<Notifier>(machine);
        }
    };

    struct Sent {
        UsageKey usage;
        bool invite;    ///< stays after its final: the 2xx may come again, and from other forks
        bool inside;    ///< in a dialog, other than REFER
        bool answered;  ///< by a final response
    };

    void receive_first(const InDialogLayer& in, Context& context);
    void receive_invite(const InDialogLayer& in, Context& context);
    void receive_subscribe(const InDialogLayer& in, DialogRef dialog, UsageKey call, Context& context);
    void receive_inside(const InDialogLayer& in, const DialogTable::Entry& entry, Context& context);
    bool receive_notify_outside(const InDialogLayer& in, Context& context);
    int status_of_stray_notify(const DialogTable::Entry& entry, const Request& notify) const;
    bool is_call(UsageKey key) const;
    bool leaving(UsageKey call) const;
    bool has_room(const std::string& peer) const;
    /// Of usages; a dialog can have several.
    bool full(const std::string& peer) const;
    /// Of those that the peer begins.
    bool full_of_theirs(const std::string& peer) const;
    bool has_room_for_theirs(const std::string& peer) const { return has_room(peer) && !full_of_theirs(peer); }
    void add(UsageKey key, Usage usage);
    void erase(UsageKey key, const Usage& usage);
    UsageKey next_usage() { return static_cast<UsageKey>(++last_usage_); }
    Usage* find(UsageKey key);
    Session* session_of(Usage& usage, const std::string& remote_tag);
    void expect_cancel(TransactionId invite, UsageKey call);
    template <class Machine, class Do>
    void with(UsageKey key, TimePoint now, Actions& out, Do work);
    void settle(UsageKey key, const Actions& out, std::size_t from);
    void forget_invites(Usage& usage);
    void lose_dialog(const DialogId& id, UsageKey finder, Context& context);
    void unlist(const DialogId& id, UsageKey key);
    static bool is_listed(const Usage& usage);
    void relist(UsageKey key, Usage& usage);
    void remember(UsageKey key, Usage& usage, const Action& action);

    Settings settings_;
    Sources sources_;
    std::function<std::string()> new_tag_;
    DialogTable table_;
    std::uint64_t last_usage_ = 0;
    std::map<UsageKey, Usage> usages_;
    std::map<std::string, std::size_t> per_peer_;      ///< how many of them
    std::map<std::string, std::size_t> theirs_;        ///< how many of those the peer began
    std::map<std::string, std::size_t> most_of_peer_;  ///< where less is allowed than to everybody
    std::map<RequestKey, Sent> keys_;
    std::map<TransactionId, UsageKey> invites_;                            ///< server transactions that a CANCEL may come for
    std::map<std::pair<std::string, std::string>, UsageKey> subscribers_;  ///< by Call-ID and own tag, for the first NOTIFY
    std::set<std::pair<TimePoint, UsageKey>> deadlines_;
};

/// Runs `work(machine, context)` if that usage is such a machine, then brings tables and timers up to date.
template <class Machine, class Do>
void UserAgent::with(UsageKey key, TimePoint now, Actions& out, Do work) {
    auto* usage = find(key);
    auto* machine = usage ? std::get_if<Machine>(&usage->machine) : nullptr;
    if (!machine) return;
    Context context{now, settings_.calls, sources_, out};
    const auto from = out.size();
    work(*machine, context);
    settle(key, out, from);
}

}  // namespace stox::sip
