#pragma once
// Every order of so many inputs to one machine, breadth first: a state that equals one seen before is gone on from once.

#include <deque>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace stox::test {

/// A rule that the machine or its surroundings did not keep.
struct Broken : std::runtime_error {
    using std::runtime_error::runtime_error;
};
inline void require(bool kept, const std::string& rule) {
    if (!kept) throw Broken(rule);
}

struct Explored {
    std::size_t states = 0;  ///< that differ
    std::size_t steps = 0;   ///< inputs given on the way to them
    std::string broken{};    ///< the first rule that broke and what led there, shortest first
};

/// Case   made anew it is at the beginning, and given the same inputs it does the same.
///   std::vector<std::string> inputs() const   those that can come now
///   void give(const std::string& input)       and looks at what came out; throws Broken
///   std::string key() const                   of states that go on the same the same
///   void end()                                everything is brought to its end from here; throws Broken
template <class Case>
Explored explore(unsigned depth) {
    using Path = std::vector<std::string>;
    Explored explored;
    std::set<std::string> seen;
    std::deque<Path> waiting{Path{}};
    const auto at = [&](const Path& path) {
        auto one = std::make_unique<Case>();
        for (const auto& input : path) one->give(input);
        return one;
    };
    const auto visit = [&](Path path) {
        ++explored.steps;
        try {
            auto one = at(path);
            if (!seen.insert(one->key()).second) return;
            ++explored.states;
            one->end();
        } catch (const std::exception& broken) {
            explored.broken = broken.what();
            for (const auto& input : path) explored.broken += "\n  " + input;
        }
        if (path.size() < depth) waiting.push_back(std::move(path));
    };
    visit({});
    waiting.pop_front();
    while (!waiting.empty() && explored.broken.empty()) {
        const auto path = std::move(waiting.front());
        waiting.pop_front();
        for (const auto& input : at(path)->inputs()) {
            auto further = path;
            further.push_back(input);
            visit(std::move(further));
            if (!explored.broken.empty()) break;
        }
    }
    return explored;
}

}  // namespace stox::test
