#pragma once
// The SIP contacts that XMPP users watch: a presence::ContactRelation for each pair, what it asks for done by the dialog layer,
// the component stream and the store.   (RFC 8048 §5.2, X2S)

#include "mapping/presence/contact_relation.h"
#include "mapping/presence/pidf.h"
#include "mapping/sip/dialog_action.h"
#include "mapping/xmpp/stanza.h"
#include "plugin/config/options.h"
#include "plugin/engine/engine.h"
#include "plugin/engine/presence/contact_line.h"
#include "plugin/engine/presence/pace.h"
#include "plugin/engine/presence/shown_presence.h"
#include "plugin/engine/presence/subscribe_pacer.h"
#include "plugin/engine/records.h"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace stox::engine {

/// Of one user and one contact.
struct Contact {
    std::uint64_t number;
    xmpp::Jid user, contact;  ///< bare
    presence::ContactRelation relation{};
    ShownPresence shown{};
    std::vector<std::string> kept_shown{};  ///< as the store has it
    bool has_row = false;
    bool resending = false;                    ///< the new stream is told of it in its turn
    bool waits_to_tell = false;                ///< there is more to tell than all contacts together may
    bool waits_to_follow = false;              ///< something else is published of the contact
    bool notified = false;                     ///< what is known is from a subscription
    std::optional<std::uint64_t> published{};  ///< or it is this version of its publications
    sip::UsageKey usage = sip::UsageKey::none;
    std::optional<ContactLine> line{};         ///< whether it is on the phone is asked
    std::optional<sip::Uri> redirected{};      ///< where the next SUBSCRIBE goes
    std::optional<TimePoint> confirm_by{};     ///< what another life has shown is withdrawn then, unless it is confirmed
    std::optional<xmpp::StanzaError> moved{};  ///< why nothing is known: the contact is elsewhere   (PRES-111)
    std::optional<TimePoint> probed{};         ///< the user, and no `unsubscribed` has answered that
    std::optional<TimePoint> due{};            ///< as it stands among the dues
    std::optional<TimePoint> expendable{};     ///< the same among those that make room
};

class Contacts {
public:
    static constexpr std::size_t kResources = 64;  ///< of a user, that are told apart
    /// What was shown before a start is believed for so long; of whom nobody was asked yet, from when they are.
    static constexpr std::chrono::seconds kConfirm{60};
    static constexpr std::chrono::milliseconds kResendGap{2};  ///< between two contacts whose state is told to a new stream
    static constexpr std::chrono::minutes kAlone{5};           ///< dialogs are kept as long without a stream

    static constexpr std::chrono::seconds kProbeAnswer{10};  ///< how long a server takes to answer a probe
    static constexpr std::size_t kTurn = 8;                  ///< stanzas that one pair may tell while others wait

    enum class Full { no, user, domain };
    /// Whether one more of that user's would be too many.
    Full is_full(const xmpp::Jid& user, std::size_t per_user, std::size_t in_all) const;

    Contact* find(const xmpp::Jid& user, const xmpp::Jid& contact);
    Contact* find(std::uint64_t number);
    Contact* find(sip::UsageKey usage);
    Contact& add(const xmpp::Jid& user, const xmpp::Jid& contact);
    void remove(Contact& contact);
    /// By the subscription to whether it is on the phone.
    Contact* find_line(sip::UsageKey usage);
    bool asks_for_calls() const { return !lines_.empty(); }
    void set_usage(Contact& contact, sip::UsageKey usage);
    void set_line_usage(Contact& contact, sip::UsageKey usage);
    void set_due(Contact& contact, std::optional<TimePoint> due);
    /// The relation has changed.
    void count_expendable(Contact& contact);
    /// Whom nothing but a roster has spoken for since longest ago; null: there is none.
    Contact* oldest_expendable();
    /// The first whose time has come.
    Contact* take_due(TimePoint now);
    std::vector<Contact*> of(const xmpp::Jid& user);
    /// contact  a bare address
    std::vector<Contact*> watching(const std::string& contact);
    std::vector<Contact*> all();
    template <class Visit>
    void for_each_row(Visit visit) const {
        for (const auto& [key, contact] : contacts_)
            if (contact.has_row) visit(contact);
    }
    std::size_t size() const { return contacts_.size(); }
    std::optional<TimePoint> first_due() const;

    /// What is known of a user with contacts.
    struct User {
        std::set<std::string> resources{};
        enum class Said { nothing, online, offline } said = Said::nothing;
        std::size_t contacts = 0;
    };
    /// Null: watches nobody.
    User* user(const xmpp::Jid& bare);
    /// Who went while there was no stream has not said so.
    void forget_resources();

    SubscribePacer pacer{};
    config::PresenceMode mode = config::PresenceMode::subscribe;
    std::deque<std::uint64_t> resend{};  ///< whose state the new stream has not been told
    std::optional<TimePoint> resend_at{};
    std::optional<TimePoint> alone_at{};  ///< nobody is there to be told, since the stream went; dialogs are ended then ...
    bool alone = false;                   ///< ... and none is begun
    std::deque<std::uint64_t> ending{};   ///< whose dialogs are ended for it
    std::optional<TimePoint> end_at{};
    std::vector<std::uint64_t> cancelled{};  ///< by an administrator, to be ended with the next tick
    std::deque<xmpp::Presence> owed{};       ///< answers that wait for a stream, and those behind them
    std::deque<std::uint64_t> telling{};     ///< who waits to tell, in turn: nobody tells anything while others wait
    Pace<5'000, 5'000> told{};               ///< about all contacts together   (PRES-92)
    std::deque<std::uint64_t> following{};   ///< who has not been looked at since something else was published of their contact
    Pace<64, 5'000> followed{};              ///< of them
    bool others_wait() const { return !owed.empty() || !telling.empty(); }
    std::optional<presence::Pidf> document{};     ///< of the NOTIFY that is being handled
    std::optional<presence::DialogInfo> calls{};  ///< the same, about a line

private:
    using Key = std::pair<std::string, std::string>;  ///< user, contact

    std::map<Key, Contact> contacts_;
    std::map<std::uint64_t, Contact*> numbers_;
    std::set<std::pair<std::string, std::uint64_t>> watching_;  ///< contact, number
    std::map<sip::UsageKey, Contact*> usages_, lines_;
    std::map<std::string, User> users_;
    std::set<std::pair<TimePoint, std::uint64_t>> dues_, expendable_;
    std::uint64_t last_number_ = 0;
};

}  // namespace stox::engine
