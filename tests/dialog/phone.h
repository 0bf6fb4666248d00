#pragma once
// A user who calls, answers, changes his mind and hangs up, all by chance; and who knows the rules of offer and answer.

#include "tests/dialog/wire.h"

namespace stox::test {

/// How likely a phone does what, in percent.
struct Habits {
    unsigned offer = 80;         ///< in an INVITE
    unsigned reliable = 50;      ///< a provisional
    unsigned early_answer = 40;  ///< a description in it
    unsigned never = 3;          ///< says nothing where an answer is owed
    unsigned refuse = 15;        ///< an INVITE, a change, a subscription
    unsigned longest_call_s = 120;
    bool updates = true;  ///< Allow says UPDATE
};

class Phone : public Node {
public:
    Phone(Net& net, std::string host, sip::UserAgent::Settings settings, Habits habits);

    void call(const std::string& host);
    void subscribe(const std::string& host, bool several);
    /// Each call and subscription had its end told exactly once.
    void check_told() const;
    std::size_t established = 0, notified = 0, modified = 0, unacknowledged = 0;

protected:
    void application(const sip::Action& action) override;

private:
    struct Call {
        bool ours = false;
        bool answered = false;              ///< Answered came, or we sent 2xx
        int ends = 0;                       ///< Failed or Ended
        bool refused = false;               ///< by us: nothing more is told
        std::string tag{};                  ///< of the peer: of the first provisional, later of the winner
        std::optional<std::string> owed{};  ///< offer to be answered
        std::string offered{};              ///< our last one
        std::set<std::string> said{};       ///< all our descriptions
    };
    struct Subscription {
        bool ours = false;
        int ends = 0;
        bool denied = false;
        int news = 0;
    };
    template <class T>
    void on(const T&) {}
    void on(const sip::Progressed& event);
    void on(const sip::Answered& event);
    void on(const sip::Failed& event);
    void on(const sip::Established& event);
    void on(const sip::AnsweredByPrack& event);
    void on(const sip::ModifyRequested& event);
    void on(const sip::Modified& event);
    void on(const sip::Requested& event);
    void on(const sip::Ended& event);
    void on(const sip::Invited& event);
    void on(const sip::SubscriptionWanted& event);
    void on(const sip::ReferWanted& event);
    void on(const sip::Forked& event);
    void on(const sip::Notified& event);
    void on(const sip::SubscriptionEnded& event);
    void note(Call& call, sip::DescriptionRole role, const std::string& body);
    sip::Description description(sip::UsageKey key);
    void later(unsigned most_ms, std::function<void(sip::UserAgent::Actions&)> input);
    void answer_in_time(sip::UsageKey key);
    void live(sip::UsageKey key);
    void grant(sip::UsageKey key);
    bool likely(unsigned percent) { return net_.below(100) < percent; }
    sip::Request first(const std::string& method, const std::string& host);

    Habits habits_;
    std::map<sip::UsageKey, Call> calls_;
    std::map<sip::UsageKey, Subscription> subscriptions_;
};

}  // namespace stox::test
