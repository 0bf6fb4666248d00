#include "mapping/sip/session_timer.h"

#include "mapping/sip/header_values.h"

#include <algorithm>

namespace stox::sip {

namespace {

using std::chrono::seconds;

constexpr seconds kLeast{90};         // RFC 4028 §5
constexpr seconds kMost{7 * 86'400};  // nobody means more, and sums stay far from overflow
constexpr seconds kEndEarly{32};      // RFC 4028 §10
constexpr seconds kRetryLeast{10};

std::optional<seconds> read_min_se(const std::string* value) {
    const auto number = leading_number(value);
    return number ? std::optional(std::min(seconds(*number), kMost)) : std::nullopt;
}

bool supports_timer(const Request& request) { return has_token(request.headers, "Supported", "timer"); }

}  // namespace

std::optional<SessionExpires> SessionExpires::read(const std::string* value) {
    if (!value) return std::nullopt;
    const auto parts = read_parameterized(*value);
    if (!parts) return std::nullopt;
    const auto number = read_number(parts.value().value);
    if (!number) return std::nullopt;
    SessionExpires read{std::min(seconds(*number), kMost)};
    if (const auto* role = parts.value().parameter("refresher"); role && role->value) {
        if (same_token(*role->value, "uac")) read.refresher = Role::uac;
        if (same_token(*role->value, "uas")) read.refresher = Role::uas;
    }
    return read;
}

std::string SessionExpires::to_string() const {
    auto text = std::to_string(interval.count());
    if (refresher != Role::none) text += refresher == Role::uac ? ";refresher=uac" : ";refresher=uas";
    return text;
}

void SessionTimer::ask(Request& request, const CallSettings& settings) const {
    request.headers.push_back({"Supported", "timer"});
    const auto wanted = interval_.value_or(settings.session_interval);
    if (wanted == seconds(0)) return;
    SessionExpires expires{std::max({wanted, min_, kLeast})};
    // The role does not change on a refresh.   (RFC 4028 §7.4)
    if (interval_) expires.refresher = refresher_ == Refresher::us ? SessionExpires::Role::uac : SessionExpires::Role::uas;
    request.headers.push_back({"Session-Expires", expires.to_string()});
    if (min_ > seconds(0)) request.headers.push_back({"Min-SE", std::to_string(min_.count())});
}

void SessionTimer::agreed(const Response& response, const Request& asked, TimePoint now) {
    using Role = SessionExpires::Role;
    if (const auto expires = SessionExpires::read(response.header("Session-Expires")))
        return run(expires->interval, expires->refresher == Role::uas ? Refresher::peer : Refresher::us, now);
    // The peer knows no timer: it is ours alone, and so are the refreshes.
    if (const auto expires = SessionExpires::read(asked.header("Session-Expires")))
        return run(expires->interval, Refresher::us, now);
    stop();
}

bool SessionTimer::raise(const Response& too_small, const Request& asked) {
    const auto least = read_min_se(too_small.header("Min-SE"));
    const auto had = SessionExpires::read(asked.header("Session-Expires"));
    if (!least || !had || *least <= had->interval) return false;
    min_ = std::max(min_, *least);
    return true;
}

std::optional<Response> SessionTimer::refuse(const Request& request, const CallSettings& settings) {
    const auto expires = SessionExpires::read(request.header("Session-Expires"));
    const auto least = std::max(settings.min_session_interval, kLeast);
    if (!expires || !supports_timer(request) || expires->interval >= least) return std::nullopt;
    Response response;
    response.status = 422;
    response.headers.push_back({"Min-SE", std::to_string(least.count())});
    return response;
}

void SessionTimer::accept(const Request& request, Response& response, const CallSettings& settings, TimePoint now) {
    using Role = SessionExpires::Role;
    const auto asked = SessionExpires::read(request.header("Session-Expires"));
    const auto peer_min = read_min_se(request.header("Min-SE"));
    if (peer_min) min_ = std::max(min_, *peer_min);
    response.headers.push_back({"Supported", "timer"});
    const auto ours = settings.session_interval;
    if (!asked && ours == seconds(0)) return stop();
    // Never longer than asked, never shorter than the least anybody on the way stands.
    auto interval = asked ? asked->interval : ours;
    if (ours > seconds(0)) interval = std::min(interval, ours);
    interval = std::max({interval, peer_min.value_or(kLeast), kLeast});
    SessionExpires answer{interval, Role::uas};
    // RFC 4028 table 2: the caller's choice stands; without one the caller refreshes if it can.
    if (supports_timer(request) && (!asked || asked->refresher != Role::uas)) answer.refresher = Role::uac;
    if (supports_timer(request)) response.headers.push_back({"Require", "timer"});
    response.headers.push_back({"Session-Expires", answer.to_string()});
    run(interval, answer.refresher == Role::uas ? Refresher::us : Refresher::peer, now);
}

void SessionTimer::run(seconds interval, Refresher refresher, TimePoint now) {
    // A shorter one would let the peer make us send without end.   (RFC 4028 §11.1)
    interval = std::clamp(interval, kLeast, kMost);
    interval_ = interval;
    refresher_ = refresher;
    refresh_due_ = refresher == Refresher::us ? std::optional(now + interval / 2) : std::nullopt;
    end_due_ = now + interval - std::min(kEndEarly, interval / 3);
}

void SessionTimer::retry(TimePoint now) {
    if (!end_due_ || refresher_ != Refresher::us || (*end_due_ - now) / 2 < kRetryLeast) return;
    refresh_due_ = now + (*end_due_ - now) / 2;
}

void SessionTimer::stop() {
    interval_.reset();
    refresh_due_.reset();
    end_due_.reset();
}

}  // namespace stox::sip
