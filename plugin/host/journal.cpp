#include "plugin/host/journal.h"

#include "plugin/host/levels.h"

#include <unistd.h>

#include <algorithm>
#include <array>
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

}  // namespace

void write_journal(engine::Level level, std::string_view text, std::string_view domain) {
    auto line = prefix(level);
    if (!domain.empty()) line += std::string(domain) + ": ";
    line += text;
    std::ranges::replace_if(
        line, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
    line += '\n';
    // Whoever closed it wants no log; a full disk behind it stops nothing.
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace stox::host
