#include "tests/store/rig.h"

#include <sys/stat.h>

#include <fstream>
#include <sstream>

namespace stox::store::test {

std::string read_file(const std::string& path) {
    std::ostringstream octets;
    octets << std::ifstream(path, std::ios::binary).rdbuf();
    return octets.str();
}

void write_file(const std::string& path, const std::string& octets) {
    std::ofstream(path, std::ios::binary) << octets;
    ::chmod(path.c_str(), 0600);
}

Store* Rig::open() {
    auto opened = SqliteStore::open(loop_, settings_);
    if (!opened) {
        error_ = opened.error();
        return nullptr;
    }
    store_ = std::move(opened).value();
    return store_.get();
}

void Rig::settle() {
    loop_.restart();
    loop_.run();
}

Result<void> Rig::write(std::vector<Change> batch) {
    std::optional<Result<void>> answer;
    auto taken = store_->write(std::move(batch), [&](Result<void> result) { answer = std::move(result); });
    if (!taken) return taken;
    settle();
    EXPECT_TRUE(answer) << "the loop ran out of work before the answer";
    return *answer;
}

std::vector<Record> Rig::records(const std::string& collection) {
    std::vector<Record> found;
    bool answered = false;
    store_->load_all(collection, [&](Result<std::vector<Record>> result) {
        answered = true;
        EXPECT_TRUE(result) << result.error().detail;
        if (result) found = std::move(result).value();
    });
    settle();
    EXPECT_TRUE(answered);
    return found;
}

Contents Rig::contents(const std::string& collection) {
    Contents all;
    for (auto& record : records(collection)) all.emplace(std::move(record.key), std::move(record.value));
    return all;
}

}  // namespace stox::store::test
