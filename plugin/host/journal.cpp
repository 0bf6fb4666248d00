#include "plugin/host/journal.h"

#include "plugin/host/levels.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdlib>
#include <string>

namespace stox::host {

namespace {

/// err, warning, info, debug of syslog(3)
constexpr std::array<std::string_view, 4> kPriorities{"<3>", "<4>", "<6>", "<7>"};

std::string prefix(engine::Level level) {
    static const bool to_journal = std::getenv("JOURNAL_STREAM") != nullptr;
    if (to_journal) return std::string(kPriorities[static_cast<std::size_t>(level)]);
    return std::string(to_string(level)) + ' ';
}

/// As much as a pipe takes whole or not at all.   (pipe(7))
constexpr std::size_t kLongest = PIPE_BUF;

/// Without room for a line a write would hold up every call and message until somebody reads.
bool has_room() {
    pollfd descriptor{STDERR_FILENO, POLLOUT, 0};
    return ::poll(&descriptor, 1, 0) == 1 && (descriptor.revents & POLLOUT) != 0;
}

bool write_line(std::string line) {
    if (!has_room()) return false;
    std::ranges::replace_if(
        line, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
    line.resize(std::min(line.size(), kLongest - 1));
    line += '\n';
    // Whoever closed it wants no log; a full disk behind it stops nothing.
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
    return true;
}

}  // namespace

void write_journal(engine::Level level, std::string_view text, std::string_view domain) {
    auto line = prefix(level);
    if (!domain.empty()) line += std::string(domain) + ": ";
    line += text;
    static std::size_t left_out = 0;
    if (left_out != 0 && write_line(prefix(engine::Level::warn) + std::to_string(left_out) + " log lines were left out: nobody read them"))
        left_out = 0;
    if (left_out != 0 || !write_line(std::move(line))) ++left_out;
}

}  // namespace stox::host
