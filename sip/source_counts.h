#pragma once
// How many of something there are: of each source, and in all. Inside sip/ only.

#include "mapping/core/endpoint.h"

#include <cstddef>
#include <map>

namespace stox::sip {

/// For what nta repeats: its lists are sorted by time and walked for each repetition, so that their cost grows with the square of
/// their length. 16,000 calls of one stranger that nobody acknowledged, or as many notifications that nobody answered, left no
/// time for anything else; 500 requests a second are enough for them. Sources are counted by themselves, so that one leaves room
/// for others.
class SourceCounts {
public:
    /// all, of_source  how many there may be; an IPv6 /64 is one source
    SourceCounts(std::size_t all, std::size_t of_source) : all_(all), of_source_(of_source) {}

    bool is_full() const { return count_ >= all_; }
    /// For one more of that source.
    bool has_room(const Address& source) const;
    void add(const Address& source);
    /// Once for each that was added.
    void remove(const Address& source);

private:
    std::size_t all_, of_source_;
    std::size_t count_ = 0;
    std::map<Address, std::size_t> sources_;
};

}  // namespace stox::sip
