// Runs a fuzz target over the files and folders named on the command line. Exit status 1: an input broke it, or none was found.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

bool replay(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(file), {}};
    try {
        LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(content.data()), content.size());
        return true;
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "%s: %s\n", path.c_str(), failure.what());
        return false;
    }
}

}  // namespace

int main(int argc, char** argv) {
    std::size_t inputs = 0, broken = 0;
    for (int i = 1; i < argc; ++i) {
        if (!std::filesystem::is_directory(argv[i])) {
            ++inputs;
            broken += !replay(argv[i]);
            continue;
        }
        for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i])) {
            if (!entry.is_regular_file()) continue;
            ++inputs;
            broken += !replay(entry.path());
        }
    }
    std::printf("%zu inputs, %zu broken\n", inputs, broken);
    return inputs > 0 && broken == 0 ? 0 : 1;
}
