// stox_sim [--seeds N] [--first SEED] [--seconds S] [--kept FILE] [--junit FILE]
// Plays the seeds in FILE, then that many, and more as long as the time lasts; prints the first that breaks an invariant with all
// that led to it, and adds it to FILE.

#include "tests/sim/world.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string_view>
#include <vector>

namespace {

struct Options {
    std::uint64_t first = 1, seeds = 1'000;
    double seconds = 0;
    std::string kept, junit;
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
        else if (name == "--kept")
            options.kept = argv[i + 1];
        else if (name == "--junit")
            options.junit = argv[i + 1];
        else
            std::exit((std::cerr << "unknown option " << name << '\n', 2));
    }
    return options;
}

/// What broke, or nothing.
std::string play(std::uint64_t seed, stox::sim::World::Counts& counts) {
    stox::sim::World world(seed);
    try {
        world.run();
        counts += world.counts();
        return {};
    } catch (const std::exception& broken) {
        std::cout << "seed " << seed << " breaks: " << broken.what() << '\n';
        for (const auto& line : world.trace()) std::cout << "  " << line << '\n';
        return broken.what();
    }
}

/// One a line, with a word on what it broke.
std::vector<std::uint64_t> read_seeds(const std::string& file) {
    std::vector<std::uint64_t> seeds;
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) seeds.push_back(std::strtoull(line.c_str(), nullptr, 10));
    return seeds;
}

void keep_seed(const std::string& file, std::uint64_t seed, const std::string& broken) {
    if (!file.empty()) std::ofstream(file, std::ios::app) << seed << "  " << broken << '\n';
}

void write_junit(const std::string& file, const std::string& broken) {
    if (file.empty()) return;
    std::ofstream out(file);
    out << "<testsuite name=\"sim\" tests=\"1\" failures=\"" << (broken.empty() ? 0 : 1)
        << "\"><testcase classname=\"Simulator\" name=\"IM_12_CORE_77_NoAcceptedMessageIsLost\">";
    if (!broken.empty()) out << "<failure message=\"an invariant broke; the output names the seed\"/>";
    out << "</testcase></testsuite>\n";
}

}  // namespace

int main(int argc, char** argv) {
    const auto options = parse(argc, argv);
    const auto began = std::chrono::steady_clock::now();
    const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count(); };
    std::uint64_t played = 0;
    stox::sim::World::Counts counts;
    std::string broken;
    std::uint64_t seed = 0;
    const auto next = [&](std::uint64_t which) {
        seed = which;
        broken = play(seed, counts);
        return broken.empty();
    };
    const auto kept = read_seeds(options.kept);
    const bool went_well = std::ranges::all_of(kept, next);
    for (; went_well && broken.empty() && (played < options.seeds || elapsed() < options.seconds); ++played)
        next(options.first + played);
    if (!broken.empty() && std::ranges::find(kept, seed) == kept.end()) keep_seed(options.kept, seed, broken);
    std::cout << kept.size() << " kept seeds, " << played << " seeds, " << counts.messages << " messages, " << elapsed() << " s; "
              << counts.crashes << " crashes, " << counts.stops << " stops, " << counts.drops << " streams dropped, "
              << counts.kills << " servers killed, " << counts.refused_commits << " commits refused; " << counts.copies
              << " second copies, " << counts.lost_covered << " lost by a killed server that had them, " << counts.unaccepted
              << " gone before they were accepted; " << counts.watches << " SUBSCRIBEs, " << counts.notifications << " NOTIFYs\n";
    write_junit(options.junit, broken);
    return broken.empty() ? 0 : 1;
}
