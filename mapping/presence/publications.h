#pragma once
// What the devices of SIP contacts have published of themselves (RFC 3903): each publication under an entity tag, until it
// lapses, and what those of one contact say together.
//
// Of one resource the latest publication counts: a phone that has lost its tag publishes beside what it said before. Nothing here
// outlives the process: who refreshes what is not known is told so, and publishes anew.   (RFC 3903 §6, step 3)

#include "mapping/presence/state.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace stox::presence {

/// One PUBLISH, read and allowed.
struct Publish {
    std::string contact;  ///< bare address
    std::string peer;     ///< who vouches for it: nobody else's SIP-If-Match finds it
    std::optional<std::string> if_match{};
    std::chrono::seconds expires{};        ///< 0: it is taken back
    std::optional<Presentity> document{};  ///< none: what was said still holds
    std::string by{};                      ///< the identity that the peer has vouched for
};

/// What publications may take.
struct PublicationLimits {
    std::size_t of_contact = 16;  ///< a further one takes the place of that which was refreshed longest ago
    std::size_t of_peer = 10'000;
    std::size_t in_all = 20'000;
    std::size_t octets = 32 * 1'048'576;  ///< of all documents together
    std::size_t octets_of_peer = octets / 2;
};

class Publications {
public:
    using TimePoint = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::seconds kApart{1};  ///< a contact's are looked at once in that time, however often they change

    Publications() = default;
    explicit Publications(const PublicationLimits& limits) : limits_(limits) {}

    enum class Outcome {
        taken,
        no_match,     ///< 412: there is none with that tag
        no_document,  ///< 400: nothing was said before that could still hold
        full,         ///< what was there stays
    };
    /// tag  a new one that nobody can guess: it names the publication from now on
    Outcome publish(Publish what, std::string tag, TimePoint now);

    /// Which state of the contact's publications this is; none: there are none, or none says anything.
    std::optional<std::uint64_t> version(const std::string& contact) const;
    /// What they say together; who is of no publication is gone. Composed once for each version; good until the next call.
    const Presentity& composed(const std::string& contact);

    /// A contact of whom something else is published now, or nothing any more.
    std::optional<std::string> take_changed(TimePoint now);
    std::optional<TimePoint> next_timeout() const;

    /// Those of other peers, or by whom they may not speak for, are forgotten.
    void keep(const std::function<bool(const std::string& peer, const std::string& by)>& is_wanted, TimePoint now);

    std::size_t size() const { return size_; }
    std::size_t octets() const { return octets_; }

private:
    struct Publication {
        std::string tag, peer, by;
        Presentity document;
        std::size_t octets;
        TimePoint until;
        std::uint64_t said, refreshed;  ///< in order: when it said something, and that it still holds
    };
    struct Entry {
        std::vector<Publication> all{};
        std::uint64_t version = 0;
        std::optional<Presentity> composed{};  ///< of that version
        bool changed = false;
        TimePoint look_at{};             ///< not before
        std::optional<TimePoint> due{};  ///< as it stands among the dues
    };
    using Entries = std::map<std::string, Entry>;

    Outcome begin(Entry& entry, Publish what, std::string tag, TimePoint now);
    Outcome go_on(Entry& entry, Publish what, std::string tag, TimePoint now);
    bool has_room(const std::string& peer, std::size_t octets, const Publication* replaced) const;
    bool has_room_for(std::size_t octets, const Publication& instead_of) const;
    void drop(Entry& entry, std::size_t which);
    void drop_lapsed(Entry& entry, TimePoint now);
    void note_change(Entry& entry);
    static Presentity compose(const Entry& entry);
    void settle(Entries::iterator entry);

    PublicationLimits limits_{};
    Entries entries_;
    std::set<std::pair<TimePoint, std::string>> dues_;
    struct Share {
        std::size_t count = 0, octets = 0;
    };
    std::map<std::string, Share> per_peer_;
    std::size_t size_ = 0, octets_ = 0;
    std::uint64_t last_ = 0;
};

}  // namespace stox::presence
