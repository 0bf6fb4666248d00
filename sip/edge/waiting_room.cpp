#include "sip/edge/waiting_room.h"

#include "sip/edge/admission.h"

#include <utility>

namespace stox::sip {

bool WaitingRoom::enter(std::size_t listener, const stox::Endpoint& from, std::string_view octets) {
    if (waiting_.size() >= kDatagrams || octets_ + octets.size() > kOctets) return false;
    auto& source = sources_[Admission::source_of(from.address)];
    if (source.datagrams >= kDatagrams / 4 || source.octets + octets.size() > kOctets / 4) return false;
    waiting_.push_back({listener, from, std::string(octets)});
    octets_ += octets.size();
    ++source.datagrams;
    source.octets += octets.size();
    return true;
}

bool WaitingRoom::holds(const Address& source) const {
    return !sources_.empty() && sources_.contains(Admission::source_of(source));
}

WaitingRoom::Datagram WaitingRoom::leave() {
    auto first = std::move(waiting_.front());
    waiting_.pop_front();
    octets_ -= first.octets.size();
    const auto source = sources_.find(Admission::source_of(first.from.address));
    source->second.octets -= first.octets.size();
    if (--source->second.datagrams == 0) sources_.erase(source);
    return first;
}

}  // namespace stox::sip
