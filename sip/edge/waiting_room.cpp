#include "sip/edge/waiting_room.h"

#include "sip/edge/admission.h"

#include <utility>

namespace stox::sip {

bool WaitingRoom::enter(std::size_t listener, const stox::Endpoint& from, std::string_view octets, Whose whose) {
    if (waiting_.size() >= kDatagrams || octets_ + octets.size() > kOctets) return false;
    const auto source = whose == Whose::site ? Admission::source_of(from.address) : from.address;
    auto& held = this->held(whose)[source];
    if (held.datagrams >= kDatagrams / 4 || held.octets + octets.size() > kOctets / 4) return false;
    waiting_.push_back({{listener, from, std::string(octets)}, source, whose});
    octets_ += octets.size();
    ++held.datagrams;
    held.octets += octets.size();
    ++addresses_[from.address];
    return true;
}

WaitingRoom::Datagram WaitingRoom::leave() {
    auto [first, source, whose] = std::move(waiting_.front());
    waiting_.pop_front();
    octets_ -= first.octets.size();
    auto& all = held(whose);
    const auto of_source = all.find(source);
    of_source->second.octets -= first.octets.size();
    if (--of_source->second.datagrams == 0) all.erase(of_source);
    const auto address = addresses_.find(first.from.address);
    if (--address->second == 0) addresses_.erase(address);
    return std::move(first);
}

}  // namespace stox::sip
