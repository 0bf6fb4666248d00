#pragma once
// A Location against a zone in memory: asks, answers and time-outs without a socket, faster than real time.

#include "net/location.h"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace stox::net::test {

/// What the DNS says. Names that are not in it do not exist.
class Zone {
public:
    Zone& address(const std::string& name, std::string_view text);
    Zone& srv(const std::string& name, unsigned priority, unsigned weight, unsigned port, std::string_view target);
    Zone& naptr(const std::string& name, unsigned order, unsigned preference, std::string_view flags, std::string_view service,
                std::string_view replacement);
    /// The question is answered with that status.
    Zone& status(const std::string& name, RecordType type, AnswerStatus status);
    /// The question is never answered.
    Zone& silent(const std::string& name, RecordType type);

    bool answers(const Question& question) const { return !silent_.contains({question.name.text(), question.type}); }
    Answer answer(const Question& question) const;

private:
    using Key = std::pair<std::string, RecordType>;
    Answer& add(const std::string& name, RecordType type);
    std::map<Key, Answer> answers_;
    std::set<Key> silent_;
};

struct Outcome {
    std::string targets;             ///< "tls 192.0.2.1:5061, udp [2001:db8::1]:5060", or "unavailable: why"
    std::vector<std::string> asked;  ///< "SRV of _sip._udp.example.com", in order
    std::vector<Target> list;
    std::chrono::milliseconds took{0};
};

/// Runs the search to its end. Fails the test when it does not end by its deadline or ends twice.
/// last_first  answers the newest question first
Outcome locate(const LocationRequest& request, const Zone& zone, const Capabilities& capabilities = {}, bool last_first = false,
               unsigned seed = 1);

/// Repeats for the seed.
Random seeded(unsigned seed);

}  // namespace stox::net::test
