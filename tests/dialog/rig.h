#pragma once
// One dialog layer under the test's hands: it says what comes from the peer and the application, and reads what is done as words.

#include "mapping/sip/user_agent.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

namespace stox::test {

using Words = std::vector<std::string>;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// What a message of the peer says beyond its status or method.
struct Say {
    std::string tag = "b";  ///< the peer's
    std::string body{};     ///< of application/sdp, unless type says other
    std::vector<sip::Header> headers{};
    std::vector<sip::Header> credentials{};  ///< that the transaction layer found for a challenge
    std::string contact = "peer.example";    ///< empty: none
    std::string type = "application/sdp";
    std::vector<sip::NameAddr> record_routes{};
    bool others = false;  ///< a failure, and the request went to other targets as well
};

sip::NameAddr address(const std::string& host, const std::string& tag = {});
sip::Description sdp(const std::string& text);

class Rig {
public:
    explicit Rig(sip::UserAgent::Settings settings = {});

    sip::TimePoint now{std::chrono::hours(1)};
    sip::UserAgent agent;
    std::deque<sip::Action> all;  ///< since the beginning
    std::string call_id = "c1";
    std::string ours = "a";  ///< our tag; of calls to us the last one made
    std::uint32_t peer_cseq = 100;
    std::uint32_t chance = 0;                   ///< what every random number is, where it fits
    std::string tag_prefix{};                   ///< of our tags
    sip::NameAddr own = address("us.example");  ///< our Contact

    // ---- The application ----
    /// An INVITE, with an offer unless it is empty.
    sip::UsageKey call(const std::string& offer = "O", std::vector<sip::Header> headers = {});
    sip::UsageKey subscribe(std::vector<sip::Header> headers, bool several = false, const std::string& method = "SUBSCRIBE");
    /// Whatever else it does: `rig.does([&](auto& out) { rig.agent.hang_up(key, {}, rig.now, out); })`.
    template <class Do>
    Words does(Do work) {
        std::vector<sip::Action> out;
        work(out);
        return take(std::move(out));
    }

    // ---- The peer ----
    /// A response to the last request of ours with that method.
    Words response(const std::string& method, int status, Say say = {});
    /// A first INVITE, SUBSCRIBE or REFER from it.
    Words first(const std::string& method, Say say = {});
    /// A request inside the dialog, with the next CSeq unless one is given.
    Words inside(const std::string& method, Say say = {}, std::uint32_t cseq = 0);
    Words ack(std::uint32_t invite_cseq, Say say = {});

    /// Time goes by, with every timer on its way.
    Words pass(milliseconds time);

    // ---- What was done ----
    template <class T>
    const T& last() const {
        for (auto at = all.rbegin(); at != all.rend(); ++at)
            if (const auto* found = std::get_if<T>(&*at)) return *found;
        throw std::runtime_error("no such action");
    }
    /// The last request of ours with that method.
    const sip::SendRequest& sent(const std::string& method) const;
    sip::TransactionId transaction = 0;  ///< of the peer's last request but ACK
    /// Nothing is left of any call or subscription.
    bool empty() const { return agent.usages() == 0 && agent.dialogs() == 0 && !agent.next_timeout(); }

private:
    Words take(std::vector<sip::Action> out);
    sip::Request from_peer(const std::string& method, const Say& say) const;
    unsigned tags_ = 0;
};

}  // namespace stox::test
