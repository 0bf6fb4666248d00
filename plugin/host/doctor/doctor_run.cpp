#include "plugin/host/doctor/gather.h"
#include "plugin/host/doctor/judge.h"
#include "plugin/host/worker_abi.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <exception>
#include <string>

namespace {

constexpr std::size_t kMostOctets = 64u << 20;
constexpr int kFailed = 2;  // as an error among the findings

std::string read_all(int in) {
    std::string text;
    char block[65'536];
    for (;;) {
        const auto count = ::read(in, block, sizeof block);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0 || text.size() > kMostOctets) return text;
        text.append(block, static_cast<std::size_t>(count));
    }
}

void write_all(int out, const std::string& text) {
    for (std::size_t done = 0; done < text.size();) {
        const auto count = ::write(out, text.data() + done, text.size() - done);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return;
        done += static_cast<std::size_t>(count);
    }
}

}  // namespace

extern "C" int stox_doctor_run(int in, int out, int json) {
    try {
        const auto findings = stox::doctor::judge(stox::doctor::gather(read_all(in)));
        write_all(out, json ? as_json(findings) : as_text(findings));
        return exit_status(findings);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "stoxd: %s\n", error.what());
    } catch (...) {
        std::fprintf(stderr, "stoxd: the doctor failed\n");
    }
    return kFailed;
}
