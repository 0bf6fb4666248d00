#pragma once
// The whole brain of one domain, without a socket, thread, clock or log: values in, actions out, time as an argument.
//
// The caller keeps one rule: one input, then perform every action it returned in order, then the next input. When
// next_timeout() has passed, it feeds Tick. Inputs and actions own all they carry.

#include "mapping/core/ids.h"
#include "mapping/sip/certified_names.h"
#include "mapping/sip/message.h"
#include "mapping/sip/own_contact.h"
#include "mapping/xmpp/stanza.h"
#include "plugin/config/options.h"
#include "plugin/engine/admin_command.h"
#include "plugin/engine/failover.h"
#include "plugin/engine/records.h"
#include "plugin/engine/secrets.h"
#include "plugin/engine/target.h"

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace stox::engine {

using TimePoint = std::chrono::steady_clock::time_point;

/// A SIP request we have to answer; the number is the caller's.
enum class ServerTransaction : std::uint64_t {};
/// A SIP request we sent; the number is the engine's and unique in it.
enum class ClientTransaction : std::uint64_t {};
/// A next hop that is being located; the number is the engine's and unique in it.
enum class Location : std::uint64_t {};
/// Records that are being written; the number is the engine's and unique in it.
enum class CommitId : std::uint64_t {};
/// What an administrator asked for; the number is the engine's and unique in it.
enum class AdminId : std::uint64_t {};

// Inputs

struct StreamUp {};    ///< the component stream is attached
struct StreamDown {};  ///< it is lost; what was written and not covered by a barrier may be lost with it
struct StanzaIn {
    xmpp::Stanza stanza;
    UtcTime received{};  ///< for time stamps
};
/// A stanza of which only the envelope could be read; the stream goes on.
struct UnreadableStanzaIn {
    xmpp::Stanza envelope;  ///< as of xmpp::decode_envelope
    Error why;              ///< too_large: over a limit of ours; else it is broken
};
struct SipRequestIn {
    ServerTransaction transaction;
    sip::Request request;
    Endpoint source;  ///< where the packet really came from
    Transport transport;
    sip::CertifiedNames tls{};  ///< of its sender
    UtcTime received{};         ///< for time stamps
    bool congested = false;     ///< the component stream takes no more: whoever is served is told to come back later
    Flow flow = Flow::none;     ///< the connection it came over
};
struct SipResponseIn {
    ClientTransaction transaction;
    sip::Response response;  ///< 408 or 503 when `local` says that we made it
    LocalFailure local = LocalFailure::none;
};
/// The one answer to Locate: targets in the order of trying, or none and why.
struct Located {
    Location location;
    std::vector<Target> targets;
    std::string error{};
};
/// The one answer to Commit: everything in it is as durable as the operator wants, or nothing of it is written.
struct Committed {
    CommitId commit;
    Result<void> result;
};
/// What the store holds, the longest-standing first: the first input of an engine, then of a store that opened later as soon as it
/// is read.
struct Restored {
    std::vector<Record> records;
    UtcTime read{};
    bool complete = true;  ///< false: there may be rows that could not be read, so what is not here may be there all the same
};
struct OptionsChanged {
    config::DomainOptions options;
    Secrets secrets{};  ///< of these options
};
/// Where the worker is reached by SIP, one for each listener: the first input after it listens, and when that changes.
struct OwnAddresses {
    std::vector<sip::OwnAddress> addresses;
};
/// The answer to Authorize; without one in time nobody is an administrator.
struct Authorized {
    AdminId id;
    bool allowed = false;
};
/// The answer to Administer.
struct Administered {
    AdminId id;
    AdminOutcome outcome;
};
struct Tick {};
/// The domain goes away: nothing new is taken, what is on its way is waited for until drained().
struct Shutdown {
    enum class Why {
        stop,     ///< it comes back with the next start, which delivers what the store holds
        removed,  ///< it may never come back: authors are told
    } why = Why::stop;
};

using Input = std::variant<StreamUp, StreamDown, StanzaIn, UnreadableStanzaIn, SipRequestIn, SipResponseIn, Located, Committed,
                           Restored, OptionsChanged, OwnAddresses, Authorized, Administered, Tick, Shutdown>;

// Actions

struct SendStanza {
    xmpp::Stanza stanza;
};
struct RespondSip {
    ServerTransaction transaction;
    sip::Response response;
};
struct SendSip {
    ClientTransaction transaction;
    sip::Request request;
    Target target;
    /// Another target waits: a connection that has to be opened for this and is not by then is given up. Then nothing has left.
    std::optional<std::chrono::seconds> open_within{};
};
/// Find the targets of a next hop that names a host.   (RFC 3263)
struct Locate {
    Location location;
    config::NextHop hop;
};
/// Write these, all or nothing, after all that was given before. At most kMaxChanges.
struct Commit {
    static constexpr std::size_t kMaxChanges = 255;  ///< the shell adds one of its own
    CommitId commit;
    std::vector<RecordChange> changes;
};
/// Dialogs are reached by that connection: it does not end for idleness until it is released. At most Dialogs::kHeld at a time.
struct HoldFlow {
    Flow flow;
};
struct ReleaseFlow {
    Flow flow;
};
/// A stranger was refused, or somebody's credentials were wrong: counts towards a ban of that source.   (contract 2)
struct Refused {
    Address source;
    Transport transport;
};
/// Is that person an administrator, of this domain or of the whole server? The chat server knows.
struct Authorize {
    AdminId id;
    xmpp::Jid who;     ///< with resource
    std::string node;  ///< what they want
    AdminScope scope;
};
/// An administrator's order that is the worker's to carry out, and to write down.
struct Administer {
    AdminId id;
    AdminOrder order;
    std::string who;
};
enum class Level { error, warn, info, debug };
/// One line for the operator. logfmt fields after `t= dom=`; untrusted text in it is already escaped and cut.
struct Log {
    Level level;
    Trace trace;
    std::string peer;
    std::string text;
    bool audit = false;                 ///< what an administrator did: written whatever the level is, and however much else is
    std::optional<Address> stranger{};  ///< a line about who sent from there, who decides how many there are: not all are written
};

using Action = std::variant<SendStanza, RespondSip, SendSip, HoldFlow, ReleaseFlow, Locate, Commit, Refused, Authorize, Administer, Log>;

/// A value as a logfmt field may hold it: quoted where needed, non-printables escaped, 256 octets at most.   (contract 9)
std::string logfmt(std::string_view untrusted);

class Engine {
public:
    Engine(config::DomainOptions options, IdGenerator ids, Secrets secrets = {});
    ~Engine();
    Engine(Engine&&) noexcept;
    Engine& operator=(Engine&&) noexcept;

    std::vector<Action> handle(Input input, TimePoint now);
    /// Whether lines of Level::debug are made, from now on; they are at first. Each message has some, and mostly nobody wants them.
    void log_details(bool wanted);
    /// When the next Tick is due; none: nothing waits for time.
    std::optional<TimePoint> next_timeout() const;

    /// For invariants and `status`: how much waits.
    struct Pending {
        std::size_t held_messages = 0;    ///< MESSAGE requests whose answer waits
        std::size_t queued_messages = 0;  ///< stanzas waiting for their target's transaction
        std::size_t transactions = 0;     ///< MESSAGE requests of ours without a final response
        std::size_t to_xmpp = 0;          ///< messages from SIP that no barrier covers, answered or not
        std::size_t errors = 0;           ///< authors on the XMPP side who may not have been told
        std::size_t commits = 0;          ///< not answered
    };
    Pending pending() const;
    /// For invariants: the records that it counts on, which a restart would need.
    void for_each_record(const std::function<void(Collection, const std::string& key)>& visit) const;
    /// False: enough that was read from the stream is not stored yet; it is read on when this says so again.   (contract 6)
    bool takes_stanzas() const;
    /// After Shutdown: nothing is left that a little more time would settle. The stream and the store are needed until then.
    bool drained() const;

    /// Whether something can be sent to a peer, for `status`.
    enum class Reach { unknown, up, down };
    struct PeerState {
        std::string name;
        Reach reach = Reach::unknown;  ///< up when one target is; unknown while no probe was answered or missed twice
        std::size_t transactions = 0;  ///< messages on their way to it or from it
        std::vector<std::pair<std::string, Reach>> targets;  ///< "tcp:192.0.2.1:5060"
    };
    std::vector<PeerState> peers() const;

    /// An order whose command is `of_engine`, given by another way than XMPP.
    AdminOutcome administer(const AdminOrder& order);
    /// The user of every Contact of ours: a request for it belongs to this engine, whatever its host.
    const std::string& contact_token() const;
    /// For the views; how long the stream has been up or down is the caller's to say.
    DomainRow domain_row() const;
    std::vector<TrafficRow> traffic_rows() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace stox::engine
