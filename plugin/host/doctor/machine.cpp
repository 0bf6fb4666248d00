#include "plugin/host/doctor/machine.h"

#include <pwd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace stox::doctor {

namespace {

std::string user_name(uid_t id) {
    passwd entry{};
    passwd* found = nullptr;
    char room[4096];
    if (::getpwuid_r(id, &entry, room, sizeof room, &found) == 0 && found) return found->pw_name;
    return std::to_string(id);
}

std::string first_line(const char* path) {
    std::string line;
    std::getline(std::ifstream(path), line);
    return line;
}

std::uint64_t hard_limit_of_descriptors() {
    rlimit limit{};
    return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_max : 0;
}

/// The kernel's own opinion, whoever disciplines it.
bool is_clock_synchronised() {
    timex clock{};
    return ::adjtimex(&clock) != TIME_ERROR && (clock.status & STA_UNSYNC) == 0;
}

/// "5060,20000-20999" as the kernel writes it.
std::vector<std::pair<std::uint16_t, std::uint16_t>> port_ranges(const std::string& text) {
    std::vector<std::pair<std::uint16_t, std::uint16_t>> ranges;
    std::istringstream list(text);
    for (std::string range; std::getline(list, range, ',');) {
        std::istringstream words(range);
        unsigned first = 0, last = 0;
        char dash = 0;
        if (!(words >> first)) continue;
        if (!(words >> dash >> last)) last = first;
        ranges.emplace_back(static_cast<std::uint16_t>(first), static_cast<std::uint16_t>(last));
    }
    return ranges;
}

std::filesystem::path nearest(std::filesystem::path path) {
    std::error_code ignored;
    while (!std::filesystem::exists(path, ignored) && path.has_parent_path() && path != path.parent_path()) path = path.parent_path();
    return path;
}

}  // namespace

void look_at_machine(Facts& facts) {
    facts.user = user_name(::geteuid());
    facts.descriptors = hard_limit_of_descriptors();
    facts.clock_synchronised = is_clock_synchronised();
    std::istringstream range(first_line("/proc/sys/net/ipv4/ip_local_port_range"));
    range >> facts.ephemeral_first >> facts.ephemeral_last;
    facts.reserved = port_ranges(first_line("/proc/sys/net/ipv4/ip_local_reserved_ports"));
}

StateFact look_at_state(const std::string& wanted) {
    StateFact fact;
    fact.wanted = wanted;
    fact.path = nearest(wanted).string();
    struct stat about {};
    if (::stat(fact.path.c_str(), &about) != 0) {
        fact.usable = false;
        return fact;
    }
    fact.is_directory = S_ISDIR(about.st_mode);
    fact.owner = user_name(about.st_uid);
    fact.mode = about.st_mode & 07777;
    fact.usable = ::access(fact.path.c_str(), W_OK | X_OK) == 0;
    struct statvfs room {};
    if (::statvfs(fact.path.c_str(), &room) == 0) fact.free_octets = static_cast<std::uint64_t>(room.f_bavail) * room.f_frsize;
    return fact;
}

}  // namespace stox::doctor
