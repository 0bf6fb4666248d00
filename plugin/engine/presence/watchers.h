#pragma once
// The SIP contacts that watch XMPP users: a presence::WatcherRelation for each pair, and what is known of the user as that
// contact may see it. Nothing is shared between two contacts of one user.   (PRES-90)

#include "mapping/presence/state.h"
#include "mapping/presence/watcher_relation.h"
#include "mapping/xmpp/jid.h"
#include "plugin/engine/lru_map.h"
#include "plugin/engine/records.h"

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace stox::engine {

using TimePoint = std::chrono::steady_clock::time_point;

/// What is known of a user, as NOTIFY carries it: written once for all subscriptions of one contact.
struct WatchedDocument {
    std::string body;
    std::vector<sip::Header> headers{};
    std::set<sip::UsageKey> told{};  ///< that have it; none is told the same one twice   (PRES-61)
};

/// Of one user and one contact.
struct Watcher {
    std::uint64_t number;
    xmpp::Jid user, contact;  ///< bare
    presence::WatcherRelation relation;
    std::string peer{};  ///< that the contact came by, last
    presence::Presentity known{};
    std::optional<WatchedDocument> document{};  ///< of all that is known, and of nobody who has gone
    std::optional<UtcTime> stamp{};             ///< of the latest document
    std::string question{}, probe{};            ///< ids of the stanzas that may come back as errors
    std::optional<TimePoint> probed{};          ///< and nothing has answered that
    std::string key{};                          ///< of its row; empty: there is none
    std::set<sip::UsageKey> usages{};
    std::optional<TimePoint> due{};  ///< as it stands among the dues
    /// As it is counted among those that may not see their user.
    struct Stranger {
        UtcTime since;
        bool idle;  ///< nobody waits
        std::string peer;
        friend bool operator==(const Stranger&, const Stranger&) = default;
    };
    std::optional<Stranger> stranger{};
};

class Watchers {
public:
    static constexpr std::size_t kPerPair = 16, kPerAuthor = 256;  ///< subscriptions
    static constexpr std::size_t kStrangersPerAuthor = 256;        ///< users who have not agreed to be seen by one contact
    static constexpr std::size_t kRemembered = 20'000;             ///< pairs that were let go
    static constexpr std::chrono::milliseconds kLookGap{100};      ///< between two looks at what ends

    Watcher* find(const xmpp::Jid& user, const xmpp::Jid& contact);
    Watcher* find(std::uint64_t number);
    Watcher* find(sip::UsageKey usage);
    Watcher& add(const xmpp::Jid& user, const xmpp::Jid& contact, presence::WatcherRelation relation);
    void remove(Watcher& watcher);

    /// A subscription or a poll of that contact's, by that peer.
    void add_usage(Watcher& watcher, sip::UsageKey usage, const std::string& peer);
    /// A subscription of that contact's that belongs to no relation, for its user has no room for one: pending, and no more.
    void add_loose_usage(const xmpp::Jid& user, const xmpp::Jid& contact, sip::UsageKey usage, const std::string& peer);
    /// Its owner is done with it; it counts until it is over.
    void remove_usage(sip::UsageKey usage);
    /// What is over counts no more.
    void forget_over(TimePoint now, const std::function<bool(sip::UsageKey)>& is_over);
    std::size_t usages_of_peer(const std::string& peer) const;
    std::size_t usages_of_author(const xmpp::Jid& contact) const;
    /// Whether they belong to a relation or not, which is nothing that a contact may learn.   (PRES-91)
    std::size_t usages_of_pair(const xmpp::Jid& user, const xmpp::Jid& contact) const;
    /// Those whose peer this holds for.
    template <class Wanted>
    std::vector<sip::UsageKey> usages(Wanted wanted) const {
        std::vector<sip::UsageKey> found;
        for (const auto& [usage, of] : usages_)
            if (wanted(of.peer)) found.push_back(usage);
        return found;
    }
    /// Contacts that watch that user, or asked to.
    std::size_t watchers_of(const xmpp::Jid& user) const;
    std::size_t size() const { return watchers_.size(); }
    std::vector<Watcher*> all();

    /// The relation, its peer or its subscriptions have changed.
    void settle(Watcher& watcher);
    /// Whoever may not see their user, by whom they come under.
    enum class Whose { author, peer, user, everybody };
    std::size_t strangers(Whose whose, const std::string& name) const;
    /// Of those the one with the oldest question or refusal that nobody waits for; null: there is none. Who was granted is none.
    Watcher* oldest_idle_stranger(Whose whose, const std::string& name);
    /// What its user said, or was asked, of a relation that is let go: it holds when the contact comes again.   (PRES-32)
    void remember(const xmpp::Jid& user, const xmpp::Jid& contact, presence::watcher::State state);
    std::optional<presence::watcher::State> take_remembered(const xmpp::Jid& user, const xmpp::Jid& contact);
    template <class Visit>
    void for_each_row(Visit visit) const {
        for (const auto& [key, watcher] : watchers_)
            if (!watcher.key.empty()) visit(watcher);
    }

    void set_due(Watcher& watcher, std::optional<TimePoint> due);
    /// The first whose time has come.
    Watcher* take_due(TimePoint now);
    std::optional<TimePoint> first_due() const;

    std::deque<std::uint64_t> returning{};  ///< whom the new stream has not been told of
    std::optional<TimePoint> return_at{};
    std::vector<std::uint64_t> cancelled{};  ///< by an administrator, to be dropped with the next tick

private:
    using Key = std::pair<std::string, std::string>;  ///< user, contact
    struct Usage {
        Watcher* watcher;  ///< null: loose
        std::string peer;
        Key pair;
    };

    struct Ending {
        std::string author, peer;
    };

    std::map<Key, Watcher> watchers_;
    std::map<std::uint64_t, Watcher*> numbers_;
    std::map<sip::UsageKey, Usage> usages_;
    std::map<sip::UsageKey, Ending> ending_;  ///< whose last NOTIFY may not have been answered
    std::optional<TimePoint> looked_{};
    std::map<std::string, std::size_t> per_peer_, per_user_, per_author_;
    std::map<Key, std::size_t> per_pair_;  ///< of usages_ alone
    struct Strangers {
        std::size_t all = 0;
        std::set<std::pair<UtcTime, std::uint64_t>> idle{};
    };
    using Group = std::pair<Whose, std::string>;
    static std::array<Group, 4> groups(const Watcher& watcher, const std::string& peer);
    void uncount(Watcher& watcher);

    std::map<Group, Strangers> strangers_;
    LruMap<presence::watcher::State> remembered_{kRemembered};
    std::set<std::pair<TimePoint, std::uint64_t>> dues_;
    std::uint64_t last_number_ = 0;
};

}  // namespace stox::engine
