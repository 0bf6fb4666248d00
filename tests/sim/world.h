#pragma once
// The world around one engine: virtual time, a SIP peer, an XMPP server, and everything that goes wrong between them.

#include "plugin/engine/engine.h"
#include "tests/sim/ledger.h"

#include <functional>
#include <map>
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
    const Ledger& ledger() const { return ledger_; }

private:
    using Milliseconds = std::chrono::milliseconds;
    using Event = std::function<void()>;

    // scheduling
    void at(engine::TimePoint when, Event event) { events_.emplace(when, std::move(event)); }
    void after(Milliseconds delay, Event event) { at(now_ + delay, std::move(event)); }
    void note(std::string text);
    bool chance(unsigned percent) { return random_() % 100 < percent; }
    std::uint64_t pick(std::uint64_t bound) { return random_() % bound; }
    Milliseconds delay(unsigned most_ms) { return Milliseconds(pick(most_ms + 1)); }

    // the engine
    void feed(engine::Input input);
    void perform(const engine::SendStanza& action);
    void perform(const engine::RespondSip& action);
    void perform(const engine::SendSip& action);
    void perform(const engine::Locate& action);
    void perform(const engine::Commit&) {}
    void perform(const engine::Refused& action);
    void perform(const engine::Log&) {}
    void arm();
    void check_bounds() const;

    // what people and networks do
    void schedule_story();
    void sip_user_writes(unsigned number);
    void xmpp_user_writes(unsigned number);
    void stream_up();
    void stream_down();
    void change_options();
    void end_probing();
    void answer_probe(const engine::SendSip& action);

    // the server
    void to_server(xmpp::Stanza stanza);
    void server_reads(const xmpp::Stanza& stanza);
    void to_engine(xmpp::Stanza stanza);

    std::uint64_t seed_;
    std::mt19937_64 random_;
    config::DomainOptions options_;
    engine::Engine engine_;
    Ledger ledger_;
    engine::TimePoint now_{};
    std::multimap<engine::TimePoint, Event> events_;
    std::vector<std::string> trace_;

    bool up_ = false;
    bool stopped_ = false;
    std::uint64_t stream_ = 0;                          ///< what is on an older stream is lost
    engine::TimePoint written_until_{}, read_until_{};  ///< both directions keep their order
    unsigned last_transaction_ = 0;
    std::uint64_t tick_ = 0;
    unsigned in_progress_ = 0;
    unsigned locating_ = 0;
    std::set<engine::Target> dead_;  ///< answer no probe
    bool probing_over_ = false;
};

}  // namespace stox::sim
