#pragma once
// What plays of a relation over the dialog layer have in common: addresses, the user agent's requests on their way, and what
// becomes of those that nobody answers.

#include "mapping/sip/user_agent.h"
#include "tests/fuzz/octets.h"

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace stox::fuzz {

inline sip::NameAddr address(const std::string& host, std::string tag = {}) {
    sip::NameAddr made;
    made.uri.user = "u";
    made.uri.host = host;
    made.tag = std::move(tag);
    return made;
}

struct Sent {
    sip::RequestKey key;
    sip::Request request;
    sip::TimePoint at{};
    bool answered = false;
};

/// Requests of ours, the latest last.
class AllSent {
public:
    void add(sip::RequestKey key, sip::Request request, sip::TimePoint now) { all_.push_back({key, std::move(request), now}); }
    void clear() { all_.clear(); }
    /// Null: there was none.
    const Sent* any(Octets& in) { return in.of(all_); }
    /// One that has no answer and gets one now; null: there is none.
    const Sent* unanswered(Octets& in) {
        auto* sent = in.of(all_);
        return sent && !std::exchange(sent->answered, true) ? sent : nullptr;
    }
    /// Transactions answer for who stays silent.   (Timer F)
    template <class Answer>
    void time_out(sip::TimePoint now, Answer answer) {
        for (std::size_t i = 0; i < all_.size(); ++i) {
            if (all_[i].at + std::chrono::seconds(32) > now || std::exchange(all_[i].answered, true)) continue;
            sip::IncomingResponse silence{all_[i].key, {}, {}};
            silence.response.status = 408;
            answer(silence);
        }
    }

private:
    std::vector<Sent> all_;
};

}  // namespace stox::fuzz
