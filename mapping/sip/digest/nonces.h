#pragma once
// Nonces that need no memory until someone has proved to know a secret with them, and the counts of those.

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace stox::sip::digest {

using TimePoint = std::chrono::steady_clock::time_point;
using Key = std::array<std::uint8_t, 32>;  ///< random octets, new in each process

/// A nonce is its time and serial number under an HMAC-SHA-256; each is made once.   (RFC 7616 §3.3)
class Nonces {
public:
    struct Limits {
        std::chrono::milliseconds lifetime = std::chrono::minutes(5);
        std::size_t counted = 10'000;  ///< nonces whose counts are remembered; beyond it the oldest becomes stale
    };
    enum class Use {
        fresh,     ///< first use with this count; it is remembered
        stale,     ///< not ours, too old, forgotten, or a count too far behind to tell
        replayed,  ///< was used with this count before
    };

    /// realm   bound into every nonce, so that one key may serve several
    Nonces(std::string realm, const Key& key, Limits limits);

    /// 64 hex digits.
    std::string make(TimePoint now);
    /// Counts may come in any order within 64 of the highest (requests overtake each other on UDP). Call it only for
    /// credentials that are right: what strangers send is not to be remembered.
    /// count   absent: a client of RFC 2069, for whom a nonce is good for one request
    Use use(std::string_view nonce, std::optional<std::uint32_t> count, TimePoint now);
    std::size_t counted() const { return counts_.size(); }

private:
    struct Stamp {
        std::uint64_t made_ms = 0;
        std::uint64_t serial = 0;
    };
    struct Counts {
        std::uint64_t made_ms = 0;
        std::uint32_t highest = 0;
        std::uint64_t seen = 0;  ///< bit i: highest - i was used
    };

    std::string text_of(const Stamp& stamp) const;
    std::optional<Stamp> read(std::string_view nonce) const;
    bool expired(std::uint64_t made_ms, TimePoint now) const;
    void remember(const Stamp& stamp, Counts counts, TimePoint now);
    void forget_oldest();

    std::string realm_;
    Key key_;
    Limits limits_;
    std::uint64_t next_serial_ = 1;
    std::map<std::uint64_t, Counts> counts_;  ///< by serial, so the oldest stands first
    std::uint64_t forgotten_up_to_ = 0;       ///< serials up to here that are not in counts_ may have been used
};

}  // namespace stox::sip::digest
