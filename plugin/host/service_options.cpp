#include "plugin/host/service_options.h"

#include <grp.h>
#include <pwd.h>

#include <charconv>
#include <optional>

namespace stox::host {

namespace {

constexpr unsigned kLongestReturn = 86'400;

std::optional<unsigned> number(std::string_view text) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

Result<uid_t> user(const std::string& name) {
    if (const auto id = number(name)) return *id;
    if (const auto* known = ::getpwnam(name.c_str())) return known->pw_uid;
    return fail(Code::malformed, "there is no user " + name);
}

Result<gid_t> group(const std::string& name) {
    if (const auto id = number(name)) return *id;
    if (const auto* known = ::getgrnam(name.c_str())) return known->gr_gid;
    return fail(Code::malformed, "there is no group " + name);
}

Result<void> take(ServiceOptions& options, std::string_view word, const std::string& value) {
    if (word == "--listen") {
        if (value.empty() || value[0] != '/') return fail(Code::malformed, "--listen needs an absolute path");
        options.listen = value;
    } else if (word == "--allow-user") {
        auto id = user(value);
        if (!id) return id.error();
        options.access.users.push_back(id.value());
    } else if (word == "--allow-group") {
        auto id = group(value);
        if (!id) return id.error();
        options.access.groups.push_back(id.value());
    } else if (word == "--return-within") {
        const auto seconds = number(value);
        if (!seconds || *seconds == 0 || *seconds > kLongestReturn)
            return fail(Code::malformed, "--return-within needs 1 to 86400 seconds");
        options.return_s = *seconds;
    } else {
        return fail(Code::malformed, "the option " + std::string(word) + " is not known");
    }
    return ok();
}

}  // namespace

Result<ServiceOptions> read_service_options(const std::vector<std::string_view>& words) {
    ServiceOptions options;
    for (std::size_t n = 0; n < words.size(); n += 2) {
        if (n + 1 == words.size()) return fail(Code::malformed, std::string(words[n]) + " needs a value");
        if (auto taken = take(options, words[n], std::string(words[n + 1])); !taken) return taken.error();
    }
    if (options.listen.empty()) return fail(Code::malformed, "--listen is missing");
    return options;
}

}  // namespace stox::host
