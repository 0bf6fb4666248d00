#pragma once
// How far the server has surely taken what was written to the component stream.
//
// XEP-0114 acknowledges nothing. An IQ ping sent after a stanza is answered after the server dealt with that stanza, so its
// answer is the proof, and an error stanza that came before it is the stanza's fate. One ping is outstanding and covers all
// that was written before it; what is written meanwhile waits for the next one.

#include "plugin/engine/engine.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace stox::engine {

class Barrier {
public:
    static constexpr std::chrono::seconds kAnswerIn{10};  ///< then another ping goes out
    static constexpr std::size_t kWindow = 1'024;         ///< stanzas that no barrier covers yet
    static constexpr std::size_t kWindowOctets = 4u << 20;

    /// The place of a stanza on this stream; the first is 1.
    using Position = std::uint64_t;

    /// Whether another stanza may be written before the server has taken some.
    bool has_room() const { return uncovered() < kWindow && octets_ < kWindowOctets; }
    /// A stanza goes out that has to arrive.
    Position written(std::size_t octets);
    std::size_t uncovered() const { return sizes_.size(); }

    /// Whether a ping has to go out now; then its id is what `sent` gets.
    bool wants_ping() const { return !ping_ && uncovered() != 0; }
    void sent(std::string ping_id, TimePoint now);
    bool is_answer(std::string_view iq_id) const { return ping_ && *ping_ == iq_id; }
    std::optional<TimePoint> deadline() const { return ping_ ? std::optional(deadline_) : std::nullopt; }

    /// The ping was answered: everything up to there is with the server.
    Position answered();
    /// Its time is over; what it would have covered waits for the next one.
    void overdue() { ping_.reset(); }
    /// Nothing is known of what was not covered, and never will be.
    void stream_lost();

private:
    Position written_ = 0, covered_ = 0, covering_ = 0;
    std::deque<std::size_t> sizes_;  ///< of the uncovered ones
    std::size_t octets_ = 0;
    std::optional<std::string> ping_;
    TimePoint deadline_{};
};

}  // namespace stox::engine
