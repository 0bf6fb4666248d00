// Usage: stox_store_writer FILE
// Writes without end into the store and tells each acknowledged put, "put KEY VERSION", until somebody kills it.

#include "plugin/host/store/sqlite_store.h"

#include <cstdio>
#include <functional>
#include <random>

int main(int count, char** words) {
    using namespace stox;
    if (count != 2) return 2;
    boost::asio::io_context loop;
    auto opened = store::SqliteStore::open(loop, {.path = words[1]});
    if (!opened) {
        std::printf("refused %s\n", opened.error().detail.c_str());
        return 1;
    }
    auto& records = *opened.value();
    std::mt19937_64 random(std::random_device{}());
    // Versions grow over the starts.
    const auto first = records.epoch() * 1'000'000;
    std::uint64_t given = 0, answered = 0;
    const std::function<void()> give = [&] {
        for (; given - answered < 500; ++given) {
            const auto key = std::to_string(random() % 1000), version = std::to_string(first + given);
            const auto value = version + std::string(random() % 2000, ' ');
            const auto durability = random() % 4 == 0 ? store::Durability::full : store::Durability::normal;
            const auto taken = records.put("test", key, value, durability, [&, key, version](Result<void> result) {
                ++answered;
                if (!result) std::exit(3);
                std::printf("put %s %s\n", key.c_str(), version.c_str());
                std::fflush(stdout);
                give();
            });
            if (!taken) std::exit(4);
        }
    };
    give();
    loop.run();
}
