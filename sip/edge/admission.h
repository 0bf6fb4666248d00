#pragma once
// Who may speak to us, and how often: judged by address alone, before anything is parsed. No socket; time is an argument.

#include "mapping/core/endpoint.h"
#include "sip/edge/settings.h"

#include <chrono>
#include <deque>
#include <list>
#include <map>
#include <vector>

namespace stox::sip {

class Admission {
public:
    using Time = std::chrono::steady_clock::time_point;
    enum class Verdict { admitted, banned, source_rate, total_rate };
    enum class Accept { accepted, banned, source_full, full };

    explicit Admission(const Limits& limits) : limits_(limits) {}

    /// These sources have no rate, no ban and no number of connections of their own: the configured peers. Replaces those before.
    void trust(std::vector<Prefix> prefixes) { trusted_ = std::move(prefixes); }

    /// One message came from there; an admitted one is charged.
    Verdict message(const Address& source, Time now);
    /// One connection came; an accepted one is counted until `closed`.
    Accept connection(const Address& source, Time now);
    void closed(const Address& source);
    /// A layer above refused what came from there. Returns whether the source is banned from now on.
    bool refused(const Address& source, Time now);
    bool banned(const Address& source, Time now);

    std::size_t connections() const { return connections_; }
    /// How many sources are banned now.
    std::size_t banned_sources(Time now) const;
    std::size_t remembered() const { return sources_.size(); }

private:
    struct Bucket {
        double tokens;
        Time filled;
        bool take(Time now, unsigned rate, unsigned burst);
    };
    struct Source {
        Address key;
        Bucket bucket;
        std::size_t connections = 0;
        std::deque<Time> refusals{};  ///< of the window, at most Limits::Ban::refusals
        Time banned_until{};
    };
    using Sources = std::list<Source>;  ///< the one seen last is in front

    bool trusted(const Address& source) const;
    Source& source(const Address& address, Time now);
    void forget_oldest();

    Limits limits_;
    std::vector<Prefix> trusted_;
    Sources sources_;
    std::map<Address, Sources::iterator> by_address_;
    Bucket total_{-1, {}};
    std::size_t connections_ = 0;
};

}  // namespace stox::sip
