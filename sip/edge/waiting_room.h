#pragma once
// Datagrams of strangers on their way to the transactions: a portion of them in each turn, so that a peer's does not wait for all
// that strangers sent before it. Without it the kernel's queue, which knows no peers, would be the place where all wait.

#include "mapping/core/endpoint.h"

#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <string_view>

namespace stox::sip {

class WaitingRoom {
public:
    struct Datagram {
        std::size_t listener;
        stox::Endpoint from;
        std::string octets;
    };
    /// Who shares what a source may fill: a stranger's site (an IPv6 /64), which has as many addresses as it likes; or the one
    /// address of who is known, whatever their neighbours send.
    enum class Whose { site, address };

    static constexpr std::size_t kPortion = 32;
    static constexpr std::size_t kDatagrams = 2'048, kOctets = 8u << 20;

    /// False: it is full, of that source or of all, and this one is lost as if the kernel had lost it. A source may fill a
    /// quarter.
    bool enter(std::size_t listener, const stox::Endpoint& from, std::string_view octets, Whose whose);
    bool empty() const { return waiting_.empty(); }
    /// Whether one of that very address waits: who is no stranger any more does not pass what it sent before.
    bool holds(const Address& address) const { return !addresses_.empty() && addresses_.contains(address); }
    /// The one that has waited longest. Not of an empty one.
    Datagram leave();

private:
    struct Held {
        std::size_t datagrams = 0, octets = 0;
    };

    struct Place {
        Datagram datagram;
        Address source;
        Whose whose;
    };
    std::map<Address, Held>& held(Whose whose) { return whose == Whose::site ? sites_ : known_; }

    std::deque<Place> waiting_;
    std::size_t octets_ = 0;
    std::map<Address, Held> sites_, known_;
    std::map<Address, std::size_t> addresses_;
};

}  // namespace stox::sip
