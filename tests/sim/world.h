#pragma once
// The world around one engine: virtual time, a store, SIP peers, an XMPP server, and everything that goes wrong between them.
// One seed is one order of events.

#include "plugin/engine/engine.h"
#include "tests/sim/disk.h"
#include "tests/sim/to_sip_ledger.h"
#include "tests/sim/to_xmpp_ledger.h"

#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace stox::sim {

class World {
public:
    explicit World(std::uint64_t seed);

    /// Plays the seed to its end. Throws Broken when an invariant breaks.
    void run();
    /// What happened, a line each.
    const std::vector<std::string>& trace() const { return trace_; }

    struct Counts {
        std::size_t messages = 0;  ///< requests and stanzas
        std::size_t copies = 0;    ///< of messages that had arrived before
        std::size_t crashes = 0, stops = 0, kills = 0, drops = 0, refused_commits = 0;
        std::size_t lost_covered = 0;  ///< by a killed server that had dealt with them
        std::size_t unaccepted = 0;    ///< read from the stream, gone with a crash before they were ours
        std::size_t watches = 0, notifications = 0;  ///< SUBSCRIBEs and NOTIFYs, either way

        Counts& operator+=(const Counts& other);
    };
    Counts counts() const;

private:
    using Milliseconds = std::chrono::milliseconds;
    using Event = std::function<void()>;

    // scheduling
    void at(engine::TimePoint when, Event event) { events_.emplace(when, std::move(event)); }
    void after(Milliseconds delay, Event event) { at(now_ + delay, std::move(event)); }
    /// Unless the engine of now has ended by then.
    void in_this_life(engine::TimePoint when, Event event);
    /// The same, by the chance of the presence side.
    void in_this_life_within(Milliseconds most, Event event);
    void note(std::string text);
    bool chance(unsigned percent) { return random_() % 100 < percent; }
    std::uint64_t pick(std::uint64_t bound) { return random_() % bound; }
    Milliseconds delay(unsigned most_ms) { return Milliseconds(pick(most_ms + 1)); }
    UtcTime wall_clock() const { return UtcTime(std::chrono::duration_cast<Milliseconds>(now_.time_since_epoch())); }

    // the engine (world.cpp)
    void feed(engine::Input input);
    void perform(const engine::SendStanza& action);
    void perform(const engine::RespondSip& action);
    void perform(const engine::SendSip& action);
    void perform(const engine::HoldFlow& action);
    void perform(const engine::ReleaseFlow& action);
    void perform(const engine::Locate& action);
    void perform(const engine::Commit& action);
    void perform(const engine::Refused& action);
    void perform(const engine::Authorize& action);
    void perform(const engine::Administer& action);
    void perform(const engine::Log& action);
    void arm();
    void check();
    void check_store();
    void note_stray(std::map<std::string, engine::TimePoint>& strays, const std::string& stray) const;

    // its lives (lives.cpp)
    void start();
    void crash();
    void stop();
    void go_if_drained();
    void end_life();
    void disk_fills();

    // what people and networks do (sip_side.cpp)
    void schedule_story();
    void sip_user_writes(unsigned number);
    void imdn_contact_shows_itself();
    void change_options();
    void end_probing();
    void answer_probe(const engine::SendSip& action);

    // who watches whom (presence_side.cpp)
    void schedule_presence(unsigned span);
    void user_does_something();
    void user_sends(xmpp::PresenceType type, const std::string& user, const std::string& contact, const std::string& id = {});
    void server_reads(const xmpp::Presence& presence);
    void phone_subscribes();
    void phone_goes_on(const std::string& call_id);
    void phone_asks(const std::string& call_id, unsigned expires);
    void answer_notify(const engine::SendSip& action);
    void answer_subscribe(const engine::SendSip& action);
    void notify(const std::string& call_id, const std::string& state);
    void goes_on(const std::string& call_id);
    void ask(sip::Request request, std::function<void(const sip::Response&)> answered);
    void end_presence(unsigned tries);
    std::set<std::string> believed();
    std::set<std::string> to_sip_disk() const { return disk_.names(engine::Collection::outbox); }
    std::set<std::string> to_xmpp_disk() const { return disk_.names(engine::Collection::inbox); }

    // the server (xmpp_side.cpp)
    void xmpp_user_writes(unsigned number);
    void stream_up();
    void stream_down(bool killed);
    void lose_what_was_handled();
    void to_server(xmpp::Stanza stanza);
    void server_reads(const xmpp::Stanza& stanza);
    void to_engine(xmpp::Stanza stanza);
    void pinged(const xmpp::Iq& ping);
    /// So many of what the server has dealt with, as the engine knows from now on.
    void covered(std::size_t count);

    std::uint64_t seed_;
    std::mt19937_64 random_;
    config::DomainOptions options_;
    std::optional<engine::Engine> engine_;
    Disk disk_;
    ToXmppLedger to_xmpp_;
    ToSipLedger to_sip_;
    engine::TimePoint now_{};
    std::multimap<engine::TimePoint, Event> events_;
    std::vector<std::string> trace_;
    Counts counts_;

    std::uint64_t life_ = 0;  ///< of the engine
    std::optional<engine::TimePoint> stopping_since_;
    std::uint64_t tick_ = 0;
    engine::TimePoint written_to_disk_until_{};

    bool up_ = false;
    std::uint64_t stream_ = 0;                          ///< what is on an older stream is lost
    engine::TimePoint written_until_{}, read_until_{};  ///< both directions keep their order
    struct Handled {
        engine::TimePoint at;
        bool is_error;       ///< for an author
        std::string name;    ///< a text, or a stanza id
        std::uint64_t copy;  ///< of that text
    };
    std::vector<Handled> handled_;              ///< by the server, from this stream, in order
    std::size_t covered_ = 0;                   ///< of them, as the engine knows
    std::map<std::string, std::size_t> pings_;  ///< how much of that each covers
    std::string last_ping_;                     ///< the only one that the engine waits for

    unsigned last_transaction_ = 0;
    unsigned in_progress_ = 0;
    unsigned locating_ = 0;
    std::size_t reports_ = 0;        ///< that an accepted message failed
    std::set<engine::Target> dead_;  ///< answer no probe
    std::set<std::string> imdn_contacts_;
    bool probing_over_ = false;

    /// A contact's phone that watches a user, by Call-ID.
    struct Phone {
        sip::Request request;  ///< the last SUBSCRIBE
        bool stands = false;
        bool asks = false;  ///< without an answer yet
    };
    /// Who is watched by a user, by Call-ID.
    struct Notifier {
        sip::Request subscribe;
        std::uint32_t cseq = 0;
        bool notifies = false;  ///< a NOTIFY is under way
    };
    bool presence_ = false, presence_over_ = false;
    std::mt19937_64 presence_random_;
    std::map<std::string, Phone> phones_;
    std::map<std::string, Notifier> notifiers_;
    std::map<std::uint64_t, std::function<void(const sip::Response&)>> asked_;  ///< SUBSCRIBEs and NOTIFYs without an answer
    unsigned last_call_ = 0;
    /// What is in the store and not in memory, or the other way round, since when.
    std::map<std::string, engine::TimePoint> strays_;
    engine::TimePoint refused_at_{};  ///< the latest commit that was
};

}  // namespace stox::sim
