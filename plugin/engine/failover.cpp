#include "plugin/engine/failover.h"

#include "mapping/core/assert.h"

namespace stox::engine {

Failover::Failover(std::string_view method, std::vector<Target> targets)
    : targets_(std::move(targets)), may_repeat_(method == "INVITE" || method == "OPTIONS" || method == "SUBSCRIBE") {
    STOX_ASSERT(!targets_.empty());
}

void Failover::sent(TimePoint now) {
    sent_at_ = now;
    // The last one gets all the time its transaction has.
    deadline_ = may_repeat_ && current_ + 1 < targets_.size() ? std::optional(now + kSilence) : std::nullopt;
}

Failover::Step Failover::on_provisional() {
    deadline_.reset();
    return Step::wait;
}

Failover::Step Failover::on_final(int status, LocalFailure local, TimePoint now) {
    deadline_.reset();
    switch (local) {
        case LocalFailure::none:
            return status == 503 ? advance() : Step::final;
        case LocalFailure::unsent:
            return advance();
        case LocalFailure::transport: {
            // ICMP answers one datagram. With a single copy out, nobody has it; with two, the other one may have arrived.
            const bool refused_unread = target().transport == Transport::udp && now - sent_at_ < kOneCopy;
            return may_repeat_ || refused_unread ? advance() : Step::final;
        }
        case LocalFailure::timeout:
            return may_repeat_ ? advance() : Step::final;
    }
    return Step::final;
}

Failover::Step Failover::on_time(TimePoint now) {
    if (!deadline_ || *deadline_ > now) return Step::wait;
    deadline_.reset();
    return advance() == Step::next ? Step::next : Step::wait;
}

Failover::Step Failover::advance() {
    if (current_ + 1 >= targets_.size()) return Step::final;
    ++current_;
    return Step::next;
}

}  // namespace stox::engine
