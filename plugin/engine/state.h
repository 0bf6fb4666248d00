#pragma once
// What an Engine holds; the parts of it (sip_requests, page_messages, services) work on this.

#include "mapping/presence/publications.h"
#include "plugin/engine/admin_desk.h"
#include "plugin/engine/authentication.h"
#include "plugin/engine/barrier.h"
#include "plugin/engine/commits.h"
#include "plugin/engine/composing.h"
#include "plugin/engine/contact_formats.h"
#include "plugin/engine/delivered_requests.h"
#include "plugin/engine/devices.h"
#include "plugin/engine/dialogs.h"
#include "plugin/engine/engine.h"
#include "plugin/engine/imdn_contacts.h"
#include "plugin/engine/inbox.h"
#include "plugin/engine/loop_guard.h"
#include "plugin/engine/merged_requests.h"
#include "plugin/engine/message_queue.h"
#include "plugin/engine/next_hops.h"
#include "plugin/engine/odd_names.h"
#include "plugin/engine/outbound.h"
#include "plugin/engine/owed_errors.h"
#include "plugin/engine/presence/contacts.h"
#include "plugin/engine/presence/watchers.h"
#include "plugin/engine/receipts.h"
#include "plugin/engine/row_keys.h"
#include "plugin/engine/seen_spellings.h"
#include "plugin/engine/threads.h"
#include "plugin/engine/token_bucket.h"
#include "plugin/engine/turn.h"
#include "plugin/engine/user_rates.h"

#include <map>
#include <string>

namespace stox::engine {

/// How much one peer asks for.
struct PeerRate {
    TokenBucket bucket;
    std::optional<TimePoint> told;  ///< the operator, that it asks for too much
    std::uint64_t refused = 0;      ///< since then
};

struct State {
    config::DomainOptions options;
    IdGenerator ids;
    RowKeys row_keys{};
    bool stream_up = false;
    bool details = true;  ///< lines of Level::debug are made
    Commits commits;
    Inbox inbox;
    Barrier barrier;
    bool told_silent = false;  ///< the operator, that the server answers no ping
    MessageQueue messages;
    OwedErrors owed;
    ImdnContacts imdn_contacts;
    ContactFormats formats;
    Receipts receipts;
    Threads threads;
    Composing composing;
    Composing writing{};  ///< users of whom a contact was told that they write, and not yet that they stopped
    UtcTime utc{};        ///< when the latest message came
    TimePoint utc_since{};  ///< the same by the steady clock
    MergedRequests merged;
    MergedRequests merged_subscribes{};  ///< apart, so that a flood of them makes no copy of a MESSAGE a second one
    DeliveredRequests delivered{};
    NextHops hops;
    Outbound outbound;
    Dialogs dialogs{};
    Contacts contacts{};
    Watchers watchers{};
    presence::Publications publications{};  ///< of contacts, by their devices
    bool knows_relations = false;  ///< all that the store has: a pair that is not here was lost, or never kept
    Secrets secrets;
    Authentication authentication;
    SeenSpellings spellings{};
    Devices devices{};
    std::map<std::string, PeerRate> rates;  ///< of the peers with limits.per_second
    LoopGuard loops;
    UserRates user_rates;
    UserRates signal_rates{};  ///< what is no text: receipts, markers, chat states
    OddNames odd_names;
    std::uint64_t last_number = 0;
    struct Leaving {
        TimePoint until;  ///< then the domain is gone, if not before
        bool for_good;    ///< it may never come back
        bool over = false;
    };
    std::optional<Leaving> leaving;
    AdminDesk desk{};
    bool draining = false;  ///< an administrator wants nothing new to be taken
    struct Carried {
        std::uint64_t to_sip = 0, to_xmpp = 0;  ///< messages that arrived
        std::uint64_t failed_to_sip = 0, failed_to_xmpp = 0;
    } carried{};

    UtcTime utc_at(TimePoint now) const { return utc + std::chrono::duration_cast<UtcTime::duration>(now - utc_since); }
    void set_utc(UtcTime received, TimePoint now) { utc = received, utc_since = now; }
    bool is_leaving_for_good() const { return leaving && leaving->for_good; }
    std::uint64_t next_number() { return ++last_number; }
    RequestId next_request() { return RequestId{++last_number}; }
    /// Whether that peer has as many messages on their way as it may.
    bool is_full(const config::Peer& peer) const {
        const std::size_t limit = peer.limits.transactions;
        return limit != 0 && outbound.in_progress(peer.name) + inbox.unanswered_from(peer.name) >= limit;
    }
    Ways ways(TimePoint now, Actions& out) { return {hops, outbound, options, turn(now, out)}; }
    Turn turn(TimePoint now, Actions& out) { return {now, ids, last_number, out}; }
};

}  // namespace stox::engine
