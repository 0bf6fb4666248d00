#pragma once
// Session timers: both sides agree how often a session is refreshed, and end it when it is not.   (RFC 4028)

#include "mapping/sip/dialog_action.h"

#include <optional>
#include <string>

namespace stox::sip {

enum class Refresher { us, peer };

/// Session-Expires as it stands in a message.   errors of reading: nullopt
struct SessionExpires {
    std::chrono::seconds interval{0};
    enum class Role { none, uac, uas } refresher = Role::none;

    static std::optional<SessionExpires> read(const std::string* value);
    std::string to_string() const;
    friend bool operator==(const SessionExpires&, const SessionExpires&) = default;
};

/// The timer of one dialog.
class SessionTimer {
public:
    /// Supported, Session-Expires and Min-SE for an INVITE, re-INVITE or UPDATE of ours.   (RFC 4028 §7.1, §7.4)
    void ask(Request& request, const CallSettings& settings) const;
    /// A 2xx to such a request came; `asked` is what ask() had put into it.   (RFC 4028 §7.2)
    void agreed(const Response& response, const Request& asked, TimePoint now);
    /// A 422 came. false: it names no larger interval than we had asked for, so that asking again is vain.   (RFC 4028 §7.3)
    bool raise(const Response& too_small, const Request& asked);

    /// 422 with our Min-SE if the request asks for a shorter session than we accept.   (RFC 4028 §9)
    static std::optional<Response> refuse(const Request& request, const CallSettings& settings);
    /// Session-Expires, Require and Supported for our 2xx to such a request, and the timer runs from now.   (RFC 4028 §9)
    void accept(const Request& request, Response& response, const CallSettings& settings, TimePoint now);

    /// When we must refresh: half the interval after the last 2xx, if that is our part.
    std::optional<TimePoint> refresh_due() const { return refresh_due_; }
    /// When the session ends unless refreshed: min(32 s, a third) before the interval is over.   (RFC 4028 §10)
    std::optional<TimePoint> end_due() const { return end_due_; }
    /// A refresh is under way.
    void refreshing() { refresh_due_.reset(); }
    /// It failed, which does not extend the session: another one in the middle of the time that is left, if 10 s come before.
    void retry(TimePoint now);

private:
    void run(std::chrono::seconds interval, Refresher refresher, TimePoint now);
    void stop();

    std::optional<std::chrono::seconds> interval_;
    Refresher refresher_ = Refresher::us;
    std::chrono::seconds min_{0};  ///< the largest Min-SE met; 0: none
    std::optional<TimePoint> refresh_due_, end_due_;
};

}  // namespace stox::sip
