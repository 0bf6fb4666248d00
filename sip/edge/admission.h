#pragma once
// Who may speak to us, and how often: judged by address alone, before anything is parsed. No socket; time is an argument.

#include "mapping/core/endpoint.h"
#include "sip/edge/settings.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <vector>

namespace stox::sip {

/// Anybody can write any source into a datagram, nobody into a connection: what is held against a source by datagrams alone
/// says nothing about who has that address.
enum class Channel { datagram, connection };

class Admission {
public:
    using Time = std::chrono::steady_clock::time_point;
    enum class Verdict { admitted, banned, source_rate, total_rate };
    /// crowded: strangers have all they may have together; with one of them gone there is room.
    enum class Accept { accepted, banned, source_rate, source_full, crowded, full };

    explicit Admission(const Limits& limits) : limits_(limits) {}

    /// These sources have no rate, no ban and no number of connections of their own: the configured peers. Replaces those before.
    void trust(std::vector<Prefix> prefixes) { trusted_ = std::move(prefixes); }
    bool trusted(const Address& source) const;
    /// The address that stands for all that are one source with it.
    static Address source_of(const Address& address);

    /// One message came from there; an admitted one is charged. Datagrams and connections are charged apart.
    Verdict message(const Address& source, Channel channel, Time now);
    /// One datagram with a response came. No ban holds for it, and requests that seem to come from there do not use up its rate.
    Verdict response(const Address& source, Time now);
    /// Whose connection it is: a quarter of all is kept for those that strangers cannot be.
    enum class Guest { stranger, next_hop, peer };
    /// One connection came; an accepted one is counted until `closed`, and charged as Limits::accept_cost messages. Peers are
    /// those that are trusted.
    Accept connection(const Address& source, Guest guest, Time now);
    void closed(const Address& source, Guest guest);
    /// A layer above refused what came from there. Returns whether the source is banned from now on: its datagrams if they earned
    /// it, everything if its connections did.
    bool refused(const Address& source, Channel channel, Time now);
    bool banned(const Address& source, Channel channel, Time now);

    /// Nothing is heard from there for so long, whatever it or others do.
    BanOrder ban(const Address& source, Time until, Time now);
    /// False: nothing was held against it.
    bool unban(const Address& source, Time now);
    std::vector<BannedSource> bans(Time now) const;

    std::size_t connections() const { return connections_; }
    /// How many sources are banned now, by datagrams or wholly.
    std::size_t banned_sources(Time now) const;
    std::size_t remembered() const { return by_address_.size(); }

private:
    struct Bucket {
        double tokens = -1;  ///< below 0: never used, so full
        Time filled{};
        void fill(Time now, unsigned rate, unsigned burst);
        bool take(double cost);
    };
    /// What has a rate of its own.
    enum Rate { requests, responses, connected, rates };
    using Buckets = std::array<Bucket, rates>;
    /// Refusals in the window that is running and in the one before it, and what they led to.
    struct Offences {
        Time window{}, banned_until{};
        std::uint32_t before = 0, count = 0;
        bool add(Time now, const Limits::Ban& ban);
    };
    struct Source {
        Address key;
        Buckets buckets{};
        std::size_t connections = 0;
        Offences by_datagram{}, by_connection{};
        bool banned(Channel channel, Time now) const;
    };
    using Sources = std::list<Source>;

    bool barred(const Address& key, Time now) const;
    std::size_t* site(const Address& address);
    Source& source(const Address& address);
    Verdict charge(Source& source, Rate rate, double cost, Time now);

    Limits limits_;
    std::vector<Prefix> trusted_;
    Sources sources_;    ///< the one seen last is in front
    Sources connected_;  ///< those with connections, whose number must stay known: no more than there are of these
    std::map<Address, Sources::iterator> by_address_;
    std::map<Address, Time> barred_;  ///< by an operator, until then; apart, since spoofed sources push rows out of the others
    Buckets total_{};
    std::map<Address, std::size_t> sites_;  ///< connections of each /48 of IPv6
    std::size_t connections_ = 0, strangers_ = 0;
};

}  // namespace stox::sip
