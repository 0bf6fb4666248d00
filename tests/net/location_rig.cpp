#include "tests/net/location_rig.h"

#include "tests/net/dns_wire.h"
#include "tests/unit/result_testing.h"

#include <gtest/gtest.h>

#include <random>

namespace stox::net::test {

namespace {

std::string_view name_of(Code code) {
    return code == Code::malformed     ? "malformed"
           : code == Code::unsupported ? "unsupported"
           : code == Code::unavailable ? "unavailable"
                                       : "?";
}

void conclude(const Result<std::vector<Target>>& result, Outcome& outcome) {
    if (!result) {
        outcome.targets = std::string(name_of(result.error().code)) + ": " + result.error().detail;
        return;
    }
    EXPECT_FALSE(result.value().empty());
    outcome.list = result.value();
    for (const auto& target : outcome.list)
        outcome.targets +=
            (outcome.targets.empty() ? "" : ", ") + std::string(to_string(target.transport)) + ' ' + target.endpoint.to_string();
}

}  // namespace

Random seeded(unsigned seed) {
    return [engine = std::mt19937(seed)](std::uint32_t most) mutable {
        return std::uniform_int_distribution<std::uint32_t>(0, most)(engine);
    };
}

Answer& Zone::add(const std::string& name, RecordType type) {
    auto& answer = answers_[{name, type}];
    answer.status = AnswerStatus::found;
    return answer;
}

Zone& Zone::address(const std::string& name, std::string_view text) {
    const auto value = stox::test::value(Address::parse(text));
    add(name, value.is_v4() ? RecordType::a : RecordType::aaaa).records.emplace_back(value);
    return *this;
}

Zone& Zone::srv(const std::string& name, unsigned priority, unsigned weight, unsigned port, std::string_view target) {
    add(name, RecordType::srv)
        .records.emplace_back(SrvRecord{static_cast<std::uint16_t>(priority), static_cast<std::uint16_t>(weight),
                                        static_cast<std::uint16_t>(port), stox::test::value(DnsName::parse(target))});
    return *this;
}

Zone& Zone::naptr(const std::string& name, unsigned order, unsigned preference, std::string_view flags, std::string_view service,
                  std::string_view replacement) {
    add(name, RecordType::naptr)
        .records.emplace_back(NaptrRecord{static_cast<std::uint16_t>(order), static_cast<std::uint16_t>(preference),
                                          std::string(flags), std::string(service),
                                          stox::test::value(DnsName::parse(replacement))});
    return *this;
}

Zone& Zone::status(const std::string& name, RecordType type, AnswerStatus status) {
    answers_[{name, type}] = no_answer(status);
    return *this;
}

Zone& Zone::silent(const std::string& name, RecordType type) {
    silent_.insert({name, type});
    return *this;
}

Answer Zone::answer(const Question& question) const {
    const auto known = answers_.find({question.name.text(), question.type});
    return known == answers_.end() ? no_answer(AnswerStatus::no_such_name) : known->second;
}

Outcome locate(const LocationRequest& request, const Zone& zone, const Capabilities& capabilities, bool last_first,
               unsigned seed) {
    Outcome outcome;
    const TimePoint start = TimePoint{} + std::chrono::hours(1'000);
    TimePoint now = start;
    Location location(request, capabilities, seeded(seed));
    std::vector<Question> open;
    int ends = 0;
    const auto perform = [&](const LocationActions& actions) {
        for (const auto& action : actions) {
            EXPECT_EQ(ends, 0) << "an action after the end";
            if (const auto* ask = std::get_if<Ask>(&action)) {
                EXPECT_EQ(ask->question.domain, request.domain);
                outcome.asked.push_back(ask->question.to_string());
                if (zone.answers(ask->question)) open.push_back(ask->question);
            } else {
                ++ends;
                conclude(std::get<Located>(action).targets, outcome);
            }
        }
    };
    perform(location.start(now));
    for (int steps = 0; ends == 0; ++steps) {
        if (steps > 200) throw std::runtime_error("the search does not end");
        if (!open.empty()) {
            const auto next = last_first ? std::prev(open.end()) : open.begin();
            const auto question = *next;
            open.erase(next);
            perform(location.on_answer(question, zone.answer(question), now));
            continue;
        }
        const auto due = location.next_timeout();
        if (!due || *due < now) throw std::runtime_error("the search waits for nothing");
        now = *due;
        perform(location.on_time(now));
    }
    EXPECT_FALSE(location.next_timeout());
    EXPECT_EQ(ends, 1);
    outcome.took = std::chrono::duration_cast<std::chrono::milliseconds>(now - start);
    EXPECT_LE(outcome.took, Location::kDeadline);
    return outcome;
}

}  // namespace stox::net::test
