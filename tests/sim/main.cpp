// stox_sim [--seeds N] [--first SEED] [--seconds S] [--junit FILE]
// Plays that many seeds, or as many as fit in the time; prints the first that breaks an invariant with all that led to it.

#include "tests/sim/world.h"

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <limits>
#include <string_view>

namespace {

struct Options {
    std::uint64_t first = 1, seeds = 1'000;
    double seconds = std::numeric_limits<double>::infinity();
    std::string junit;
};

Options parse(int argc, char** argv) {
    Options options;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string_view name = argv[i];
        if (name == "--seeds")
            options.seeds = std::strtoull(argv[i + 1], nullptr, 10);
        else if (name == "--first")
            options.first = std::strtoull(argv[i + 1], nullptr, 10);
        else if (name == "--seconds")
            options.seconds = std::strtod(argv[i + 1], nullptr);
        else if (name == "--junit")
            options.junit = argv[i + 1];
        else
            std::exit((std::cerr << "unknown option " << name << '\n', 2));
    }
    return options;
}

/// What broke, or nothing.
std::string play(std::uint64_t seed, std::size_t& messages) {
    stox::sim::World world(seed);
    try {
        world.run();
        messages += world.ledger().requests() + world.ledger().stanzas();
        return {};
    } catch (const std::exception& broken) {
        std::cout << "seed " << seed << " breaks: " << broken.what() << '\n';
        for (const auto& line : world.trace()) std::cout << "  " << line << '\n';
        return broken.what();
    }
}

void write_junit(const std::string& file, const std::string& broken) {
    if (file.empty()) return;
    std::ofstream out(file);
    out << "<testsuite name=\"sim\" tests=\"1\" failures=\"" << (broken.empty() ? 0 : 1)
        << "\"><testcase classname=\"Simulator\" name=\"IM_12_IM_50_EveryMessageHasOneOutcome\">";
    if (!broken.empty()) out << "<failure message=\"an invariant broke; the output names the seed\"/>";
    out << "</testcase></testsuite>\n";
}

}  // namespace

int main(int argc, char** argv) {
    const auto options = parse(argc, argv);
    const auto began = std::chrono::steady_clock::now();
    const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count(); };
    std::uint64_t played = 0;
    std::size_t messages = 0;
    std::string broken;
    for (; broken.empty() && played < options.seeds && elapsed() < options.seconds; ++played)
        broken = play(options.first + played, messages);
    std::cout << played << " seeds, " << messages << " messages, " << elapsed() << " s\n";
    write_junit(options.junit, broken);
    return broken.empty() ? 0 : 1;
}
