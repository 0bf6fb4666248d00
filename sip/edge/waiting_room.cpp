#include "sip/edge/waiting_room.h"

#include <utility>

namespace stox::sip {

bool WaitingRoom::enter(std::size_t listener, const stox::Endpoint& from, std::string_view octets) {
    if (waiting_.size() >= kDatagrams || octets_ + octets.size() > kOctets) return false;
    waiting_.push_back({listener, from, std::string(octets)});
    octets_ += octets.size();
    return true;
}

WaitingRoom::Datagram WaitingRoom::leave() {
    auto first = std::move(waiting_.front());
    waiting_.pop_front();
    octets_ -= first.octets.size();
    return first;
}

}  // namespace stox::sip
