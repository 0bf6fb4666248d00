#include "plugin/engine/barrier.h"

namespace stox::engine {

Barrier::Position Barrier::written(std::size_t octets) {
    sizes_.push_back(octets);
    octets_ += octets;
    return ++written_;
}

void Barrier::sent(std::string ping_id, TimePoint now) {
    ping_ = std::move(ping_id);
    deadline_ = now + kAnswerIn;
    covering_ = written_;
}

Barrier::Position Barrier::answered() {
    ping_.reset();
    for (; covered_ < covering_; ++covered_) {
        octets_ -= sizes_.front();
        sizes_.pop_front();
    }
    return covered_;
}

void Barrier::stream_lost() {
    ping_.reset();
    covered_ = written_;
    sizes_.clear();
    octets_ = 0;
}

}  // namespace stox::engine
