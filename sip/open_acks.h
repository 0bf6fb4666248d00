#pragma once
// Calls that were answered with a 2xx and wait for their ACK: how many, of whom. Inside sip/ only.

#include "mapping/core/endpoint.h"

#include <cstddef>
#include <map>

namespace stox::sip {

/// For each repetition of such an answer nta looks through all of them, so that their cost grows with the square of their number:
/// with 16,000 of one stranger, who needs 500 INVITEs a second for it, nothing else was served. Sources are counted by
/// themselves, so that one that does not acknowledge leaves room for others.
class OpenAcks {
public:
    /// all, of_source  how many there may be; an IPv6 /64 is one source
    OpenAcks(std::size_t all, std::size_t of_source) : all_(all), of_source_(of_source) {}

    /// For one more call of that source.
    bool has_room(const Address& source) const;
    void add(const Address& source);
    /// Once for each that was added.
    void remove(const Address& source);

private:
    std::size_t all_, of_source_;
    std::size_t open_ = 0;
    std::map<Address, std::size_t> sources_;
};

}  // namespace stox::sip
